"""The books of what was asked and got."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from listeners.errors import LandingError
from listeners.landing import Landing
from listeners.ledger import LedgerRow, read_row, rows, write_row
from tests.listeners.fakes import NOW

ROW = LedgerRow(
    source="rss",
    target="one",
    window="w1",
    listener="rss/1",
    outcome="ok",
    new=3,
    gaps=("a hole",),
    started_at=NOW,
    finished_at=NOW,
)


def test_a_row_is_read_as_it_was_written(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    assert read_row(landing, "rss", "w1", "one") is None
    assert write_row(landing, ROW) == ROW
    assert read_row(landing, "rss", "w1", "one") == ROW


def test_a_row_that_differs_in_its_times_only_is_left_as_it_was(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    write_row(landing, ROW)
    later = msgspec.structs.replace(ROW, finished_at=NOW + timedelta(hours=1))
    assert write_row(landing, later) == ROW
    changed = msgspec.structs.replace(later, new=4)
    assert write_row(landing, changed) == changed
    assert list(rows(landing)) == [changed]


def test_rows_are_listed_by_source_and_window(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    assert list(rows(landing)) == []
    made = [
        msgspec.structs.replace(ROW, source=source, window=window)
        for source in ("mastodon", "rss")
        for window in ("w1", "w2")
    ]
    for row in reversed(made):
        write_row(landing, row)
    assert list(rows(landing)) == made
    assert list(rows(landing, window="w2")) == [made[1], made[3]]
    assert list(rows(landing, source="rss")) == made[2:]


def test_a_damaged_row_is_named(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    write_row(landing, ROW)
    (tmp_path / "ledger/source=rss/window=w1/target=one.json").write_bytes(b"{}")
    with pytest.raises(LandingError, match=r"target=one\.json is damaged"):
        list(rows(landing))
