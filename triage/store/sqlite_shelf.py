"""`triage.store.shelf.Shelf` in the SQLite store's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from triage.store.base import Refusal, Saved, StoredMention, Written
from triage.store.records import EPOCH, BadRecord, batches, micros, refusal
from triage.store.shelf import Keep, Kept, Kind
from triage.store.shelf_records import bare, checked_body
from triage.store.sqlite_file import Database
from triage.store.sqlite_rows import GIVEN, given

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS shelf (kind TEXT, key TEXT, grp TEXT NOT NULL, "
    "at INTEGER NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL, "
    "PRIMARY KEY (kind, key))",
    "CREATE INDEX IF NOT EXISTS shelf_by_time ON shelf (kind, at, key)",
    "CREATE INDEX IF NOT EXISTS shelf_by_group ON shelf (kind, grp, at, key)",
    "CREATE INDEX IF NOT EXISTS mentions_by_time ON mentions (created_at, uid)",
)
PAGE = 1000

_mention = msgspec.json.Decoder(StoredMention).decode


class SqliteShelf:
    """Composed into `triage.store.sqlite.SqliteStore`."""

    _file: Database

    def _set_up_shelf(self) -> None:
        with self._file.write() as db:
            for statement in SCHEMA:
                db.execute(statement)

    def shelve(self, kind: Kind, keeps: Sequence[Keep]) -> Written:
        done: list[str] = []
        conflicts: list[str] = []
        refused: list[Refusal] = []
        rows: list[tuple[Any, ...]] = []
        with self._file.write() as db:
            # Nobody else writes until this is over: what is read here is what will be replaced.
            versions = _versions(db, kind, [keep.key for keep in keeps])
            for keep in keeps:
                try:
                    body = checked_body(keep)
                except BadRecord as error:
                    refused.append(refusal(keep.key, error))
                    continue
                known = versions.get(keep.key, 0)
                if keep.version != (str(known) if known else None):
                    conflicts.append(keep.key)
                    continue
                versions[keep.key] = known + 1
                rows.append((kind, keep.key, keep.group, micros(keep.at), known + 1, body))
                done.append(keep.key)
            db.executemany("REPLACE INTO shelf VALUES (?, ?, ?, ?, ?, ?)", rows)
        return Written(done=tuple(done), conflicts=tuple(conflicts), refused=tuple(refused))

    def shelved(self, kind: Kind, keys: Sequence[str]) -> dict[str, Kept]:
        where = f"kind = ? AND key IN {GIVEN}"
        return {
            one.key: one
            for some in batches(list(dict.fromkeys(keys)), PAGE)
            for one in self._kept(where, kind, given(some))
        }

    def shelf(
        self, kind: Kind, group: str | None = None, since: datetime | None = None
    ) -> Iterator[Kept]:
        where, values = "kind = ?", [str(kind)]
        if group is not None:
            where, values = f"{where} AND grp = ?", [*values, group]
        last: tuple[int, str] = (-(2**62) if since is None else micros(since), "")
        while True:
            page = self._kept(
                f"{where} AND (at, key) >= (?, ?) ORDER BY at, key LIMIT {PAGE}", *values, *last
            )
            yield from page
            if len(page) < PAGE:
                return
            last = (micros(page[-1].at), page[-1].key + "\0")

    def _kept(self, where: str, *values: Any) -> list[Kept]:
        with self._file.read() as db:
            found = db.execute(
                f"SELECT key, grp, at, version, body FROM shelf WHERE {where}", values
            ).fetchall()
        return [
            Kept(
                key=key,
                group=group,
                at=EPOCH + timedelta(microseconds=at),
                version=str(version),
                body=body,
            )
            for key, group, at, version, body in found
        ]

    def unshelve(self, kind: Kind, keys: Sequence[str]) -> None:
        with self._file.write() as db:
            db.execute(f"DELETE FROM shelf WHERE kind = ? AND key IN {GIVEN}", (kind, given(keys)))

    def mentions_between(self, start: datetime, end: datetime) -> Iterator[StoredMention]:
        statement = (
            "SELECT created_at, uid, body FROM mentions WHERE (created_at, uid) >= (?, ?) "
            f"AND created_at < ? ORDER BY created_at, uid LIMIT {PAGE}"
        )
        at, uid = micros(start), ""
        while True:
            with self._file.read() as db:
                page = db.execute(statement, (at, uid, micros(end))).fetchall()
            yield from (_mention(body) for _, _, body in page)
            if len(page) < PAGE:
                return
            at, uid = page[-1][0], page[-1][1] + "\0"

    # forgetting

    def _change(self, wanted: Any, decide: Any) -> Saved:
        raise NotImplementedError

    def erase(self, uids: Sequence[str], tickets: Sequence[str], customers: Sequence[str]) -> None:
        self._change({uid: uid for uid in uids}, bare)
        with self._file.write() as db:
            for table in ("tickets", "ticket_threads", "events"):
                db.execute(f"DELETE FROM {table} WHERE ticket IN {GIVEN}", (given(tickets),))
            db.execute(f"DELETE FROM identities WHERE customer IN {GIVEN}", (given(customers),))

    def every_document(self) -> Iterator[tuple[str, str, bytes]]:
        with self._file.read() as db:
            tables = [
                name
                for (name,) in db.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
                )
            ]
        for table in tables:
            last = -1
            while True:
                with self._file.read() as db:
                    page = _rows(db, table, last)
                yield from ((table, key, values) for _, key, values in page)
                if len(page) < PAGE:
                    break
                last = page[-1][0]

    def scrub(self) -> None:
        """Write the file anew without its free pages, and empty the write-ahead log."""
        with self._file.read() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _versions(db: sqlite3.Connection, kind: Kind, keys: Sequence[str]) -> dict[str, int]:
    """Version of each of these records that is there."""
    statement = f"SELECT key, version FROM shelf WHERE kind = ? AND key IN {GIVEN}"
    return {
        key: version
        for some in batches(list(dict.fromkeys(keys)), PAGE)
        for key, version in db.execute(statement, (kind, given(some)))
    }


def _rows(db: sqlite3.Connection, table: str, after: int) -> list[tuple[int, str, bytes]]:
    """A page of a table's rows as (position, first column, everything as text)."""
    hidden = (
        "WITHOUT ROWID"
        in db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,))
        .fetchone()[0]
        .upper()
    )
    if hidden:  # such tables hold keys only, and are asked for by their place
        statement = f"SELECT * FROM {table} ORDER BY 1, 2 LIMIT {PAGE} OFFSET ?"
        found = db.execute(statement, (after + 1,)).fetchall()
        return [(after + 1 + n, str(row[0]), _joined(row)) for n, row in enumerate(found)]
    statement = f"SELECT rowid, * FROM {table} WHERE rowid > ? ORDER BY rowid LIMIT {PAGE}"
    return [(row[0], str(row[1]), _joined(row[1:])) for row in db.execute(statement, (after,))]


def _joined(row: Sequence[Any]) -> bytes:
    return b"\x1f".join(
        value if isinstance(value, bytes) else str(value).encode(errors="replace")
        for value in row
        if value is not None
    )
