"""Tables of the SQLite store, and whose file it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from triage.errors import StoreRefused

VERSION = 5
_OURS = 0x4F757463  # "Outc"

# Times are microseconds since 1970; ``body`` is the whole record as JSON.
FIRST = (
    f"PRAGMA application_id = {_OURS}",
    "CREATE TABLE mentions (uid TEXT PRIMARY KEY, thread TEXT NOT NULL, "
    "fingerprint TEXT NOT NULL, customer TEXT, created_at INTEGER NOT NULL, "
    "deleted INTEGER NOT NULL, body BLOB NOT NULL)",
    "CREATE INDEX mentions_by_thread ON mentions (thread, created_at, uid)",
    "CREATE INDEX mentions_by_fingerprint ON mentions (fingerprint, created_at, uid)",
    "CREATE INDEX mentions_by_customer ON mentions (customer, created_at, uid)",
    "CREATE TABLE identities (customer TEXT PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE tickets (ticket TEXT PRIMARY KEY, version INTEGER NOT NULL, "
    "status TEXT NOT NULL, tier TEXT NOT NULL, sla_due INTEGER NOT NULL, "
    "priority INTEGER NOT NULL, department TEXT, source TEXT NOT NULL, customer TEXT NOT NULL, "
    "refresh_at INTEGER, lease_until INTEGER, body BLOB NOT NULL)",
    "CREATE INDEX tickets_as_queue ON tickets (tier, sla_due, -priority, ticket)",
    "CREATE INDEX tickets_by_customer ON tickets (customer)",
    "CREATE INDEX tickets_to_refresh ON tickets (refresh_at) WHERE refresh_at IS NOT NULL",
    "CREATE TABLE ticket_threads (thread TEXT, ticket TEXT, PRIMARY KEY (thread, ticket)) "
    "WITHOUT ROWID",
    "CREATE INDEX threads_of_ticket ON ticket_threads (ticket)",
    "CREATE TABLE events (id TEXT PRIMARY KEY, ticket TEXT NOT NULL, at INTEGER NOT NULL, "
    "body BLOB NOT NULL)",
    "CREATE INDEX events_of_ticket ON events (ticket, at, id)",
    "CREATE TABLE ledger (source TEXT, target TEXT, window TEXT, body BLOB NOT NULL, "
    "PRIMARY KEY (source, target, window))",
    "CREATE TABLE rejects (id TEXT PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE progress (stage TEXT, part TEXT, PRIMARY KEY (part, stage)) WITHOUT ROWID",
)
IN_QUEUE = "status IN ('new', 'claimed', 'waiting', 'reopened')"
"""`triage.ticket.WAITING`, as a partial index and the queries that are to use it say it."""

SECOND = (
    "ALTER TABLE tickets RENAME COLUMN lease_until TO free_from",
    f"CREATE INDEX tickets_waiting ON tickets (tier, sla_due, -priority, ticket) WHERE {IN_QUEUE}",
    "CREATE TABLE families (number INTEGER PRIMARY KEY, family TEXT UNIQUE, body BLOB NOT NULL)",
    "CREATE TABLE family_keys (key INTEGER, number INTEGER, PRIMARY KEY (key, number)) "
    "WITHOUT ROWID",
)
THIRD = (
    "DROP INDEX tickets_as_queue",
    "DROP INDEX tickets_waiting",
    "CREATE INDEX tickets_as_queue ON tickets (-priority, sla_due, ticket)",
    f"CREATE INDEX tickets_waiting ON tickets (-priority, sla_due, ticket) WHERE {IN_QUEUE}",
)
AGENT = "json_extract(CAST(body AS TEXT), '$.handling.agent')"
"""Who has a ticket; in these words, or the index of what agents have is not used."""

FOURTH = (
    "DROP INDEX tickets_waiting",
    # Everything that the queue is filtered by, so that what does not fit is never read.
    "CREATE INDEX tickets_waiting ON tickets (-priority, sla_due, ticket, status, tier, source, "
    f"department, free_from) WHERE {IN_QUEUE}",
    f"CREATE INDEX tickets_of_agent ON tickets ({AGENT}) WHERE {AGENT} IS NOT NULL",
)
FIFTH = (
    "CREATE TABLE vectors (uid TEXT PRIMARY KEY, model TEXT NOT NULL, scale REAL NOT NULL, "
    "vector BLOB NOT NULL)",
    # A row is written by REPLACE, so a new one is there in full, and the old one can be seen.
    "CREATE TRIGGER vectors_of_changed BEFORE INSERT ON mentions "
    "WHEN EXISTS (SELECT 1 FROM vectors WHERE uid = NEW.uid) BEGIN "
    "DELETE FROM vectors WHERE uid = NEW.uid AND (NEW.deleted OR NOT EXISTS (SELECT 1 FROM "
    "mentions AS old WHERE old.uid = NEW.uid AND "
    "json_extract(CAST(old.body AS TEXT), '$.content_hash') = "
    "json_extract(CAST(NEW.body AS TEXT), '$.content_hash'))); END",
)
STEPS = (FIRST, SECOND, THIRD, FOURTH, FIFTH)
"""What brings a file of each version to the next."""


def statements(version: int) -> list[str]:
    """What brings a file of this version up to date."""
    made = [statement for step in STEPS[version:] for statement in step]
    return [*made, f"PRAGMA user_version = {VERSION}"] if made else []


def file_of_ours(db: sqlite3.Connection, path: Path) -> int:
    """Version of the tables in the file; 0 for a new one.

    Raises:
        StoreRefused: if it is another program's database, or of a newer version.
    """
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    owner: int = db.execute("PRAGMA application_id").fetchone()[0]
    empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if owner != _OURS and not (empty and version == 0):
        raise StoreRefused(f"{path} is the database of another program: choose another path")
    if version > VERSION:
        raise StoreRefused(f"{path} was written by a newer Outcry: upgrade this one")
    return version
