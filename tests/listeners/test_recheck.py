"""Recent mentions are asked for again: what is gone is a deletion, what changed a version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from listeners.contract import Budget, Known, Page, Target
from listeners.errors import RateLimited
from listeners.landing import Landing
from listeners.ledger import LedgerRow
from listeners.mention import Deletion, Mention
from listeners.recheck import recheck
from listeners.run import collect
from tests.listeners.fakes import (
    NOW,
    TARGET,
    CrashError,
    CrashingLanding,
    FakeListener,
    budget,
    mention,
    stored,
    stored_texts,
)


class Asked(FakeListener):
    """A network that says what it still shows, two items at a time."""

    recheck_batch: ClassVar[int] = 2
    recheck_age: ClassVar[timedelta] = timedelta(days=7)

    def __init__(self, shown: dict[str, str]) -> None:
        super().__init__(lambda state: ())
        self.shown = shown
        self.batches: list[list[str]] = []
        self.fails_after = 99

    def recheck(
        self, batch: Sequence[Known], target: Target, budget: Budget
    ) -> Iterable[Mention | Deletion]:
        """Those that are not shown are gone."""
        if len(self.batches) >= self.fails_after:
            raise RateLimited("wait", NOW + timedelta(hours=1))
        self.batches.append([known.native_id for known in batch])
        for known in batch:
            if known.native_id in self.shown:
                text = self.shown[known.native_id]
                yield mention(known.native_id, text, created_at=known.created_at)
            else:
                yield Deletion(source="fake", native_id=known.native_id, seen_at=budget.now)


def heard(root: Path, count: int = 5) -> Landing:
    """A landing zone with so many posts, an hour apart, and one that is too old."""
    landing = Landing(root)
    posts = [
        mention(str(n), f"post {n}", created_at=NOW - timedelta(hours=count - n))
        for n in range(count)
    ]
    old = mention("old", created_at=NOW - timedelta(days=8))
    pages = FakeListener(lambda state: [Page(items=[old, *posts], state={}, done=True)])
    collect(pages, TARGET, landing, "20260102T110000Z", budget())
    return landing


def again(landing: Landing, asked: Asked, window: str = "w2", pages: int = 100) -> LedgerRow:
    """One recheck."""
    row = recheck(asked, TARGET, landing, window, budget(pages))
    assert row is not None
    return row


def test_what_is_gone_is_deleted_and_what_changed_is_a_version(tmp_path: Path) -> None:
    landing = heard(tmp_path)
    asked = Asked({"0": "post 0", "1": "post 1", "3": "post 3, edited", "4": "post 4"})
    row = again(landing, asked)
    assert asked.batches == [["0", "1"], ["2", "3"], ["4"]]
    assert (row.target, row.outcome, row.deleted, row.changed) == ("one.recheck", "ok", 1, 1)
    assert row.new == 0
    (gone,) = [record for record in stored(landing) if isinstance(record, Deletion)]
    assert gone.native_id == "2"
    assert "post 3, edited" in stored_texts(landing)


def test_what_is_known_to_be_gone_is_not_asked_for_again(tmp_path: Path) -> None:
    landing = heard(tmp_path)
    asked = Asked({n: f"post {n}" for n in "0134"})
    again(landing, asked)
    row = again(landing, asked, "w3")
    assert asked.batches[3:] == [["0", "1"], ["3", "4"]]
    assert (row.new, row.changed, row.deleted) == (0, 0, 0)


def test_one_that_is_cut_short_goes_on(tmp_path: Path) -> None:
    landing = heard(tmp_path)
    asked = Asked({})
    assert again(landing, asked, pages=1).cut_off
    asked.fails_after = 2
    row = again(landing, asked, "w3")
    assert (row.outcome, row.error_class) == ("partial", "RateLimited")
    asked.fails_after = 99
    again(landing, asked, "w4")
    assert asked.batches == [["0", "1"], ["2", "3"], ["4"]]
    assert sum(isinstance(record, Deletion) for record in stored(landing)) == 5


def test_killed_at_any_step_each_deletion_is_stored_once(in_memory: Path) -> None:
    for step in range(40):
        root = in_memory / str(step)
        landing = heard(root)
        with suppress(CrashError):
            again(CrashingLanding(root, step), Asked({}))
        again(landing, Asked({}), "w3")
        again(landing, Asked({}), "w4")
        gone = [r.native_id for r in stored(landing) if isinstance(r, Deletion)]
        assert sorted(gone) == ["0", "1", "2", "3", "4"], step


def test_a_source_that_cannot_be_asked_is_left_alone(tmp_path: Path) -> None:
    quiet = FakeListener(lambda state: ())
    assert recheck(quiet, TARGET, Landing(tmp_path), "w", budget()) is None
