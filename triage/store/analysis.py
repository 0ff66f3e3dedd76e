"""What analysts ask of a store: histories and books from end to end, and words looked for.

The guarantees of `triage.store.base` hold here, too. Nothing of this reads the vault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, Literal, Protocol

import msgspec

from triage.ticket import Event

How = Literal["exact", "fuzzy"]

FACETS: Final = ("source", "department", "language", "severity")
"""What a search counts its hits by; a field without a value counts as an empty string."""
PREFIX: Final = 1
"""Letters that a misspelt word must begin with as they were typed."""
_TERM = re.compile(r'"([^"]+)"|(\S+)')
_WORD = re.compile(r"\w")


class SearchFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which mentions; an empty field does not restrict."""

    sources: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    since: datetime | None = None
    """Only what was created at this time or later."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """A mention that was found; scores of one search compare, those of two do not."""

    uid: str
    score: float


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found: the best hits first, ties by uid, and counts over all hits."""

    best: tuple[Hit, ...]
    total: int
    facets: Mapping[str, Mapping[str, int]]
    """By each of `FACETS`, how many hits have each value."""


class Analysis(Protocol):
    """The part of a store that analysts read."""

    def all_events(self) -> Iterator[Event]:
        """The history of every ticket by (at, id), streamed."""

    def ledger_rows(self) -> Iterator[Mapping[str, Any]]:
        """Every row that `save_ledger` kept, by (source, target, window), streamed."""

    def reject_rows(self) -> Iterator[Mapping[str, Any]]:
        """Every row that `save_rejects` kept, by id, streamed."""

    def search(self, words: str, how: How, wanted: SearchFilter, limit: int) -> Hits:
        """Mentions with all of the words in title or text, scored by BM25; never deleted ones.

        Words in quotes have to stand together. ``fuzzy`` takes a word of three to five letters
        with one letter wrong, a longer one with two, if the first is right. Without any word
        there are no hits.
        """


def terms_of(words: str) -> list[str]:
    """The words and quoted phrases of what was typed; what has no letter or digit is dropped."""
    found = [quoted or plain for quoted, plain in _TERM.findall(words)]
    return [term for term in found if _WORD.search(term)]


def no_hits() -> Hits:
    """Nothing found."""
    return Hits(best=(), total=0, facets={name: {} for name in FACETS})
