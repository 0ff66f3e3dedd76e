"""Whatever order, cut, crash or repetition: the same tickets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listeners.mention import Deletion, make_uid
from tests.triage.build import NOW, START, brand, heard
from tests.triage.dict_store import CrashError, DictStore
from triage import cases, folds
from triage.casebook import is_merged
from triage.casework import fold_cases
from triage.intake import Pair, store_records
from triage.rules import Rules
from triage.ticket import Ticket

RULES = Rules(
    customers={"ann": ("mastodon:ann", "reddit:ann")},
    matter_days=3,
    thresholds={"reddit": 0.5},
).check()

TEXTS = (
    "the kettle I bought leaks all over",
    "my parcel has not arrived after two weeks",
    "you charged me twice on one invoice",
    "nothing but trouble with all of you",
    "bad",
)
SOURCES = ("mastodon", "reddit")


Draw = Callable[[st.SearchStrategy[Any]], Any]


@st.composite
def streams(draw: st.DrawFn) -> list[list[Pair]]:
    """States of items, oldest first, by item: a stream may be dealt in any order of items."""
    items = []
    count = draw(st.integers(1, 9))
    for n in range(count):
        source = draw(st.sampled_from(SOURCES))
        fields: dict[str, Any] = {"source": source, "hours": draw(st.integers(0, 12)) * 12.0}
        link = draw(st.sampled_from(("none", "none", "parent", "parent", "repost")))
        other = str(draw(st.integers(0, count)))
        if link == "parent":
            fields["parent_id"] = other
        if link == "repost":
            fields["repost_of"] = other
        kind = draw(st.sampled_from(("complaint", "complaint", "complaint", "chat", "brand", "rt")))
        text = draw(st.sampled_from(TEXTS))
        if kind == "brand":
            items.append([brand(str(n), **fields)])
            continue
        fields["by"] = draw(st.sampled_from(("ann", "ann", "ben", "cid", None)))
        fields["matched"] = draw(st.sampled_from(((), ("acme",), ("other",))))
        fields["complaint"] = kind != "chat"
        states = [heard(str(n), f"RT @x: {text}" if kind == "rt" else text, **fields)]
        fate = draw(st.sampled_from(("kept", "kept", "kept", "edited", "deleted")))
        if fate == "edited":
            fields["complaint"] = draw(st.booleans())
            fields["collected_at"] = START + timedelta(days=20)
            states.append(heard(str(n), draw(st.sampled_from(TEXTS)), **fields))
        if fate == "deleted":
            states.append((Deletion(source=source, native_id=str(n), seen_at=NOW), None))
        items.append(states)
    return items


def deal(draw: Draw, items: list[list[Pair]]) -> list[Pair]:
    """All states in some order that keeps the order of each item's states."""
    hands = draw(st.permutations([n for n, states in enumerate(items) for _ in states]))
    queues = [list(states) for states in items]
    return [queues[n].pop(0) for n in hands]


def cut(draw: Draw, pairs: list[Any]) -> list[list[Any]]:
    size = draw(st.integers(1, max(1, len(pairs))))
    return [pairs[at : at + size] for at in range(0, len(pairs), size)]


def run(store: DictStore, chunks: list[list[Pair]], folds: list[list[str]] | None = None) -> None:
    """A window as the pipeline does it: everything is stored before anything is folded."""
    reports = [store_records(store, chunk, RULES) for chunk in chunks]
    for uids in folds if folds is not None else [list(report.uids) for report in reports]:
        fold_cases(store, uids, RULES, NOW)


def outcome(store: DictStore) -> list[Ticket]:
    return list(store.all_tickets())


def check_nothing_is_lost_or_doubled(
    store: DictStore, may_be_doubled: frozenset[str] = frozenset()
) -> None:
    """Every complaint is in one live ticket, every live ticket has a complaint."""
    live = [ticket for ticket in store.all_tickets() if not is_merged(ticket)]
    standing = [t for t in live if t.handling.outcome is None]
    held = Counter(fold.uid for ticket in standing for fold in ticket.mentions)
    threads = Counter(thread for ticket in live for thread in ticket.threads)
    candidates = {uid for uid, row in store.rows.items() if cases.refusal(row, RULES) is None}
    assert candidates <= held.keys()
    assert {uid for uid, n in held.items() if n > 1} <= may_be_doubled
    assert {thread for thread, n in threads.items() if n > 1} == set()
    for ticket in standing:
        assert candidates & {fold.uid for fold in ticket.mentions}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), items=streams())
def test_order_cuts_crashes_and_repetition_do_not_matter(
    data: st.DataObject, items: list[list[Pair]]
) -> None:
    plain = DictStore()
    run(plain, [[pair for states in items for pair in states]])
    expected = outcome(plain)
    check_nothing_is_lost_or_doubled(plain)

    store = DictStore()
    dealt = deal(data.draw, items)
    for crash in data.draw(st.lists(st.integers(0, 30), max_size=3)):
        store.writes_left = crash
        try:
            run(store, cut(data.draw, dealt))
        except CrashError:
            continue
    store.writes_left = None
    uids = data.draw(st.permutations(sorted({record.uid for record, _ in dealt})))
    run(store, cut(data.draw, dealt), cut(data.draw, list(uids)))
    assert outcome(store) == expected
    assert {u: row.thread for u, row in store.rows.items()} == {
        u: row.thread for u, row in plain.rows.items()
    }

    writes = store.writes
    run(store, cut(data.draw, dealt))
    assert outcome(store) == expected
    assert all(t.ticket in {e.ticket for e in store.events(t.ticket)} for t in expected)
    assert store.writes >= writes


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), items=streams())
def test_windows_that_arrive_one_after_the_other_lose_and_double_nothing(
    data: st.DataObject, items: list[list[Pair]]
) -> None:
    items = [states[:1] for states in items]
    store = DictStore()
    for window in cut(data.draw, deal(data.draw, items)):
        run(store, [window])
        check_nothing_is_lost_or_doubled(store)
    before = outcome(store)
    run(store, [[pair for states in items for pair in states]])
    assert outcome(store) == before


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), items=streams())
def test_edits_and_deletions_between_windows_lose_nothing(
    data: st.DataObject, items: list[list[Pair]]
) -> None:
    everything = [pair for states in items for pair in states]
    edited = frozenset(states[0][0].uid for states in items if len(states) > 1)
    store = DictStore()
    for window in cut(data.draw, deal(data.draw, items)):
        run(store, [window])
        check_nothing_is_lost_or_doubled(store, edited)
    run(store, [everything])
    check_nothing_is_lost_or_doubled(store)
    before = outcome(store)
    run(store, [everything])
    assert outcome(store) == before


def test_the_streams_reach_every_kind_of_fold() -> None:
    """The properties above would be empty if what they draw never folded."""
    seen: set[str] = set()

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(items=streams())
    def look(items: list[list[Pair]]) -> None:
        store = DictStore()
        run(store, [[pair for states in items for pair in states]])
        seen.update(fold.reason for ticket in outcome(store) for fold in ticket.mentions)

    look()
    assert seen == {
        folds.OPENED,
        folds.AGAIN,
        folds.SAME_THREAD,
        folds.SAME_MATTER,
        folds.SAME_WORDS,
        folds.BRAND,
        folds.COPY,
        folds.REPOST,
    }
    assert make_uid("mastodon", "", "0") != make_uid("reddit", "", "0")
