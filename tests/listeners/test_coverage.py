"""The ledger as a table, and the silence of those that used to speak."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listeners.coverage import coverage, silences
from listeners.landing import Landing, window_name
from listeners.ledger import LedgerRow, write_row

START = datetime(2026, 11, 19, 23, 30, tzinfo=UTC)
NOW = START + timedelta(days=1)


def note(landing: Landing, number: int, *, target: str = "one", **fields: Any) -> None:
    """The row of a window, a quarter of an hour each."""
    at = START + number * timedelta(minutes=15)
    given: dict[str, Any] = {"outcome": "ok", "started_at": at, "finished_at": at, **fields}
    row = LedgerRow(
        source="fake", target=target, window=window_name(at), listener="fake/1", **given
    )
    write_row(landing, row)


def test_counts_are_added_up_by_day_and_month(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    for number in range(4):
        note(landing, number, got=5, new=3, duplicate=1, rejected=1, cut_off=number == 3)
    first, second = coverage(landing, "day")
    assert (first.period, first.asked, first.received, first.new) == ("2026-11-19", 2, 10, 6)
    assert (second.period, second.cut_off, second.answered) == ("2026-11-20", 1, 2)
    (month,) = coverage(landing, "month", "2026-11")
    assert (month.asked, month.received, month.duplicate, month.rejected) == (4, 20, 4, 4)
    assert [line.period for line in coverage(landing, "month", "2026-11", by="day")] == [
        "2026-11-19",
        "2026-11-20",
    ]
    assert coverage(landing, "day", "2026-11-21") == []


def test_what_is_missing_is_said_with_its_reason_once(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    for number in range(2):
        note(landing, number, outcome="failed", error="no key: set it", error_class="AuthFailed")
    note(landing, 1, target="two", gaps=("the listing ends early",))
    note(
        landing,
        0,
        target="three",
        outcome="partial",
        error="wait",
        error_class="RateLimited",
        retry_at=START,
    )
    one, three, two = coverage(landing, "day")
    assert (one.asked, one.answered, one.missing) == (2, 0, ("AuthFailed: no key: set it",))
    assert (two.answered, two.missing) == (1, ("the listing ends early",))
    assert (three.answered, three.missing) == (0, ())


@pytest.mark.parametrize(
    ("history", "alarmed"),
    [
        ("xxxxxxxx.", True),
        ("xxxxxxx.", False),
        ("xxxxxxxx", False),
        ("xxxx.xxxx...", False),
        ("xxxx.xxxx....", True),
        ("xxxx...xxxx....", False),
        ("xxxxxxxx..x", False),
        ("........", False),
    ],
)
def test_a_silence_longer_than_any_before_is_alarming(
    tmp_path: Path, history: str, alarmed: bool
) -> None:
    for number, heard in enumerate(history):
        count = int(heard == "x")
        note(Landing(tmp_path), number, got=count, new=count)
    assert bool(silences(Landing(tmp_path), NOW)) == alarmed


def test_a_source_that_repeats_itself_for_ever_is_silent_too(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    for number in range(12):
        note(landing, number, got=9, new=int(number < 10))
    (alert,) = silences(landing, NOW)
    assert alert.words.startswith("sends nothing new in 2 windows, was never silent before")
    assert alert.since == window_name(START + timedelta(minutes=150))


def test_a_failure_is_no_silence(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    for number in range(9):
        note(landing, number, got=1, new=1)
    note(landing, 9, outcome="failed", error="x", error_class="Transient")
    assert silences(landing, NOW) == []


def test_what_may_well_find_nothing_is_no_silence(tmp_path: Path) -> None:
    for number in range(10):
        note(Landing(tmp_path), number, target="one.recheck", got=int(number < 8))
    assert silences(Landing(tmp_path), NOW) == []


def test_only_the_ledger_of_the_period_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = Landing(tmp_path)
    for number in range(0, 400, 10):
        note(landing, number, got=1, new=1, quota_left=900 - number)
    note(landing, 0, target="two")
    write_row(landing, _imported(START + timedelta(days=1)))
    opened: list[str] = []
    read = Landing.read_document

    def reading(self: Landing, name: str) -> bytes | None:
        opened.append(name)
        return read(self, name)

    monkeypatch.setattr(Landing, "read_document", reading)
    one, imported = coverage(landing, "day", "2026-11-20")
    assert (one.target, one.asked, one.quota_left, imported.target) == ("one", 9, 810, "file")
    assert len(opened) == 10
    opened.clear()
    assert silences(landing, START + timedelta(days=70)) == []
    assert opened == []


def _imported(at: datetime) -> LedgerRow:
    return LedgerRow(
        source="import",
        target="file",
        window="import-of-a-file",
        listener="import/1",
        outcome="ok",
        started_at=at,
        finished_at=at,
    )
