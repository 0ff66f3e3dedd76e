"""One run over the feeds of a target, and what it has to remember for the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import msgspec

from listeners.contract import Budget, Listener, Page, Reject, Target
from listeners.errors import QuotaExhausted
from listeners.mapping import MALFORMED, map_items
from listeners.mention import Deletion, Mention
from listeners.sources.youtube.interface import BATCH, Closed, Interface, Refused
from listeners.times import parse_time
from listeners.walk import newest_first, starting_over

_OVERLAP = timedelta(hours=1)
_EVERY = timedelta(hours=6)
"""How often an old thread is looked at for new replies."""
_WATCHED = timedelta(days=14)
_MOST = 5000
_AT_ONCE = 10 * BATCH
_CLOSED_FOR = timedelta(days=1)


class Thread(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a thread that may still grow; times are seconds since 1970."""

    created: int
    looked: int
    replies: int
    video: str | None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The state. A feed is a video or a channel, by its id; times are seconds since 1970."""

    walks: dict[str, dict[str, Any]] = {}
    last: str | None = None
    """The feed that was read last; the next run begins with the one after it."""
    found: dict[str, int] = {}
    """When the videos of a query were published."""
    searched: int = 0
    closed: dict[str, int] = {}
    """When a feed was found to have no comments to read."""
    threads: dict[str, Thread] = {}
    grown: dict[str, str | None] = {}
    """Threads whose replies are to be read, and the page token where that goes on."""


class Run:
    """The steps of one run, as pages; ``place`` is what is known by now."""

    def __init__(
        self,
        listener: Listener,
        target: Target,
        place: Place,
        budget: Budget,
        interface: Interface,
        mapper: Callable[[Any, str | None], Mention],
    ) -> None:
        self.place = place
        self.ended = False
        """A page was the last one."""
        self._listener = listener
        self._target = target
        self._budget = budget
        self._interface = interface
        self._mapper = mapper
        self._stamp = int(budget.now.timestamp())

    def search(self, query: str, every: timedelta, age: timedelta, most: int) -> Iterator[Page]:
        """Look for videos, if it is time to; without searches left, those found before will do.

        Raises:
            QuotaExhausted: if there are none.
        """
        if self._stamp - self.place.searched < every.total_seconds():
            return
        oldest = self._budget.now - age
        try:
            items, more = self._interface.search(query, oldest)
        except QuotaExhausted as error:
            if not self.place.found:
                raise
            yield self.page(gap=f"videos are not searched for until {error.retry_at:%H:%MZ}")
            return
        found = {**self.place.found, **dict(_videos(items))}
        fresh = {video: at for video, at in found.items() if at >= oldest.timestamp()}
        kept = dict(sorted(fresh.items(), key=lambda item: -item[1])[:most])
        self._set(found=kept, searched=self._stamp)
        gap = f"more videos match than the {len(kept)} newest, whose comments are read"
        yield self.page(gap=gap if more or len(fresh) > len(kept) else None)

    def read(self, feeds: list[str], *, may_be_gone: bool) -> Iterator[Page]:
        """The newest comments of each feed, of that first which was read longest ago.

        Raises:
            Closed: if a feed is not there, unless it ``may_be_gone``.
        """
        place = self.place
        self._set(walks={feed: walk for feed, walk in place.walks.items() if feed in feeds})
        start = feeds.index(place.last) + 1 if place.last in feeds else 0
        closed_since = self._stamp - _CLOSED_FOR.total_seconds()
        order = feeds[start:] + feeds[:start]
        open_feeds = [feed for feed in order if place.closed.get(feed, 0) <= closed_since]
        for feed in open_feeds:
            is_last = feed == open_feeds[-1]
            try:
                yield from self._read(feed, is_last)
            except Closed as error:
                if not may_be_gone and error.reason != "commentsDisabled":
                    raise
                closed = {f: at for f, at in self.place.closed.items() if f in feeds}
                self._set(closed={**closed, feed: self._stamp}, last=feed)
                gap = f"{feed} has no comments to read: {error.reason}"
                yield self.page(gap=gap, last=is_last)

    def _read(self, feed: str, is_last: bool) -> Iterator[Page]:
        threads: list[Any] = []

        def fetch(token: str | None) -> tuple[list[Any], str | None]:
            threads[:], following = self._interface.threads(feed, token)
            return [comment for thread in threads for comment in _comments(thread)], following

        for page in newest_first(
            starting_over(fetch, Refused),
            lambda item: self._mapper(item, None),
            listener=self._listener,
            target=self._target,
            state=self.place.walks.get(feed),
            budget=self._budget,
            overlap=_OVERLAP,
        ):
            walks = {**self.place.walks, feed: dict(page.state)}
            self._set(walks=walks, last=feed if page.done else self.place.last)
            self._note(threads)
            # A listing ends where the first comment is: what newest_first calls a gap is none.
            yield self.page(page.items, page.rejects, last=is_last and page.done)

    def look_again(self) -> Iterator[Page]:
        """Ask how many replies the threads of the last days have by now."""
        due = self._due()[:_AT_ONCE]
        for start in range(0, len(due), BATCH):
            asked = due[start : start + BATCH]
            looked = {
                name: msgspec.structs.replace(self.place.threads[name], looked=self._stamp)
                for name in asked
            }
            self._set(threads=self.place.threads | looked)
            self._note(self._interface.by_id("commentThreads", asked))
            yield self.page(last=start + BATCH >= len(due))

    def read_replies(self) -> Iterator[Page]:
        """All replies to the threads that have more of them than were shown with them."""
        for thread in list(self.place.grown):
            known = self.place.threads.get(thread)
            while thread in self.place.grown:
                token = self.place.grown[thread]
                try:
                    answer, token = self._interface.replies(thread, token)
                except Refused:
                    if token is None:
                        raise
                    answer, token = self._interface.replies(thread, None)
                except Closed:
                    answer, token = [], None
                items, rejects = self._mapped(answer, known.video if known else None)
                others = {t: at for t, at in self.place.grown.items() if t != thread}
                self._set(grown=others | ({thread: token} if token else {}))
                yield self.page(items, rejects, last=True)

    def page(
        self,
        items: Sequence[Mention | Deletion] = (),
        rejects: Sequence[Reject] = (),
        *,
        gap: str | None = None,
        last: bool = False,
    ) -> Page:
        """A page that leads to where we are; ``last`` of its kind."""
        left = self._budget.left()
        self.ended = last and not self.place.grown and not self._due()
        return Page(
            items=items,
            rejects=rejects,
            state=msgspec.to_builtins(self.place),
            raw_count=len(items) + len(rejects),
            gap=gap,
            done=self.ended,
            quota_left=None if left is None else int(left),
        )

    def _mapped(
        self, comments: Iterable[Any], video: str | None
    ) -> tuple[list[Mention | Deletion], list[Reject]]:
        return map_items(
            comments,
            lambda item: self._mapper(item, video),
            listener=self._listener,
            target=self._target,
            at=self._budget.now,
        )

    def _note(self, threads: Iterable[Any]) -> None:
        """Remember how many replies threads have, and which have more than they show."""
        known, grown = dict(self.place.threads), dict(self.place.grown)
        for thread in threads:
            try:
                around, name = thread["snippet"], thread["id"]
                written = parse_time(around["topLevelComment"]["snippet"]["publishedAt"])[0]
                total, video = int(around["totalReplyCount"]), around.get("videoId")
            except MALFORMED:
                continue
            before = known[name].replies if name in known else 0
            if total > before and total > len(_inlined(thread)) and name not in grown:
                grown[name] = None
            known[name] = Thread(int(written.timestamp()), self._stamp, total, video)
        oldest = (self._budget.now - _WATCHED).timestamp()
        newest = sorted(known.items(), key=lambda item: item[1].created)[-_MOST:]
        self._set(
            threads={name: thread for name, thread in newest if thread.created >= oldest},
            grown=grown,
        )

    def _due(self) -> list[str]:
        """Threads that nobody looked at for long, those first that wait longest."""
        threads, waited = self.place.threads, self._stamp - _EVERY.total_seconds()
        due = [name for name, thread in threads.items() if thread.looked <= waited]
        return sorted(due, key=lambda name: threads[name].looked)

    def _set(self, **changes: Any) -> None:
        self.place = msgspec.structs.replace(self.place, **changes)


def _inlined(thread: Any) -> list[Any]:
    try:
        replies = thread["replies"]["comments"]
    except MALFORMED:
        return []
    return replies if isinstance(replies, list) else []


def _comments(thread: Any) -> Iterator[Any]:
    """A thread's replies and then itself: its own time says how far down the listing we are."""
    yield from _inlined(thread)
    if isinstance(thread, dict):
        yield {name: value for name, value in thread.items() if name != "replies"}
    else:
        yield thread


def _videos(items: Iterable[Any]) -> Iterator[tuple[str, int]]:
    """The ids of found videos and when they were published; what is none is left out."""
    for item in items:
        try:
            at, _ = parse_time(item["snippet"]["publishedAt"])
            yield str(item["id"]["videoId"]), int(at.timestamp())
        except MALFORMED:
            continue
