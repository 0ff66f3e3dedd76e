"""Find a brand's words in a text, for networks that cannot search."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

Finder = Callable[[str], tuple[str, ...]]


@lru_cache(maxsize=64)
def finder(words: tuple[str, ...]) -> Finder:
    """A function that gives those of ``words`` that a text has, whatever their case.

    A word is not found inside a longer one of Latin letters or digits; scripts that are
    written without spaces are searched as they stand.
    """
    patterns = [
        (word, re.compile(rf"(?<![0-9A-Za-z_]){re.escape(word)}(?![0-9A-Za-z_])", re.IGNORECASE))
        for word in words
    ]

    def find(text: str) -> tuple[str, ...]:
        return tuple(word for word, pattern in patterns if pattern.search(text))

    return find
