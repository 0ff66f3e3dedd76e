"""Texts that are nearly the same, so that no text is judged by a copy of itself."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Sequence

_ADDRESS = re.compile(r"https?://\S+|@\w+")
_WORD = re.compile(r"[^\W\d_]+")
_RUN = 3
_ALIKE = 0.5
_COMMON = 60


def near_duplicates(texts: Sequence[str]) -> list[int]:
    """A group number a text; texts of one group are near-copies of each other, by a chain.

    Two texts are near-copies when at least half of the runs of three words that either has are
    in both (Broder's resemblance, 1997), or when their words are the same. Handles, links,
    numbers, case and punctuation are not looked at. Group numbers are in order of appearance.
    """
    runs = [_runs(text) for text in texts]
    parent = list(range(len(texts)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, own in enumerate(runs):
        for run in own:
            others = holders[run]
            for other in others if len(others) <= _COMMON else others[:1]:
                if root(at) != root(other) and _resemble(own, runs[other]):
                    parent[root(at)] = root(other)
            others.append(at)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(at), len(numbers)) for at in range(len(texts))]


def folds(groups: Sequence[int], count: int, seed: int) -> list[list[int]]:
    """The rows of each of ``count`` test parts; a group lies in one part as a whole.

    Parts differ in size by no more than the largest group. The same seed gives the same parts.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for row, group in enumerate(groups):
        members[group].append(row)
    order = sorted(members)
    random.Random(seed).shuffle(order)
    order.sort(key=lambda group: -len(members[group]))
    parts: list[list[int]] = [[] for _ in range(count)]
    for group in order:
        min(parts, key=len).extend(members[group])
    return [sorted(part) for part in parts]


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(_ADDRESS.sub(" ", text).lower())
    if len(words) <= _RUN:
        return frozenset({tuple(words)})
    return frozenset(zip(*(words[at:] for at in range(_RUN)), strict=False))


def _resemble(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> bool:
    shared = len(one & other)
    return shared >= _ALIKE * (len(one) + len(other) - shared)
