"""The embedded store: one SQLite file, for laptops, small teams and tests.

Records are kept as JSON; what is asked for stands beside it in indexed columns. Several
processes may use the file at once (write-ahead log); threads may share one object.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from triage.errors import StoreRefused
from triage.likeness import Sketch
from triage.store.base import (
    MOST_OF_KEY,
    Identity,
    QueueFilter,
    QueuePage,
    Refusal,
    Saved,
    Stage,
    StoredMention,
    Versioned,
    Write,
    Written,
)
from triage.store.records import (
    BadRecord,
    batches,
    bury,
    check_id,
    cursor,
    isolate,
    ledger_key,
    merge,
    micros,
    move,
    plain_json,
    queue_key,
    refusal,
    ticket_json,
)
from triage.store.sqlite_analysis import SqliteAnalysis
from triage.store.sqlite_file import BUSY_S, Database
from triage.store.sqlite_rows import (
    GIVEN,
    compare_and_set,
    conditions,
    given,
    mention_columns,
    put_threads_and_events,
)
from triage.store.sqlite_schema import IN_QUEUE
from triage.store.sqlite_shelf import SqliteShelf
from triage.store.sqlite_vectors import SqliteVectors
from triage.ticket import OPEN, Event, Ticket

T = TypeVar("T")
BATCH = 1000
AT_ONCE = 100
"""Keys whose rows are asked for together."""

_mention = msgspec.json.Decoder(StoredMention).decode
_ticket = msgspec.json.Decoder(Ticket).decode
_event = msgspec.json.Decoder(Event).decode
_sketch = msgspec.json.Decoder(Sketch).decode
_identity = msgspec.json.Decoder(Identity).decode


class SqliteStore(SqliteShelf, SqliteAnalysis, SqliteVectors):
    """`triage.store.base.Store` in one file; ``busy_s`` is how long to wait for other writers."""

    name = "sqlite"

    def __init__(self, path: Path, busy_s: float = BUSY_S) -> None:
        self._file = Database(path, busy_s)

    def setup(self) -> None:
        self._file.setup()
        self._set_up_shelf()

    def check(self) -> str:
        with self._file.read() as db:
            db.execute("SELECT count(*) FROM progress").fetchone()
        return f"sqlite {sqlite3.sqlite_version}, {self._file.path}"

    def prepare(self, at: datetime) -> str:
        with self._file.write():
            return "one file for every month, and it can be written"

    def snapshot(self, to: str, name: str, keep: int) -> None:
        self._file.copy(Path(to), name, keep)

    def close(self) -> None:
        self._file.close()

    @contextmanager
    def together(self) -> Iterator[None]:
        with self._file.write():
            yield

    # mentions

    def save_mentions(self, rows: Sequence[StoredMention]) -> Saved:
        return self._change({row.uid: row for row in rows}, merge)

    def delete_mentions(self, uids: Sequence[str]) -> tuple[str, ...]:
        wanted = {uid: uid for uid in uids}
        changed = self._change(wanted, bury)
        return tuple(uid for uid in wanted if uid in {*changed.new, *changed.changed})

    def set_threads(self, threads: Mapping[str, str]) -> None:
        changed = self._change(threads, move)
        if changed.refused:
            bad = changed.refused[0]
            raise StoreRefused(f"thread of mention {bad.id}: {bad.reason}")

    def set_alone(self, uids: Sequence[str], alone: bool) -> None:
        self._change(dict.fromkeys(uids, alone), isolate)

    def _change(
        self,
        wanted: Mapping[str, T],
        decide: Callable[[StoredMention | None, T], StoredMention | None],
    ) -> Saved:
        new: list[str] = []
        changed: list[str] = []
        unchanged: list[str] = []
        refused: list[Refusal] = []
        with self._file.write() as db:
            for uids in batches(list(wanted), BATCH):
                known = self._known(db, uids)
                rows = []
                for uid in uids:
                    stored = known.get(uid)
                    row = decide(stored, wanted[uid])
                    if row is None:
                        unchanged.append(uid)
                        continue
                    try:
                        rows.append(mention_columns(row))
                    except BadRecord as error:
                        refused.append(refusal(uid, error))
                        continue
                    (new if stored is None else changed).append(uid)
                db.executemany("REPLACE INTO mentions VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        return Saved(
            new=tuple(new),
            changed=tuple(changed),
            unchanged=tuple(unchanged),
            refused=tuple(refused),
        )

    def mentions(self, uids: Sequence[str]) -> dict[str, StoredMention]:
        with self._file.read() as db:
            found: dict[str, StoredMention] = {}
            for part in batches(uids, BATCH):
                found |= self._known(db, part)
            return found

    def _known(self, db: sqlite3.Connection, uids: Sequence[str]) -> dict[str, StoredMention]:
        found = db.execute(f"SELECT uid, body FROM mentions WHERE uid IN {GIVEN}", (given(uids),))
        return {uid: _mention(body) for uid, body in found}

    def members(self, threads: Sequence[str], limit: int = 5000) -> list[StoredMention]:
        return self._some_of_each("thread", threads, limit)

    def copies(self, fingerprints: Sequence[str], limit: int = 20_000) -> list[StoredMention]:
        return self._some_of_each("fingerprint", fingerprints, limit)

    def posts_of_customers(self, customers: Sequence[str], limit: int = 500) -> list[StoredMention]:
        return self._some_of_each("customer", customers, limit, "DESC")

    def _some_of_each(
        self, column: str, keys: Sequence[str], limit: int, direction: str = "ASC"
    ) -> list[StoredMention]:
        of_one = (
            f"SELECT created_at, uid, body FROM mentions WHERE {column} = ? "
            f"ORDER BY created_at {direction}, uid {direction} LIMIT ?"
        )
        of_all = (
            "SELECT created_at, uid, body FROM json_each(?) AS asked CROSS JOIN mentions "
            f"WHERE {column} = asked.value LIMIT ?"
        )
        found: list[Any] = []
        with self._file.read() as db:
            for some in batches(list(set(keys)), AT_ONCE):
                rows = db.execute(of_all, (given(some), limit + 1)).fetchall()
                if len(rows) > limit:  # one of them may have too many
                    rows = [row for key in some for row in db.execute(of_one, (key, limit))]
                found += rows
        found.sort(key=lambda row: row[:2])
        return [_mention(body) for _, _, body in found]

    def families(self, keys: Sequence[str]) -> list[Sketch]:
        newest = (
            "SELECT number FROM family_keys WHERE key = asked.value "
            "ORDER BY number DESC LIMIT 1 OFFSET ?"
        )
        statement = (
            "SELECT body FROM families WHERE number IN (SELECT found.number "
            "FROM json_each(?) AS asked CROSS JOIN family_keys AS found "
            f"WHERE found.key = asked.value AND found.number >= coalesce(({newest}), 0))"
        )
        numbers = plain_json(sorted({_integer(key) for key in keys})).decode()
        found = self._rows(statement, numbers, MOST_OF_KEY - 1)
        return sorted((_sketch(body) for (body,) in found), key=lambda one: one.fingerprint)

    def save_families(self, founded: Sequence[Sketch]) -> None:
        keys: list[tuple[int, int | None]] = []
        with self._file.write() as db:
            for one in founded:
                made = db.execute(
                    "INSERT OR IGNORE INTO families (family, body) VALUES (?, ?)",
                    (one.fingerprint, plain_json(one)),
                )
                if made.rowcount == 1:
                    keys += ((_integer(key), made.lastrowid) for key in one.keys)
            # In the order of the table, whose pages are then each visited once.
            db.executemany("INSERT OR IGNORE INTO family_keys VALUES (?, ?)", sorted(keys))

    def drop_families(self, fingerprints: Sequence[str]) -> None:
        with self._file.write() as db:
            numbers = "(SELECT number FROM families WHERE family = ?)"
            for one in fingerprints:
                db.execute(f"DELETE FROM family_keys WHERE number IN {numbers}", (one,))
                db.execute("DELETE FROM families WHERE family = ?", (one,))

    # who

    def save_identities(self, identities: Sequence[Identity]) -> None:
        self._put("identities", [((who.customer,), who) for who in identities])

    def identities(self, customers: Sequence[str]) -> dict[str, Identity]:
        statement = f"SELECT customer, body FROM identities WHERE customer IN {GIVEN}"
        return {
            customer: _identity(body)
            for part in batches(customers, BATCH)
            for customer, body in self._rows(statement, given(part))
        }

    # tickets

    def tickets(self, ids: Sequence[str]) -> dict[str, Versioned]:
        found = self._many(f"WHERE ticket IN {GIVEN}", ids)
        return {one.ticket.ticket: one for one in found}

    def tickets_starting(self, prefix: str, limit: int = 10) -> list[Versioned]:
        where = "WHERE ticket >= ? AND substr(ticket, 1, ?) = ? ORDER BY ticket LIMIT ?"
        return self._tickets(where, prefix, len(prefix), prefix, limit)

    def tickets_of_threads(self, threads: Sequence[str]) -> list[Versioned]:
        inner = f"SELECT ticket FROM ticket_threads WHERE thread IN {GIVEN}"
        every = self._many(f"WHERE ticket IN ({inner})", threads)
        found = {one.ticket.ticket: one for one in every}
        return [found[id] for id in sorted(found)]

    def tickets_of_customers(self, customers: Sequence[str]) -> list[Versioned]:
        found = self._many(f"WHERE customer IN {GIVEN}", sorted(set(customers)))
        return sorted(found, key=lambda one: (one.ticket.opened_at, one.ticket.ticket))

    def _many(self, where: str, keys: Sequence[str]) -> list[Versioned]:
        return [one for part in batches(keys, BATCH) for one in self._tickets(where, given(part))]

    def _tickets(self, where: str, *values: Any) -> list[Versioned]:
        found = self._rows(f"SELECT version, body FROM tickets {where}", *values)
        return [Versioned(ticket=_ticket(body), version=str(version)) for version, body in found]

    def write_tickets(self, writes: Sequence[Write]) -> Written:
        written, conflicts, refused = [], [], []
        with self._file.write() as db:
            for write in writes:
                id = write.ticket.ticket
                try:
                    body, events = ticket_json(write)
                except BadRecord as error:
                    refused.append(refusal(id, error))
                    continue
                if not compare_and_set(db, write, body):
                    conflicts.append(id)
                    continue
                written.append((write, events))
            put_threads_and_events(db, written)
        done = tuple(write.ticket.ticket for write, _ in written)
        return Written(done=done, conflicts=tuple(conflicts), refused=tuple(refused))

    def queue(self, wanted: QueueFilter, after: str | None = None, size: int = 50) -> QueuePage:
        musts, values = conditions(wanted)
        if after is not None:
            priority, due, id = queue_key(after)
            musts.append("(-priority, sla_due, ticket) > (?, ?, ?)")
            values += [-priority, due, id]
        where = f"WHERE {' AND '.join(musts)} " if musts else ""
        order = "ORDER BY -priority, sla_due, ticket LIMIT ?"
        found = self._tickets(where + order, *values, size + 1)
        page = tuple(found[:size])
        return QueuePage(tickets=page, next=cursor(page[-1].ticket) if len(found) > size else None)

    def count(self, wanted: QueueFilter) -> int:
        musts, values = conditions(wanted)
        where = f" WHERE {' AND '.join(musts)}" if musts else ""
        ((found,),) = self._rows(f"SELECT count(*) FROM tickets{where}", *values)
        return int(found)

    def due_for_refresh(self, now: datetime, size: int = 500) -> list[Versioned]:
        where = f"WHERE refresh_at <= ? AND status IN {GIVEN} ORDER BY ticket LIMIT ?"
        return self._tickets(where, micros(now), given(OPEN), size)

    def longest_waiting(self) -> Ticket | None:
        body = "CAST(body AS TEXT)"
        where = f"WHERE {IN_QUEUE} AND json_extract({body}, '$.answered_at') IS NULL "
        order = f"ORDER BY julianday(json_extract({body}, '$.opened_at')), ticket LIMIT 1"
        return next((one.ticket for one in self._tickets(where + order)), None)

    def events(self, ticket: str) -> list[Event]:
        statement = "SELECT body FROM events WHERE ticket = ? ORDER BY at, id"
        return [_event(body) for (body,) in self._rows(statement, ticket)]

    def all_tickets(self) -> Iterator[Ticket]:
        last = ""
        while page := self._tickets("WHERE ticket > ? ORDER BY ticket LIMIT ?", last, BATCH):
            yield from (one.ticket for one in page)
            last = page[-1].ticket.ticket

    # bookkeeping

    def save_ledger(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._put("ledger", [(ledger_key(row), row) for row in rows])

    def save_rejects(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._put("rejects", [((row["id"],), row) for row in rows])

    def _put(self, table: str, rows: Iterable[tuple[tuple[str, ...], Any]]) -> None:
        """Insert or replace; the good rows first, then complain of the first bad one."""
        good, bad = [], []
        for key, row in rows:
            try:
                if len(key) == 1:
                    check_id(key[0])
                good.append((*key, plain_json(row)))
            except BadRecord as error:
                bad.append(f"{table}: {ascii(key[-1])[:80]} {error}")
        with self._file.write() as db:
            if good:
                marks = ", ".join("?" * len(good[0]))
                db.executemany(f"REPLACE INTO {table} VALUES ({marks})", good)
        if bad:
            raise StoreRefused(f"{bad[0]}; the other rows are stored")

    def done(self, stage: Stage, parts: Sequence[str]) -> set[str]:
        statement = f"SELECT part FROM progress WHERE stage = ? AND part IN {GIVEN}"
        return {
            part
            for some in batches(parts, BATCH)
            for (part,) in self._rows(statement, stage, given(some))
        }

    def mark(self, stage: Stage, parts: Sequence[str]) -> None:
        with self._file.write() as db:
            db.executemany("REPLACE INTO progress VALUES (?, ?)", ((stage, part) for part in parts))

    def unmark(self, parts: Sequence[str]) -> None:
        with self._file.write() as db:
            db.executemany("DELETE FROM progress WHERE part = ?", ((part,) for part in parts))

    def publish(self, teams: Mapping[str, str]) -> int:
        return 0

    def counts(self) -> dict[str, int]:
        statements = {
            "mentions": "SELECT count(*) FROM mentions WHERE NOT deleted",
            "deleted": "SELECT count(*) FROM mentions WHERE deleted",
            "tickets": "SELECT count(*) FROM tickets",
            "open": f"SELECT count(*) FROM tickets WHERE status IN {GIVEN}",
            "identities": "SELECT count(*) FROM identities",
            "ledger": "SELECT count(*) FROM ledger",
            "rejects": "SELECT count(*) FROM rejects",
        }
        with self._file.read() as db:
            return {
                name: db.execute(words, (given(OPEN),) if name == "open" else ()).fetchone()[0]
                for name, words in statements.items()
            }

    def _rows(self, statement: str, *values: Any) -> list[Any]:
        with self._file.read() as db:
            return db.execute(statement, values).fetchall()


def _integer(key: str) -> int:
    """A key of 16 hex digits as SQLite's signed integer."""
    return int.from_bytes(bytes.fromhex(key), "big", signed=True)
