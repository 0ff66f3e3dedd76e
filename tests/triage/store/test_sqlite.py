"""What is particular to the SQLite store: its file, its neighbours, its errors."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.triage.store.samples import mention, new
from triage.errors import StoreError, StoreRefused, StoreUnavailable
from triage.store.sqlite import SqliteStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder that is not there yet" / "outcry?#%.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path, busy_s=0.2)
    store.setup()
    yield store
    store.close()


def _refused(path: Path, error: type[StoreError] = StoreRefused) -> str:
    store = SqliteStore(path, busy_s=0.1)
    with pytest.raises(error) as caught:
        store.setup()
    with pytest.raises(StoreError):
        store.check()
    store.close()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    assert str(tmp_path) in _refused(tmp_path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "choose another folder" in _refused(tmp_path / "file" / "outcry.db")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "outcry.db"
    path.write_text("nothing that SQLite knows. " * 99)
    assert "damaged" in _refused(path)
    assert path.read_text().startswith("nothing")


def test_a_file_that_breaks_later_is_refused(path: Path, store: SqliteStore) -> None:
    store.save_mentions([mention(f"m{n}") for n in range(2000)])
    store.close()
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 8192 - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreRefused, match="damaged"):
        store.mentions([f"m{n}" for n in range(2000)])


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    assert "another program" in _refused(path)
    assert path.read_bytes() == before


def test_a_newer_database_is_refused(path: Path, store: SqliteStore) -> None:
    store.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    assert "upgrade" in _refused(path)


def test_a_database_that_was_never_set_up_is_refused_and_not_made(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "outcry.db")
    with pytest.raises(StoreRefused, match="set it up first"):
        store.counts()
    with pytest.raises(StoreRefused, match="set it up first"):
        store.save_mentions([mention()])
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "outcry.db"
    path.touch()
    store = SqliteStore(path)
    with pytest.raises(StoreRefused, match="not up to date"):
        store.counts()
    store.setup()
    assert store.counts()["mentions"] == 0
    store.close()


def test_a_writer_who_does_not_end_makes_the_store_unavailable(
    path: Path, store: SqliteStore
) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            store.save_mentions([mention()])
        assert store.mentions(["m1"]) == {}
    assert store.save_mentions([mention()]).new == ("m1",)


def test_half_a_call_is_never_stored(path: Path, store: SqliteStore) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(
            "CREATE TRIGGER full BEFORE INSERT ON tickets WHEN new.ticket = 'T-2' "
            "BEGIN SELECT RAISE(ROLLBACK, 'the disk broke'); END"
        )
    with pytest.raises(StoreRefused, match="the disk broke"):
        store.write_tickets([new("T-1"), new("T-2")])
    assert store.counts()["tickets"] == 0
    assert store.write_tickets([new("T-1")]).done == ("T-1",)


_WRITER = """
import sys
from pathlib import Path
from tests.triage.store.samples import event, mention, new
from triage.store.sqlite import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
for n in range(10_000):
    store.save_mentions([mention(f"{n}-{i}") for i in range(10)])
    store.write_tickets([new(f"T-{n}", *(event(f"T-{n}", key=str(i)) for i in range(3)))])
    print(n, flush=True)
"""


def test_a_killed_process_leaves_whole_calls_only(path: Path, store: SqliteStore) -> None:
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.strip() == "25":
                os.kill(child.pid, signal.SIGKILL)
                break
        acknowledged = 26 + len(child.stdout.readlines())
    counts = store.counts()
    assert counts["mentions"] % 10 == 0
    assert acknowledged <= counts["tickets"] <= acknowledged + 1
    assert counts["mentions"] // 10 - counts["tickets"] in (0, 1)
    for ticket in store.all_tickets():
        assert len(store.events(ticket.ticket)) == 3


def test_what_is_written_together_is_seen_by_others_at_the_end_or_never(
    path: Path, store: SqliteStore
) -> None:
    with closing(SqliteStore(path)) as other:
        with store.together():
            store.save_mentions([mention("1")])
            # It stores the good row before it complains, and what was written before it stays.
            with pytest.raises(StoreRefused, match="the other rows are stored"):
                store.save_rejects([{"id": "good"}, {"id": ""}])
            store.mark("folded", ["part"])
            assert store.counts()["rejects"] == 1
            assert other.counts()["mentions"] == 0
        assert other.counts()["mentions"] == other.counts()["rejects"] == 1
        with pytest.raises(StoreUnavailable):
            _interrupted(store)
        assert other.counts()["mentions"] == store.counts()["mentions"] == 1
        store.save_mentions([mention("2")])
        assert other.counts()["mentions"] == 2


def _interrupted(store: SqliteStore) -> None:
    with store.together():
        store.save_mentions([mention("2")])
        raise StoreUnavailable("in the middle")
