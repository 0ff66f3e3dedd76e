"""One target, one window: what is stored, what the books say, and what errors become."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from listeners.contract import Budget, Page, Reject, Traits
from listeners.errors import (
    AuthFailed,
    LandingError,
    ListenerError,
    QuotaExhausted,
    RateLimited,
    Transient,
)
from listeners.landing import RAW, REJECTS, Landing
from listeners.ledger import LedgerRow, read_row
from listeners.mention import Deletion, Mention
from listeners.run import MAX_LINE, collect
from listeners.state import load
from tests.listeners.fakes import (
    NOW,
    TARGET,
    CrashError,
    CrashingLanding,
    FakeListener,
    budget,
    mention,
    reject,
    rejected,
    snapshot,
    stored,
    stored_texts,
)

Collect = Callable[..., LedgerRow]


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    """An empty landing zone."""
    return Landing(tmp_path / "landing")


def run(
    landing: Landing, *pages: Page | Exception, window: str = "w1", **options: Any
) -> LedgerRow:
    """Collect these pages; an exception among them is raised there."""

    def yields(state: Any) -> Iterator[Page]:
        for page in pages:
            if isinstance(page, Exception):
                raise page
            yield page

    given = {"budget": budget(), "clock": lambda: NOW, **options}
    return collect(FakeListener(yields), TARGET, landing, window, **given)


def page(*items: Any, rejects: Iterable[Reject] = (), done: bool = True, **fields: Any) -> Page:
    """A page whose state is its first item, so that each page moves it."""
    state = {"at": items[0].native_id} if items else {"at": None}
    return Page(items=items, rejects=tuple(rejects), done=done, **{"state": state, **fields})


def state_of(landing: Landing) -> Any:
    """The listener's own state as it is stored."""
    doc = load(landing, TARGET)
    assert doc is not None
    return doc.state


def test_a_page_becomes_a_part_and_a_row(landing: Landing) -> None:
    row = run(landing, page(mention("1"), mention("2"), rejects=[reject("?")], quota_left=7))
    assert [r.native_id for r in stored(landing)] == ["1", "2"]
    assert [r.raw for r in rejected(landing)] == ["?"]
    assert (row.outcome, row.got, row.new, row.rejected) == ("ok", 3, 2, 1)
    assert (row.pages, row.parts, row.quota_left, row.cut_off) == (1, 1, 7, False)
    assert (row.oldest, row.newest) == (NOW, NOW)
    assert read_row(landing, "fake", "w1", "one") == row


def test_the_listener_gets_back_its_own_state_and_cannot_change_it(landing: Landing) -> None:
    run(landing, page(mention("1"), state={"cursor": [1, 2]}))
    got: list[Any] = []

    def yields(state: Any) -> Iterator[Page]:
        got.append(msgspec.json.decode(msgspec.json.encode(state)))
        state["cursor"].append("mine")
        yield Page(state={"cursor": [1, 2]}, done=True)

    collect(FakeListener(yields), TARGET, landing, "w1", budget(), clock=lambda: NOW)
    assert got == [{"cursor": [1, 2]}]
    assert state_of(landing) == {"cursor": [1, 2]}


def test_the_same_items_again_are_duplicates_and_make_no_part(landing: Landing) -> None:
    run(landing, page(mention("1")))
    row = run(landing, page(mention("1")), window="w2")
    assert (row.got, row.new, row.duplicate, row.parts) == (1, 0, 1, 0)
    assert len(stored(landing)) == 1


def test_an_edited_item_is_a_new_version_and_so_is_one_that_is_edited_back(
    landing: Landing,
) -> None:
    for text in ("late", "later", "later", "late"):
        row = run(landing, page(mention("1", text)))
    assert stored_texts(landing) == ["late", "later", "late"]
    assert (row.new, row.changed, row.duplicate) == (1, 2, 1)


def test_a_deletion_is_stored_once_and_the_item_may_come_back(landing: Landing) -> None:
    gone = Deletion(source="fake", native_id="1", seen_at=NOW)
    row = run(landing, page(mention("1"), gone, gone, mention("1")))
    assert (row.new, row.deleted, row.duplicate, row.changed) == (1, 1, 1, 1)
    assert stored_texts(landing) == ["It does not work", "deleted", "It does not work"]


def test_a_reject_that_comes_again_is_kept_once(landing: Landing) -> None:
    run(landing, page(mention("1"), rejects=[reject("?")]))
    row = run(landing, page(mention("1"), rejects=[reject("?")]))
    assert row.rejected == 1
    assert len(rejected(landing)) == 1


def test_the_budget_of_pages_cuts_a_run_off_and_the_next_one_goes_on(landing: Landing) -> None:
    pages = [page(mention(str(n)), done=n == 2) for n in range(3)]
    row = run(landing, *pages, budget=budget(2))
    assert (row.outcome, row.cut_off, row.new) == ("partial", True, 2)
    assert state_of(landing) == {"at": "1"}
    row = run(landing, *pages[2:])
    assert (row.outcome, row.cut_off, row.new) == ("ok", False, 3)


def test_after_the_deadline_no_page_is_asked_for(landing: Landing) -> None:
    times = iter([NOW, NOW, NOW + timedelta(seconds=5), NOW + timedelta(seconds=6)])
    row = run(
        landing,
        page(mention("1"), done=False),
        AssertionError("asked after the deadline"),
        budget=budget(deadline=NOW + timedelta(seconds=5)),
        clock=lambda: next(times),
    )
    assert (row.outcome, row.cut_off, row.new) == ("partial", True, 1)


def test_a_listener_that_ends_without_being_done_was_cut_off(landing: Landing) -> None:
    assert run(landing, page(mention("1"), done=False)).cut_off


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (RateLimited("wait", NOW + timedelta(hours=1)), "partial"),
        (QuotaExhausted("come back tomorrow", NOW + timedelta(hours=1)), "partial"),
        (Transient("no answer"), "failed"),
        (AuthFailed("bad token"), "failed"),
    ],
)
def test_what_a_listener_raises_is_in_the_row(
    landing: Landing, error: ListenerError, outcome: str
) -> None:
    row = run(landing, error)
    assert (row.outcome, row.error, row.error_class) == (outcome, str(error), type(error).__name__)
    assert row.retry_at == getattr(error, "retry_at", None)
    assert read_row(landing, "fake", "w1", "one") == row


def test_an_error_of_a_sources_own_is_known_by_its_class_in_the_tree(landing: Landing) -> None:
    class TokenRefused(AuthFailed):
        pass

    def refused(state: Any) -> Iterator[Page]:
        raise TokenRefused("no")
        yield

    row = collect(FakeListener(refused), TARGET, landing, "w", budget())
    assert (row.outcome, row.error_class) == ("failed", "AuthFailed")


def test_pages_before_an_error_stay_stored(landing: Landing) -> None:
    row = run(landing, page(mention("1"), done=False), Transient("no\nanswer"))
    assert (row.outcome, row.new, row.error) == ("partial", 1, "no answer")


def test_a_fault_in_the_code_is_noted_and_goes_on_to_the_caller(landing: Landing) -> None:
    with pytest.raises(ZeroDivisionError):
        run(landing, page(mention("1"), done=False), ZeroDivisionError("division by zero"))
    row = read_row(landing, "fake", "w1", "one")
    assert row is not None
    assert (row.outcome, row.error_class, row.new) == ("failed", "ZeroDivisionError", 1)


def test_a_landing_zone_that_fails_stops_the_run_without_a_row(tmp_path: Path) -> None:
    (tmp_path / "landing").write_text("a file")
    with pytest.raises(LandingError, match="a file lies where a folder should be"):
        run(Landing(tmp_path / "landing"), page(mention("1")))


def test_a_target_that_another_run_holds_is_skipped(landing: Landing) -> None:
    with landing.lock("fake", "one"):
        row = run(landing, page(mention("1")))
    assert (row.outcome, row.error_class) == ("skipped", "Busy")
    assert read_row(landing, "fake", "w1", "one") is None
    assert run(landing, page(mention("1"))).outcome == "ok"


def test_too_many_rejects_mean_that_the_source_has_changed(landing: Landing) -> None:
    rejects = [reject(n) for n in range(5)]
    for _ in range(2):
        row = run(landing, page(mention("1"), rejects=rejects))
        assert (row.outcome, row.error_class) == ("failed", "SchemaChanged")
        assert (row.new, row.rejected) == (1, 5)
    assert state_of(landing) is None
    assert len(rejected(landing)) == 5
    assert len(stored(landing)) == 1


def test_a_fifth_of_a_page_or_a_few_items_may_be_malformed(landing: Landing) -> None:
    good = [mention(str(n)) for n in range(20)]
    assert run(landing, page(*good, rejects=[reject(n) for n in range(5)])).outcome == "ok"
    assert run(landing, page(rejects=[reject(n) for n in range(4)])).outcome == "ok"


def test_a_page_of_which_nothing_was_understood_means_so_too(landing: Landing) -> None:
    row = run(landing, page(raw_count=5))
    assert (row.outcome, row.error_class) == ("failed", "SchemaChanged")


def test_a_listener_of_files_lets_the_good_rows_through(landing: Landing) -> None:
    class Lenient(FakeListener):
        traits = Traits(order="file", strict_pages=False)

    one = page(mention("1"), rejects=[reject(n) for n in range(9)])
    row = collect(Lenient(lambda state: [one]), TARGET, landing, "w1", budget())
    assert (row.outcome, row.new, row.rejected) == ("ok", 1, 9)


def test_a_window_run_again_later_adds_parts_and_counts_nothing_twice(landing: Landing) -> None:
    run(landing, page(mention("1")), window="w1")
    run(landing, page(mention("2")), window="w2")
    before = snapshot(landing.root / "raw")
    row = run(landing, page(mention("1"), mention("3")), window="w1")
    assert (row.new, row.duplicate, row.parts) == (2, 1, 2)
    after = snapshot(landing.root / "raw")
    assert before.items() <= after.items()
    assert [p.number for p in landing.parts(RAW, window="w1")] == [0, 1]


def test_a_run_that_finds_nothing_changes_no_file(landing: Landing) -> None:
    run(landing, page(mention("1"), state={"at": 1}))
    before = snapshot(landing.root)
    row = run(landing, Page(state={"at": 1}, done=True), clock=lambda: NOW + timedelta(hours=1))
    assert snapshot(landing.root) == before
    assert row.finished_at == NOW


def test_a_gap_is_noted_once(landing: Landing) -> None:
    row = run(
        landing, page(mention("1"), gap="a hole", done=False), page(mention("2"), gap="a hole")
    )
    assert row.gaps == ("a hole",)


@pytest.mark.parametrize("steps", range(24))
def test_killed_at_any_step_and_run_again_the_landing_zone_is_the_same(
    tmp_path: Path, steps: int
) -> None:
    pages = [
        page(mention("1"), mention("2"), rejects=[reject("a")], done=False),
        page(mention("2"), mention("3", "first"), mention("3", "second"), done=False),
        page(mention("4"), rejects=[reject("a"), reject("b")]),
    ]

    def yields(state: Any) -> Iterator[Page]:
        done = [None, "1", "2", "4"].index((state or {}).get("at"))
        yield from pages[done:]

    def go(landing: Landing) -> None:
        collect(FakeListener(yields), TARGET, landing, "w1", budget(), clock=lambda: NOW)

    whole, killed = Landing(tmp_path / "whole"), tmp_path / "killed"
    go(whole)
    with pytest.raises(CrashError):
        go(CrashingLanding(killed, steps))
    go(Landing(killed))
    assert snapshot(killed) == snapshot(whole.root)


def test_what_was_stored_and_does_not_come_again_is_in_the_books(tmp_path: Path) -> None:
    """A feed moves on while the process is down: the old page is gone from the source."""
    root = tmp_path / "landing"
    first = page(mention("1"), rejects=[reject("a")], done=True)
    with pytest.raises(CrashError):
        run(CrashingLanding(root, 8), first)
    landing = Landing(root)
    assert len(stored(landing)) == len(rejected(landing)) == 1
    assert state_of(landing) is None
    row = run(landing, page(mention("2")))
    assert (row.new, row.rejected, row.parts) == (2, 1, 2)
    assert run(landing, page(mention("1"), rejects=[reject("a")])).duplicate == 1
    assert [p.number for p in landing.parts(REJECTS)] == [0]


def test_what_was_edited_while_the_process_was_down_is_stored_once_in_its_new_words(
    tmp_path: Path,
) -> None:
    root = tmp_path / "landing"
    with pytest.raises(CrashError):
        run(CrashingLanding(root, 8), page(mention("1", "old"), rejects=[reject("a")]))
    landing = Landing(root)
    assert stored_texts(landing) == ["old"]
    row = run(landing, page(mention("1", "new")))
    assert (row.new, row.changed) == (1, 1)
    assert run(landing, page(mention("1", "new"))).duplicate == 1
    assert stored_texts(landing) == ["old", "new"]


def test_a_window_that_was_interrupted_and_left_keeps_its_books(tmp_path: Path) -> None:
    root = tmp_path / "landing"
    with pytest.raises(CrashError):
        run(CrashingLanding(root, 8), page(mention("1"), rejects=[reject("a")]), window="w1")
    run(Landing(root), page(mention("1")), window="w2")
    row = read_row(Landing(root), "fake", "w1", "one")
    assert row is not None
    assert (row.outcome, row.new, row.rejected, row.cut_off) == ("partial", 1, 1, True)
    assert "run this window again" in (row.error or "")


class Counted:
    """An allowance that notes what it is told."""

    def __init__(self) -> None:
        self.blocked: list[datetime] = []

    def take(self, amount: float, what: str) -> None:
        """There is nothing left."""
        raise RateLimited("used up", NOW + timedelta(hours=1), ours=True)

    def correct(self, by: float, what: str) -> None:
        """Nothing was taken."""
        raise AssertionError(by)

    def left(self, what: str) -> float | None:
        """Nothing."""
        return 0.0

    def block(self, until: datetime) -> None:
        """Note it."""
        self.blocked.append(until)


@pytest.mark.parametrize("network_says_so", [True, False])
def test_a_limit_of_the_network_holds_for_all_its_targets_one_of_ours_for_what_it_counts(
    landing: Landing, network_says_so: bool
) -> None:
    allowance = Counted()
    granted = Budget(max_pages=9, now=NOW, allowance=allowance)

    def pages(state: object) -> Iterator[Page]:
        if not network_says_so:
            granted.take()
        raise RateLimited("wait", NOW + timedelta(minutes=9))
        yield

    row = collect(FakeListener(pages), TARGET, landing, "w1", granted)
    assert (row.outcome, row.error_class) == ("partial", "RateLimited")
    assert allowance.blocked == ([NOW + timedelta(minutes=9)] if network_says_so else [])


def test_a_payload_that_would_make_a_mention_huge_is_left_out(landing: Landing) -> None:
    huge = mention("1", "words", raw={"picture": "x" * MAX_LINE})
    pages = FakeListener(lambda state: [Page(items=[huge], state={}, done=True)])
    collect(pages, TARGET, landing, "w1", budget())
    (kept,) = stored(landing)
    assert isinstance(kept, Mention)
    assert kept.text == "words"
    assert list(kept.raw) == ["left_out"]
