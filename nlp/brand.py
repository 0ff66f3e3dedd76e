"""Whether a text that holds the brand's name is about the brand: a name is often others', too.

Nothing is learnt and nothing is guessed. A text is somebody else's only where the operator's own
words say so: words of the namesake's world (``not_about``) that outnumber words of the brand's
(``about``), with none of the brand's accounts in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

Verdict = Literal["ours", "theirs", "unsaid"]

_HANDLE = re.compile(r"(?<![\w@/])@(\w[\w.-]*\w|\w)")


class BrandWords(msgspec.Struct, frozen=True, kw_only=True):
    """What tells a brand from others of its name; case does not matter."""

    name: str = ""
    handles: tuple[str, ...] = ()
    """The brand's own accounts, with or without ``@``."""
    about: tuple[str, ...] = ()
    """Words and phrases of what the brand does."""
    not_about: tuple[str, ...] = ()
    """Words and phrases of others who bear the name; handles are written with ``@``."""


class BrandReader:
    """Tells whose name it is; pure, built once."""

    def __init__(self, words: BrandWords) -> None:
        self._name = _phrases([words.name])
        self._handles = frozenset(handle.casefold().removeprefix("@") for handle in words.handles)
        self._about = _phrases(words.about)
        self._not_about = _phrases(words.not_about)
        self._others = frozenset(
            word.casefold()[1:] for word in words.not_about if word.startswith("@")
        )

    def verdict(self, text: str) -> Verdict:
        """``theirs`` for a namesake, ``ours`` where something says so, else ``unsaid``.

        One of the brand's handles settles it. Else words of the namesake must outnumber those of
        the brand; a phrase that holds the name itself, as ``kestrel falcon``, counts twice. A text
        without the name is never a namesake's: it was found by another way.
        """
        handles = {match[1].casefold() for match in _HANDLE.finditer(text)}
        if handles & self._handles:
            return "ours"
        theirs = {match[0].casefold() for match in self._found(self._not_about, text)}
        ours = {match[0].casefold() for match in self._found(self._about, text)}
        named = self._name is not None and self._name.search(text) is not None
        points = sum(2 if self._name and self._name.search(word) else 1 for word in theirs)
        points += 2 * len(handles & self._others)
        if points > len(ours) and (named or handles & self._others):
            return "theirs"
        return "ours" if ours and len(ours) >= points else "unsaid"

    @staticmethod
    def _found(phrases: re.Pattern[str] | None, text: str) -> Iterable[re.Match[str]]:
        return phrases.finditer(text) if phrases else ()


def _phrases(words: Iterable[str]) -> re.Pattern[str] | None:
    """Any of the phrases as whole words, with a plural's ending or a hashtag's sign."""
    parts = [
        r"[\s-]+".join(map(re.escape, word.split()))
        for word in sorted(words, key=len, reverse=True)
        if word.strip() and not word.startswith("@")
    ]
    if not parts:
        return None
    return re.compile(rf"(?<![\w@])(?:{'|'.join(parts)})(?:e?s|['\u2019]s)?(?!\w)", re.IGNORECASE)
