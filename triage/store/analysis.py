"""What analysts ask of a store: histories and books from end to end, and words looked for.

The guarantees of `triage.store.base` hold here, too. Nothing of this reads the vault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import msgspec

from triage.ticket import Event

if TYPE_CHECKING:
    from triage.store.base import StoredMention

How = Literal["exact", "fuzzy"]
Read = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""Makes a vector of each text; near ones are about the same matter."""
Progress = Callable[[int, int], None]
"""Is told how many of how many are done."""

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

    def chosen(self) -> dict[str, tuple[str, ...]]:
        """The fields of a mention that are restricted, and what each of them may be."""
        every = {
            "source": self.sources,
            "department": self.departments,
            "language": self.languages,
        }
        return {field: values for field, values in every.items() if values}


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

    def make_vectors(self, model: str, read: Read, progress: Progress) -> int:
        """Keep a vector of each mention that has none of ``model`` yet, or of earlier words.

        Vectors are of one length, and of one model: those of another are dropped. A mention
        takes its vector with it when it is deleted, changed or erased. Killed anywhere, the same
        call goes on. Returns how many were looked at.
        """

    def nearest(
        self, model: str, vector: Sequence[float], wanted: SearchFilter, limit: int
    ) -> tuple[Hit, ...]:
        """Mentions whose vectors are nearest by cosine, the score; only those above zero.

        What `make_vectors` has not seen is not found. SQLite compares one by one; Elasticsearch
        follows a graph (HNSW), which may miss one of many.
        """


def words_of(row: StoredMention) -> str:
    """What a mention says, as its vector is made of it."""
    return f"{row.title or ''} {row.text}".strip()


def terms_of(words: str) -> list[str]:
    """The words and quoted phrases of what was typed; what has no letter or digit is dropped."""
    found = [quoted or plain for quoted, plain in _TERM.findall(words)]
    return [term for term in found if _WORD.search(term)]


def no_hits() -> Hits:
    """Nothing found."""
    return Hits(best=(), total=0, facets={name: {} for name in FACETS})
