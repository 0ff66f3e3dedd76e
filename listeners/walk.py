"""Paging through a newest-first source without losing what lies in between.

Two numbers, not one: the *watermark* (everything older is stored) moves only when a walk
from the newest item has come down to it. While a walk is open, its own record says how
high it began, where to go on, and how deep it has to go; so a run may stop at any page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from listeners.contract import Budget, Listener, Page, State, Target
from listeners.errors import SchemaChanged
from listeners.mapping import Mapper, map_items
from listeners.mention import Deletion, Mention

Fetch = Callable[[Any], tuple[Sequence[Any], Any]]
"""From a cursor (None for the newest page) to the raw items, newest first, and the next
page's cursor, or None where the listing ends. Cursors are JSON and name one place each: a
time alone will not do, because items that share it may lie on both sides of a page."""


_RESTARTS = 3


def by_number(page: Callable[[int], tuple[Sequence[Any], bool]]) -> Fetch:
    """A `Fetch`, for one run, of a source that numbers its pages from 1.

    ``page`` gives a page's items, newest first, and whether others follow. New items push
    older ones to later pages, which only repeats them. A removed one pulls them to earlier
    pages, past a reader who is between two pages: so a walk that goes on after a pause reads
    the page before again, and what is missed within a run is for the overlap of the next.
    """
    following = 1

    def fetch(cursor: Any) -> tuple[Sequence[Any], Any]:
        nonlocal following
        number = cursor or 1
        before = page(number - 1)[0] if number not in (1, following) else ()
        following = number + 1
        items, more = page(number)
        return [*before, *items], number + 1 if more else None

    return fetch


class Walk(msgspec.Struct, frozen=True):
    """A walk that is under way."""

    cursor: Any
    """Of the next page."""
    high: datetime | None
    """The newest time seen: the watermark to be."""
    low: datetime | None
    """The time that it has come down to."""
    floor: datetime
    """How deep to go."""


class Position(msgspec.Struct, frozen=True):
    """The state of a newest-first listener."""

    watermark: datetime | None = None
    """The newest time at the start of the last walk that was finished."""
    walk: Walk | None = None
    heard: datetime | None = None
    """The newest time known, where that is later: a walk that reads again let news go first."""
    news: Walk | None = None
    """Of those newer items, down to ``heard``."""

    @property
    def rereads(self) -> bool:
        """Whether the walk under way is below everything that was new to it."""
        walk, known = self.walk, self.known
        return bool(walk and walk.low and known and walk.low < known)

    @property
    def known(self) -> datetime | None:
        """Everything up to here was heard, but for what the source lists late."""
        return self.heard or self.watermark

    def caught_up(self, late: datetime) -> bool:
        """Whether all news were heard, and what is read again is not older than ``late``."""
        walk = self.walk
        behind = walk is not None and walk.high is not None and walk.high < late
        return self.news is None and (walk is None or self.rereads) and not behind

    def after(self, walk: Walk, finished: bool) -> Position:
        """The position after a page of ``walk``, which is the one for news if there is one."""
        if self.news is not None and finished:
            return Position(self.watermark, self.walk, walk.high)
        if self.news is not None:
            return Position(self.watermark, self.walk, self.heard, walk)
        if not finished:
            return Position(self.watermark, walk, self.heard)
        later = self.heard and walk.high and self.heard > walk.high
        return Position(walk.high, heard=self.heard if later else None)


def newest_first(
    fetch: Fetch,
    mapper: Mapper,
    *,
    listener: Listener,
    target: Target,
    state: State | None,
    budget: Budget,
    overlap: timedelta,
    history: timedelta = timedelta(days=7),
) -> Iterator[Page]:
    """Yield the pages of a source that lists by time, the newest first.

    Goes down to ``overlap`` below the watermark, where late arrivals are, or ``history``
    back on the first run. Times are ``indexed_at`` where the record has one, else
    ``created_at``; a time after ``budget.now`` never moves the watermark. A walk that
    was cut short is finished first and then followed by a fresh one. Where only the overlap is
    left of it, a run reads one page of that, then hears all that is new, then goes on with it.
    One that ends in there has caught up, unless that walk began longer ago than two overlaps.

    Raises:
        SchemaChanged: if the source sends the cursor that it was given.
    """
    position = msgspec.convert(state or {}, Position)
    looked, first = False, budget.max_pages > 1
    while True:
        if not (first and position.news is None and position.rereads):
            position, looked = _onwards(position, looked, budget, overlap, history)
        first = False
        walk = position.news or position.walk
        assert walk is not None
        items, next_cursor = fetch(walk.cursor)
        if next_cursor is not None and next_cursor == walk.cursor:
            raise SchemaChanged(
                f"{target.source}/{target.key}: the source repeats the cursor "
                f"{str(next_cursor)[:80]!r}: compare with its documentation"
            )
        records, rejects = map_items(items, mapper, listener=listener, target=target, at=budget.now)
        times = [at for at in map(_time, records) if at is not None]
        high = max((at for at in (walk.high, *times) if at and at <= budget.now), default=None)
        # The last item tells how deep the page goes; an older one above it may be pinned.
        walk = Walk(next_cursor, high, times[-1] if times else walk.low, walk.floor)
        finished = next_cursor is None or (walk.low is not None and walk.low < walk.floor)
        gap = _gap(position, walk.low) if finished else None
        position = position.after(walk, finished)
        done = position.walk is None and looked
        yield Page(
            items=records,
            rejects=rejects,
            state=msgspec.to_builtins(position),
            raw_count=len(records) + len(rejects),
            done=done,
            caught_up=looked and position.caught_up(budget.now - 2 * overlap),
            gap=gap,
        )
        if done:
            return


def _onwards(
    position: Position, looked: bool, budget: Budget, overlap: timedelta, history: timedelta
) -> tuple[Position, bool]:
    """Where to go on, and whether the newest items were looked at in this run.

    A walk that was cut short goes on. One that only reads again what is known lets the newest
    go first, once a run: it may be longer than many runs.
    """
    if position.news is not None:
        return position, looked
    if position.walk is None:
        walk = _begin(position, budget, overlap, history)
        return msgspec.structs.replace(position, walk=walk), True
    if looked or not position.rereads:
        return position, looked
    known = max(at for at in (position.heard, position.walk.high) if at is not None)
    return msgspec.structs.replace(position, news=Walk(None, known, None, known)), True


def _begin(position: Position, budget: Budget, overlap: timedelta, history: timedelta) -> Walk:
    if position.watermark is None:
        return Walk(None, None, None, budget.now - history)
    return Walk(None, position.watermark, None, position.watermark - overlap)


def _time(record: Mention | Deletion) -> datetime | None:
    return None if isinstance(record, Deletion) else record.indexed_at or record.created_at


def _gap(position: Position, low: datetime | None) -> str | None:
    """A listing that ends above what is known was cut off by the source."""
    known = position.news.floor if position.news is not None else position.known
    if known is None or low is None or low <= known:
        return None
    return (
        f"the source's listing ends at {low.isoformat()}, later than the newest item known "
        f"({known.isoformat()}): listen more often"
    )


def starting_over(
    ask: Callable[[str | None], tuple[Sequence[Any], str | None]], refused: type[Exception]
) -> Fetch:
    """A `Fetch` of a source whose cursors grow old between two runs.

    When ``ask`` raises ``refused`` over a cursor, the walk goes on from the top and comes
    down to the place again. After three times it is the source that does not keep its word.
    """

    def fetch(cursor: Any) -> tuple[Sequence[Any], Any]:
        token, restarts = cursor or (None, 0)
        try:
            items, following = ask(token)
        except refused:
            if token is None or restarts == _RESTARTS:
                raise
            items, following = ask(None)
            restarts += 1
        return items, None if following is None else [following, restarts]

    return fetch
