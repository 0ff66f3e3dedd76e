"""From records to columns, conditions and error classes of the SQLite store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from triage.errors import StoreError, StoreRefused, StoreUnavailable
from triage.store.base import QueueFilter, StoredMention, Write
from triage.store.records import is_text, mention_json, micros
from triage.store.sqlite_schema import AGENT, IN_QUEUE
from triage.ticket import WAITING

# Takes one parameter, a JSON list: no statement grows with the number of values.
GIVEN = "(SELECT value FROM json_each(?))"


def given(values: Iterable[Any]) -> str:
    """The parameter of ``GIVEN``; a value that is no valid Unicode is in no database."""
    every = list(values)
    try:
        return msgspec.json.encode(every).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode([value for value in every if is_text(value)]).decode()


def mention_columns(row: StoredMention) -> tuple[Any, ...]:
    """Raises `triage.store.records.BadRecord` for a row that cannot be kept as it is."""
    body = mention_json(row)
    at = micros(row.created_at)
    return row.uid, row.thread, row.fingerprint, row.customer, at, row.deleted, body


def compare_and_set(db: sqlite3.Connection, write: Write, body: bytes) -> bool:
    """Whether the ticket still had the version that the write names, and so is written."""
    ticket, handling = write.ticket, write.ticket.handling
    columns: dict[str, Any] = {
        "status": handling.status,
        "tier": ticket.tier,
        "sla_due": micros(ticket.sla_due),
        "priority": ticket.priority,
        "department": ticket.department,
        "source": ticket.source,
        "customer": ticket.customer,
        "refresh_at": _micros(ticket.refresh_at),
        "free_from": _micros(ticket.free_from),
        "body": body,
        "ticket": ticket.ticket,
    }
    if write.version is None:
        marks = ", ".join("?" * len(columns))
        insert = f"INSERT OR IGNORE INTO tickets ({', '.join(columns)}, version)"
        return db.execute(f"{insert} VALUES ({marks}, 1)", (*columns.values(),)).rowcount == 1
    settings = ", ".join(f"{name} = ?" for name in columns if name != "ticket")
    update = f"UPDATE tickets SET {settings}, version = version + 1 WHERE ticket = ?"
    values = (*columns.values(), write.version)
    return db.execute(f"{update} AND CAST(version AS TEXT) = ?", values).rowcount == 1


def put_threads_and_events(
    db: sqlite3.Connection, written: Sequence[tuple[Write, list[bytes]]]
) -> None:
    """What stands beside the tickets that were written, each with its events as JSON."""
    db.executemany(
        "DELETE FROM ticket_threads WHERE ticket = ?",
        ((write.ticket.ticket,) for write, _ in written),
    )
    db.executemany(
        "INSERT OR IGNORE INTO ticket_threads VALUES (?, ?)",
        ((thread, write.ticket.ticket) for write, _ in written for thread in write.ticket.threads),
    )
    db.executemany(
        "INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?)",
        (
            (event.id, write.ticket.ticket, micros(event.at), body)
            for write, events in written
            for event, body in zip(write.events, events, strict=True)
        ),
    )


def conditions(wanted: QueueFilter) -> tuple[list[str], list[Any]]:
    """What a ticket must fulfil, and the values of the question marks."""
    found: list[str] = []
    values: list[Any] = []
    if wanted.statuses and set(wanted.statuses) <= set(WAITING):
        found.append(IN_QUEUE)  # in these words, or the index of the queue is not used
    for column, chosen in (
        ("status", () if set(wanted.statuses) == set(WAITING) else wanted.statuses),
        ("source", wanted.sources),
        ("tier", wanted.tiers),
    ):
        if chosen:
            found.append(f"{column} IN {GIVEN}")
            values.append(given(chosen))
    if wanted.departments:
        either = [f"department IN {GIVEN}"]
        values.append(given(name for name in wanted.departments if name is not None))
        if None in wanted.departments:
            either.append("department IS NULL")
        found.append(f"({' OR '.join(either)})")
    if wanted.languages:
        found.append(f"json_extract(CAST(body AS TEXT), '$.language') IN {GIVEN}")
        values.append(given(wanted.languages))
    if wanted.agent is not None:
        found.append(f"{AGENT} = ?")
        values.append(wanted.agent)
    if wanted.due_before is not None:
        found.append("sla_due < ?")
        values.append(micros(wanted.due_before))
    if wanted.free_at is not None:
        found.append("(free_from IS NULL OR free_from <= ?)")
        values.append(micros(wanted.free_at))
    return found, values


def _micros(at: datetime | None) -> int | None:
    return None if at is None else micros(at)


def translated(error: sqlite3.Error, path: Path) -> StoreError:
    """What an error of the driver means, and what to do about it."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreUnavailable(f"{path} is locked by another process: run again when it is done")
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return StoreRefused(f"{path} is damaged or no SQLite database: restore it or move it away")
    if name.startswith("SQLITE_FULL"):
        return StoreRefused(f"the disk of {path} is full: make room, then run again")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return StoreRefused(f"{path} cannot be opened for writing ({error}): check path and rights")
    return StoreRefused(f"{path}: {error}")
