"""The walk down a newest-first listing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from listeners.contract import Page
from listeners.errors import SchemaChanged
from listeners.mention import Mention
from listeners.walk import newest_first, starting_over
from tests.listeners.fakes import NOW, TARGET, FakeListener, budget, mention

OVERLAP = timedelta(minutes=5)


def at(minutes_ago: float, **fields: Any) -> Mention:
    """An item of that age."""
    then = NOW - timedelta(minutes=minutes_ago)
    return mention(f"{minutes_ago}", **{"created_at": then, **fields})


def walk(pages: dict[Any, tuple[Sequence[Mention], Any]], state: Any = None) -> list[Page]:
    """The pages of a walk through a listing of cursor, items and next cursor."""
    return list(
        newest_first(
            lambda cursor: pages[cursor],
            lambda item: item,
            listener=FakeListener(lambda state: []),
            target=TARGET,
            state=state,
            budget=budget(),
            overlap=OVERLAP,
        )
    )


def test_the_first_run_goes_back_as_far_as_the_history() -> None:
    week = 7 * 24 * 60
    pages = walk({None: ([at(1)], "b"), "b": ([at(9)], "c"), "c": ([at(week + 1)], "d")})
    assert [len(page.items) for page in pages] == [1, 1, 1]
    assert [page.done for page in pages] == [False, False, True]
    assert pages[-1].state["watermark"] == (NOW - timedelta(minutes=1)).isoformat().replace(
        "+00:00", "Z"
    )


def test_the_next_run_stops_below_the_overlap() -> None:
    state = walk({None: ([at(30)], None)})[-1].state
    pages = walk({None: ([at(1), at(30)], "b"), "b": ([at(36), at(40)], "c")}, state)
    assert [[item.native_id for item in page.items] for page in pages] == [
        ["1", "30"],
        ["36", "40"],
    ]
    assert pages[-1].done


def test_a_pinned_old_item_at_the_top_does_not_end_the_walk() -> None:
    state = walk({None: ([at(30)], None)})[-1].state
    pages = walk({None: ([at(9999), at(1)], "b"), "b": ([at(60)], "c")}, state)
    assert [item.native_id for page in pages for item in page.items] == ["9999", "1", "60"]


def test_the_sources_clock_counts_not_the_authors() -> None:
    state = walk({None: ([at(30)], None)})[-1].state
    backdated = at(9999, indexed_at=NOW - timedelta(minutes=2))
    pages = walk({None: ([backdated], "b"), "b": ([at(50)], None)}, state)
    assert len(pages) == 2


def test_a_walk_that_was_cut_short_is_finished_and_then_a_fresh_one_begun() -> None:
    state = walk({None: ([at(30)], None)})[-1].state
    cut = walk({None: ([at(3)], "b"), "b": ([at(50)], None)}, state)[0].state
    assert cut["watermark"] == state["watermark"]
    pages = walk({"b": ([at(50)], None), None: ([at(1), at(3), at(60)], None)}, cut)
    assert [page.done for page in pages] == [False, True]
    assert pages[0].state["watermark"] == (NOW - timedelta(minutes=3)).isoformat().replace(
        "+00:00", "Z"
    )


def test_a_listing_that_ends_above_what_is_known_is_a_gap() -> None:
    state = walk({None: ([at(30)], None)})[-1].state
    page = walk({None: ([at(1), at(2)], None)}, state)[-1]
    assert page.gap is not None
    assert "listen more often" in page.gap
    assert walk({None: ([at(1), at(30)], None)}, state)[-1].gap is None
    assert walk({None: ([], None)}, state)[-1].gap is None


def test_an_empty_answer_moves_nothing() -> None:
    state = walk({None: ([at(30)], None)})[-1].state
    assert walk({None: ([], None)}, state)[-1].state == state


def test_a_source_that_repeats_its_cursor_is_not_followed_for_ever() -> None:
    with pytest.raises(SchemaChanged, match="repeats the cursor 'b'"):
        walk({None: ([at(1)], "b"), "b": ([at(2)], "b")})


class OldError(Exception):
    """A cursor that is no longer good."""


def test_a_cursor_that_grew_old_starts_the_walk_over_and_three_times_at_most() -> None:
    old: set[str | None] = {"b"}

    def ask(cursor: str | None) -> tuple[list[str], str | None]:
        if cursor in old:
            raise OldError
        return {None: (["1"], "b"), "b": (["2"], None)}[cursor]

    fetch = starting_over(ask, OldError)
    items, cursor = fetch(None)
    assert items == ["1"]
    again, other = fetch(cursor)
    assert again == ["1"]
    assert other != cursor  # or the walk would take it for a source that goes in circles
    for _ in range(2):
        other = fetch(other)[1]
    with pytest.raises(OldError):
        fetch(other)
    old.clear()
    assert fetch(other) == (["2"], None)
    old.add(None)
    with pytest.raises(OldError):
        fetch(None)
