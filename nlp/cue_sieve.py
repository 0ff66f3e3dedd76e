"""Which texts can hold a phrase at all: most cannot, and to cut one into words is what costs.

A text is let through if for one phrase each of its words is in it, in any order. Words are compared
by their runs of small ASCII letters, which a text is cut into ten times as fast as into spaCy's
words. Nothing that would match is ever held back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

_RUNS = re.compile("[a-z]+")
_RARE_FROM: Final = 5

Places = Sequence[Iterable[str]]
"""The words of a phrase, in small letters: for each place the choices."""


class Sieve:
    """Lets through what may hold one of its phrases.

    Args:
        split: spellings that the tokenizer cuts inside a run of letters, as ``don't`` into ``do``
            and ``n't``, with the words that it makes of them.
    """

    def __init__(self, split: Mapping[str, Iterable[str]]) -> None:
        self._rest: dict[str, set[tuple[frozenset[str], ...]]] = defaultdict(set)
        """By a run of letters of a phrase: one run at least of each set must stand beside it."""
        self._signs: set[str] = set()
        self._open = False
        self._split: dict[str, set[str]] = defaultdict(set)
        for written, words in split.items():
            made = {run for word in words for run in _RUNS.findall(word.lower())}
            found = _RUNS.findall(written.lower())
            if made - set(found):
                self._split[max(found, key=len)] |= made

    def add(self, places: Places) -> None:
        """One more phrase."""
        known: list[frozenset[str]] = []
        signs: list[frozenset[str]] = []
        for place in places:
            words = frozenset(word.lower() for word in place)
            runs = [max(_RUNS.findall(word), key=len, default="") for word in words]
            known += [frozenset(runs)] if all(runs) else []
            signs += [] if any(runs) else [words]
        if known:
            first, *others = sorted(known, key=commonness)
            for run in first:
                self._rest[run].add(tuple(others))
        elif signs and all(map(str.isascii, signs[0])):
            self._signs |= signs[0]
        else:
            self._open = True

    def lets_through(self, text: str) -> bool:
        """Whether one of the phrases may stand in the text."""
        if self._open or any(sign in text for sign in self._signs):
            return True
        runs = set(_RUNS.findall(text.lower()))
        for run in runs & self._split.keys():
            runs |= self._split[run]
        return any(
            not any(place.isdisjoint(runs) for place in others)
            for run in runs & self._rest.keys()
            for others in self._rest[run]
        )


def commonness(place: Collection[str]) -> tuple[int, int]:
    """The place of a phrase whose words are likely to be in the fewest texts comes first."""
    return (sum(len(word) < _RARE_FROM for word in place), len(place))
