"""Find a brand's words in a text, for networks that cannot search."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_LATIN = re.compile(r"[0-9A-Za-z_]")

Finder = Callable[[str], tuple[str, ...]]


@lru_cache(maxsize=64)
def finder(words: tuple[str, ...]) -> Finder:
    """A function that gives those of ``words`` that a text has, whatever their case.

    A word is not found inside a longer one of Latin letters or digits; scripts that are
    written without spaces are searched as they stand.
    """
    patterns = [(word, _pattern(word)) for word in words]

    def find(text: str) -> tuple[str, ...]:
        return tuple(word for word, pattern in patterns if pattern.search(text))

    return find


def _pattern(word: str) -> re.Pattern[str]:
    before = "(?<![0-9A-Za-z_])" if _LATIN.match(word) else ""
    after = "(?![0-9A-Za-z_])" if _LATIN.match(word[-1:]) else ""
    return re.compile(f"{before}{re.escape(word)}{after}", re.IGNORECASE)
