"""The SQLite store's one file: opened when first needed, errors in the room's own words."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from triage.errors import StoreRefused
from triage.store.records import outdated
from triage.store.sqlite_rows import translated
from triage.store.sqlite_schema import VERSION, file_of_ours, statements

BUSY_S = 30.0
CACHE_KIB = 64 * 1024
LOG_PAGES = 10_000
"""Pages of the write-ahead log, some 40 MB, that are gathered before they go into the file: what
comes in the order of random ids changes the same pages again and again."""


class Database:
    """A connection that threads share by turns."""

    def __init__(self, path: Path, busy_s: float = BUSY_S) -> None:
        self.path = path
        self._busy_s = busy_s
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None

    def setup(self) -> None:
        """Create the file and its tables, or bring them up to date."""
        with self._errors(), self._lock:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreRefused(
                    f"no database can be made at {self.path} ({error.strerror}): "
                    "choose another folder"
                ) from None
            self.close()
            db = self._connect("rwc")
            try:
                file_of_ours(db, self.path)
                self._log_ahead(db)
                db.execute("BEGIN IMMEDIATE")
                for statement in statements(file_of_ours(db, self.path)):
                    db.execute(statement)
                db.execute("COMMIT")
            except BaseException:
                db.close()
                raise
            self._db = db

    def _log_ahead(self, db: sqlite3.Connection) -> None:
        """Switch to the write-ahead log, for which SQLite itself does not wait its turn."""
        end = time.monotonic() + self._busy_s
        while True:
            try:
                db.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > end:
                    raise
            time.sleep(0.02)

    def close(self) -> None:
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None

    def copy(self, folder: Path, name: str, keep: int) -> None:
        """Keep a copy in a folder, which appears whole or not at all; see `Store.snapshot`."""
        kept = folder / f"{name}.db"
        fresh = folder / f".{name}.db.tmp"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not kept.exists():
                fresh.unlink(missing_ok=True)
                fresh.touch(mode=0o600)
                with self.read() as db, closing(sqlite3.connect(fresh)) as other:
                    db.backup(other)
                fresh.replace(kept)
            for old in outdated(name, (path.stem for path in folder.glob("*.db")), keep):
                (folder / f"{old}.db").unlink()
        except OSError as error:
            raise StoreRefused(
                f"no snapshot can be kept in {folder} ({error.strerror}): choose another folder"
            ) from None

    def _connect(self, mode: str) -> sqlite3.Connection:
        address = f"{self.path.resolve().as_uri()}?mode={mode}"
        db = sqlite3.connect(
            address,
            uri=True,
            timeout=self._busy_s,
            isolation_level=None,
            check_same_thread=False,
        )
        db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        db.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES}")
        return db

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection, for statements that do not change anything."""
        with self._errors(), self._lock:
            if self._db is None:
                if not self.path.exists():
                    raise StoreRefused(f"there is no database at {self.path} yet: set it up first")
                db = self._connect("rw")
                try:
                    if file_of_ours(db, self.path) < VERSION:
                        raise StoreRefused(f"{self.path} is not up to date: set it up first")
                except BaseException:
                    db.close()
                    raise
                self._db = db
            yield self._db

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it or nothing; within another it is a part of that."""
        with self.read() as db:
            inner = db.in_transaction
            db.execute("SAVEPOINT inner_one" if inner else "BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("RELEASE inner_one" if inner else "COMMIT")
            except BaseException:
                if db.in_transaction:  # some errors have rolled back already
                    db.execute("ROLLBACK TO inner_one" if inner else "ROLLBACK")
                raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except UnicodeEncodeError:
            raise StoreRefused("half a surrogate pair is no text: look at its source") from None
        except sqlite3.Error as error:
            raise translated(error, self.path) from error
