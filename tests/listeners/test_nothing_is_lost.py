"""Whatever happens between listening and storing, each item is stored once.

A source that grows, edits and misbehaves, runs that are cut short, killed at any step of
writing, repeated, or moved to another window: in the end every item is in the landing
zone, no version twice, every malformed item is rejected once, and the books agree.
"""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from listeners.contract import Budget, Listener
from listeners.landing import Landing
from listeners.ledger import rows
from listeners.run import collect
from listeners.state import load
from tests.listeners.fakes import IN_MEMORY, TARGET, CrashError, CrashingLanding, rejected, stored
from tests.listeners.in_memory import Item, NewestFirst, OldestFirst


class NothingIsLost(RuleBasedStateMachine):
    """The world, seen from outside: what the source showed, and what is stored."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(dir=IN_MEMORY)
        self.root = Path(self._folder.name)
        self.now = datetime(2026, 1, 2, tzinfo=UTC)
        self.items: list[Item] = []
        self.windows = ["w0"]

    @abstractmethod
    def listener(self, page_size: int) -> Listener:
        """The source's listener."""

    @rule(
        ages=st.lists(st.integers(0, 540), min_size=1, max_size=6),
        malformed=st.integers(0, 5),
    )
    def items_arrive(self, ages: list[int], malformed: int) -> None:
        """Some arrive at once, others late, several with the same time."""
        for number, age in enumerate(ages):
            self._arrives(self.now - timedelta(seconds=age - age % 60), number == malformed)

    @rule(years=st.integers(1, 9))
    def an_item_comes_from_the_future(self, years: int) -> None:
        """A clock that is years ahead must not move anything."""
        self._arrives(self.now + timedelta(days=365 * years), False)

    @rule(which=st.integers(0, 1000))
    def an_item_is_edited(self, which: int) -> None:
        """The same item, other words."""
        if self.items:
            item = self.items[which % len(self.items)]
            item["text"] += "!"

    @rule(seconds=st.integers(1, 3000))
    def time_passes(self, seconds: int) -> None:
        """Minutes, not always enough to leave the overlap."""
        self.now += timedelta(seconds=seconds)

    @rule(
        pages=st.integers(1, 4),
        page_size=st.integers(1, 4),
        dies_at=st.none() | st.integers(0, 40),
        window=st.integers(0, 3),
    )
    def a_run(self, pages: int, page_size: int, dies_at: int | None, window: int) -> None:
        """Cut short by its budget or by its death, in a new window or an old one."""
        if window == 0:
            self.windows.append(f"w{len(self.windows)}")
        name = self.windows[-1] if window < 3 else self.windows[0]
        landing = CrashingLanding(self.root, dies_at)
        with suppress(CrashError):
            self._run(landing, name, pages, page_size)

    @invariant()
    def no_version_is_stored_twice(self) -> None:
        """Neither records nor rejects."""
        landing = Landing(self.root)
        versions = [(record.uid, record.content_hash) for record in stored(landing)]
        assert len(versions) == len(set(versions))
        rejects = [reject.id for reject in rejected(landing)]
        assert len(rejects) == len(set(rejects))

    def teardown(self) -> None:
        """Let it run undisturbed: now everything has to be there."""
        try:
            self._drain()
            self._check()
        finally:
            self._folder.cleanup()

    def _drain(self) -> None:
        landing = Landing(self.root)
        for _ in range(2):  # The second time sees what came after a walk had begun.
            row = self._run(landing, self.windows[-1], 10_000, 3)
            assert row.outcome == "ok", row

    def _check(self) -> None:
        landing = Landing(self.root)
        self.no_version_is_stored_twice()
        good = {str(item["id"]) for item in self.items if not item["malformed"]}
        bad = sorted(item["id"] for item in self.items if item["malformed"])
        assert {record.native_id for record in stored(landing)} == good
        assert {r.raw["id"] for r in rejected(landing)} == set(bad)
        books = list(rows(landing))
        for row in books:
            on_disk = stored(landing, row.window)
            assert row.new + row.changed == len(on_disk), row
            assert row.rejected == len(rejected(landing, row.window)), row
        assert sum(row.new for row in books) == len(good)
        assert sum(row.new + row.changed for row in books) == len(stored(landing))
        assert not list(self.root.rglob("*.tmp"))

    def _run(self, landing: Landing, window: str, pages: int, page_size: int) -> Any:
        budget = Budget(max_pages=pages, now=self.now)
        return collect(
            self.listener(page_size), TARGET, landing, window, budget, clock=lambda: self.now
        )

    def _arrives(self, at: datetime, malformed: bool) -> None:
        number = len(self.items)
        self.items.append(
            {"id": number, "at": at.isoformat(), "text": f"item {number}", "malformed": malformed}
        )


class NothingIsLostNewestFirst(NothingIsLost):
    """Of a source that lists the newest first."""

    def listener(self, page_size: int) -> Listener:
        """A walk down."""
        return NewestFirst(self.items, page_size)


class NothingIsLostOldestFirst(NothingIsLost):
    """Of a source that lists the oldest first."""

    def listener(self, page_size: int) -> Listener:
        """A walk up."""
        return OldestFirst(self.items, page_size)


_SETTINGS = settings(
    max_examples=60,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

TestNewestFirst = NothingIsLostNewestFirst.TestCase
TestNewestFirst.settings = _SETTINGS
TestOldestFirst = NothingIsLostOldestFirst.TestCase
TestOldestFirst.settings = _SETTINGS


def test_an_overlap_longer_than_a_run_holds_nothing_up(in_memory: Path) -> None:
    """Each run hears what is new, comes to an end, and late arrivals of the overlap are heard."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    items: list[Item] = []

    def arrives(age: float) -> None:
        at = (now - timedelta(seconds=age)).isoformat()
        number = len(items)
        items.append({"id": number, "at": at, "text": f"item {number}", "malformed": False})

    for age in range(590, 0, -5):  # 118 items in the overlap of ten minutes, 24 pages of five
        arrives(age)
    landing, cut_off, marks = Landing(in_memory), [], set()
    heard: set[str] = set()
    for number in range(120):
        now += timedelta(seconds=30)
        arrives(1)
        fresh = len(items) - 1
        if number % 7 == 0:
            arrives(500)
        budget = Budget(max_pages=4, now=now)
        row = collect(NewestFirst(items, 5), TARGET, landing, f"w{number:03}", budget)
        assert row.error is None
        heard |= {record.native_id for record in stored(landing, row.window)}
        cut_off.append(row.cut_off)
        if number > 10:
            assert str(fresh) in heard, "what is new waits for nothing"
        state = load(landing, TARGET)
        assert state is not None
        assert state.state is not None
        marks.add(state.state["watermark"])
    assert not any(cut_off[10:])
    assert len(marks) > 20, "walks come to their end"
    missing = {str(item["id"]) for item in items[:-30]} - heard
    assert missing == set()
    records = [record.uid for record in stored(landing)]
    assert len(records) == len(set(records))


def test_a_source_that_sends_almost_as_much_as_a_run_takes_is_heard_at_once_and_whole(
    in_memory: Path,
) -> None:
    """News go first, what is read again goes on by a page a run, and being behind is said."""
    now = datetime(2026, 1, 2, tzinfo=UTC)
    items: list[Item] = []
    landing, cut_off = Landing(in_memory), []
    for number in range(200):
        now += timedelta(seconds=30)
        for age in range(8):
            at = (now - timedelta(seconds=age)).isoformat()
            items.append({"id": len(items), "at": at, "text": "x", "malformed": False})
        if number == 60:
            at = (now - timedelta(seconds=400)).isoformat()
            items.append({"id": len(items), "at": at, "text": "late", "malformed": False})
        budget = Budget(max_pages=3, now=now)
        row = collect(NewestFirst(items, 5), TARGET, landing, f"w{number:03}", budget)
        assert row.error is None
        cut_off.append(row.cut_off)
    heard = {record.native_id for record in stored(landing)}
    assert {str(item["id"]) for item in items} - heard == set()
    assert any(cut_off[60:]), "it is behind with reading again"
    assert not all(cut_off)


def test_an_overlap_longer_than_the_memory_stores_nothing_twice(in_memory: Path) -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    items: list[Item] = [
        {"id": n, "at": now.isoformat(), "text": f"{n}", "malformed": False} for n in range(3000)
    ]
    landing = Landing(in_memory)
    for number in range(7):
        items.append({**items[0], "id": 3000 + number, "text": "late"})
        budget = Budget(max_pages=9, now=now)
        collect(NewestFirst(items, 100), TARGET, landing, f"w{number}", budget)
    collect(NewestFirst(items, 100), TARGET, landing, "last", Budget(max_pages=999, now=now))
    row = collect(NewestFirst(items, 100), TARGET, landing, "last", Budget(max_pages=999, now=now))
    assert row.duplicate >= 3000
    assert sorted(int(record.native_id) for record in stored(landing)) == list(range(3007))
