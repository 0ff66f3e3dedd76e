"""`triage.store.analysis.Analysis` in the SQLite store's file.

Words are looked for in an index that is made for the one search, in a temporary file that
SQLite removes: no second copy of what people wrote has to be kept and forgotten.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from triage.store.analysis import FACETS, PREFIX, Hit, Hits, How, SearchFilter, no_hits, terms_of
from triage.store.base import StoredMention
from triage.store.records import EPOCH
from triage.store.sqlite_file import Database
from triage.ticket import Event

PAGE = 1000
_WORDS = re.compile(r"\w+")
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)
_event = msgspec.json.Decoder(Event).decode


class SqliteAnalysis:
    """Composed into `triage.store.sqlite.SqliteStore`."""

    _file: Database

    def all_events(self) -> Iterator[Event]:
        statement = (
            f"SELECT at, id, body FROM events WHERE (at, id) > (?, ?) ORDER BY at, id LIMIT {PAGE}"
        )
        last: tuple[int, str] = (-(2**62), "")
        while page := self._page(statement, last):
            yield from (_event(body) for _, _, body in page)
            last = page[-1][:2]

    def ledger_rows(self) -> Iterator[Mapping[str, Any]]:
        statement = (
            "SELECT source, target, window, body FROM ledger "
            "WHERE (source, target, window) > (?, ?, ?) "
            f"ORDER BY source, target, window LIMIT {PAGE}"
        )
        last = ("", "", "")
        while page := self._page(statement, last):
            yield from (msgspec.json.decode(row[-1]) for row in page)
            last = page[-1][:3]

    def reject_rows(self) -> Iterator[Mapping[str, Any]]:
        statement = f"SELECT id, body FROM rejects WHERE id > ? ORDER BY id LIMIT {PAGE}"
        last = ("",)
        while page := self._page(statement, last):
            yield from (msgspec.json.decode(body) for _, body in page)
            last = page[-1][:1]

    def _page(self, statement: str, after: tuple[Any, ...]) -> list[Any]:
        with self._file.read() as db:
            return db.execute(statement, after).fetchall()

    def mentions_between(self, start: datetime, end: datetime) -> Iterator[StoredMention]:
        raise NotImplementedError

    def search(self, words: str, how: How, wanted: SearchFilter, limit: int) -> Hits:
        terms = terms_of(words)
        if not terms:
            return no_hits()
        index = sqlite3.connect("")  # a temporary file, gone when it is closed
        try:
            index.execute(
                "CREATE VIRTUAL TABLE found USING fts5 (uid UNINDEXED, title, text, "
                f"{', '.join(f'{name} UNINDEXED' for name in FACETS)}, "
                "tokenize = 'unicode61 remove_diacritics 0')"
            )
            index.executemany(
                f"INSERT INTO found VALUES (?, ?, ?{', ?' * len(FACETS)})", self._rows_of(wanted)
            )
            matching = _query(index, terms, how)
            return _hits(index, matching, limit) if matching else no_hits()
        finally:
            index.close()

    def _rows_of(self, wanted: SearchFilter) -> Iterator[tuple[str, ...]]:
        for row in self.mentions_between(wanted.since or EPOCH, _LATEST):
            if not row.deleted and _is_wanted(row, wanted):
                facets = (getattr(row, name) for name in FACETS)
                counted = ("" if value is None else str(value) for value in facets)
                yield row.uid, row.title or "", row.text, *counted


def _is_wanted(row: StoredMention, wanted: SearchFilter) -> bool:
    return all(getattr(row, field) in values for field, values in wanted.chosen().items())


def _query(index: sqlite3.Connection, terms: list[str], how: How) -> str | None:
    """FTS5's words for all of the terms; None if one of them has no match at all."""
    if how == "exact":
        return " AND ".join(f'"{_plain(term)}"' for term in terms)
    index.execute("CREATE VIRTUAL TABLE vocabulary USING fts5vocab('found', 'row')")
    parts = []
    for term in terms:
        for word in _WORDS.findall(term.lower()):
            near = [one for one in _starting(index, word) if _is_near(one, word)]
            if not near:
                return None
            parts.append(f"({' OR '.join(f'{chr(34)}{one}{chr(34)}' for one in near)})")
    return " AND ".join(parts)


def _plain(term: str) -> str:
    return term.replace('"', " ")


def _starting(index: sqlite3.Connection, word: str) -> list[str]:
    """The words of the index that begin as this one and are about as long."""
    allowed = edits_allowed(word)
    statement = (
        "SELECT term FROM vocabulary WHERE term >= ? AND term < ? AND length(term) BETWEEN ? AND ?"
    )
    head = word[:PREFIX]
    bounds = (head, head + "\U0010ffff", len(word) - allowed, len(word) + allowed)
    return [term for (term,) in index.execute(statement, bounds)]


def edits_allowed(word: str) -> int:
    """As Elasticsearch's ``fuzziness: AUTO`` has it."""
    return 0 if len(word) < 3 else 1 if len(word) < 6 else 2


def _is_near(one: str, word: str) -> bool:
    return distance(one, word) <= edits_allowed(word)


def distance(one: str, other: str) -> int:
    """Letters added, left out, replaced or swapped with their neighbour (optimal alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, wanted in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != wanted))
            swapped = (
                row > 1
                and column > 1
                and (letter, one[row - 2])
                == (
                    other[column - 2],
                    wanted,
                )
            )
            current.append(min(cost, before[column - 2] + 1) if swapped else cost)
        before, last = last, current
    return last[-1]


def _hits(index: sqlite3.Connection, matching: str, limit: int) -> Hits:
    best = index.execute(
        "SELECT uid, -bm25(found) AS score FROM found WHERE found MATCH ? "
        "ORDER BY score DESC, uid LIMIT ?",
        (matching, limit),
    ).fetchall()
    counts = {
        name: dict(
            index.execute(
                f"SELECT {name}, count(*) FROM found WHERE found MATCH ? GROUP BY 1", (matching,)
            ).fetchall()
        )
        for name in FACETS
    }
    return Hits(
        best=tuple(Hit(uid=uid, score=score) for uid, score in best),
        total=sum(counts["source"].values()),
        facets=counts,
    )
