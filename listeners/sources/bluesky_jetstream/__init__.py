"""Bluesky as it happens: every new, edited and deleted post of the network, by Jetstream.

A run connects, goes on where the last one ended and stops when it has caught up with its own
time, so it hears everything without staying connected. Posts without the target's words are
dropped. Mentions are those of the `bluesky` search: the same post is one mention, whoever
heard it first. Deletions are passed on for the latest posts that were kept.

The server numbers events for itself and forgets them after a time (36 hours by default). A
number that it has forgotten, or never gave, is replaced by the time of the last event, which
every server understands; what lies between is reported as a gap. The older ``/subscribe``
interface is not used, because it skips what it has forgotten without a word.

Target params: ``words``; optionally ``owners`` (the brand's own DIDs), ``history_minutes``
(how far back a first run begins, 60), ``patience`` (seconds of silence that end a run, 10)
and ``service``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec
from websockets.sync.client import ClientConnection

from listeners.contract import Budget, Page, Reject, State, Target, Traits
from listeners.errors import SchemaChanged, Transient
from listeners.http import TRIES
from listeners.mapping import map_again, map_items
from listeners.mention import Deletion, Mention
from listeners.sources.bluesky import Bluesky, post_mention
from listeners.sources.bluesky_jetstream.wire import (
    POSTS,
    TIMEOUT,
    Batch,
    TooOld,
    dial,
    gone_account,
    is_commit,
    read,
    seen_at,
    seq_of,
)
from listeners.targets import settings, wrong
from listeners.times import parse_time
from listeners.words import Finder, finder

_MANY = 5
"""Frames that cannot be read are a fault of the stream, not of a frame."""
_PAGE = 2_000
"""Events of a page, whether they are kept or not."""
_WATCHED = 2_000
_OVERLAP = timedelta(seconds=5)
"""Servers see an event at slightly different times."""


class Stream(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    words: tuple[str, ...]
    owners: tuple[str, ...] = ()
    history_minutes: int = 60
    patience: float = 10.0
    service: str = "wss://jetstream.us-east.bsky.network"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The state."""

    service: str
    seq: int | None = None
    """Of the last event seen; the service's own."""
    at: datetime
    """When it was seen; on the first run, where to begin."""
    watched: tuple[str, ...] = ()
    """The posts that were kept last, the newest at the end."""


class BlueskyJetstream:
    """The posts of the whole network that have a target's words."""

    name: ClassVar[str] = "bluesky_jetstream"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="oldest_first",
        has_edits=True,
        has_deletes=True,
        rate_family="jetstream",
        # Records are anybody's: a few that are malformed say nothing of the stream.
        strict_pages=False,
        silent_empty=True,
    )

    def __init__(
        self,
        *,
        page: int = _PAGE,
        timeout: float = TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = page
        self._timeout = timeout
        self._clock = clock

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _stream(target)

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of posts and deletions, oldest first, until the run's own time.

        Raises:
            SchemaChanged: if the server speaks something else.
            Transient: if the connection breaks three times without an event between.
            RateLimited, AuthFailed, TargetGone, BadTarget: as the server's refusal means.
        """
        stream = _stream(target)
        place = _begin(state, stream, budget.now)
        failures = 0
        while True:
            connection, gap = _connected(stream, place, budget, self._timeout)
            with connection:
                lost = False
                while not lost:
                    batch = read(
                        connection,
                        size=self._size,
                        until=budget.now,
                        patience=stream.patience,
                        clock=self._clock,
                    )
                    if len(batch.broken) >= _MANY and not batch.events:
                        raise SchemaChanged(
                            f"{stream.service} sends what cannot be read: is it version 2?"
                        )
                    if "FutureCursor" in batch.notices and place.seq is not None:
                        # Another server's number; it has begun at its end. Begin by time.
                        place = msgspec.structs.replace(place, seq=None)
                        break
                    page, place = self._page(batch, target, stream, place, budget.now, gap)
                    yield page
                    if page.done:
                        return
                    gap = None
                    lost = batch.lost
                    failures = 0 if batch.events else failures + 1
            if failures >= TRIES:
                raise Transient(f"{stream.service} breaks off again and again: tried next time")

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The record of a rejected event.

        Raises:
            ValueError: if it still cannot be understood, or is not about the target's words.
        """
        stream = _stream(target)
        return map_again(
            reject.raw,
            partial(self._map, stream=stream, find=finder(stream.words), watched={}, now=now),
        )

    def _page(
        self,
        batch: Batch,
        target: Target,
        stream: Stream,
        place: Place,
        now: datetime,
        gap: str | None,
    ) -> tuple[Page, Place]:
        watched = dict.fromkeys(place.watched)
        records, rejects = map_items(
            batch.events,
            partial(self._map, stream=stream, find=finder(stream.words), watched=watched, now=now),
            listener=self,
            target=target,
            at=now,
        )
        records += [self._deletion(uri, now) for uri in _left(batch.events, watched)]
        rejects += [self._undecoded(text, target, now) for text in batch.broken]
        times = [at for at in map(seen_at, batch.events) if at is not None]
        seqs = [seq for seq in map(seq_of, batch.events) if seq is not None]
        if "OutdatedCursor" in batch.notices and gap is None:
            gap = _gap(place)
        place = Place(
            service=stream.service,
            seq=max(seqs, default=place.seq),
            at=max([place.at, *(at for at in times if at <= now)]),
            watched=tuple(watched)[-_WATCHED:],
        )
        page = Page(
            items=records,
            rejects=rejects,
            state=msgspec.to_builtins(place),
            raw_count=len(records) + len(rejects),
            done=batch.caught_up,
            gap=gap,
        )
        return page, place

    def _map(
        self, event: Any, stream: Stream, find: Finder, watched: dict[str, None], now: datetime
    ) -> Mention | Deletion | None:
        """The record of a commit; ``watched`` follows what is kept and what goes."""
        if not is_commit(event):
            return None
        uri = f"at://{event['did']}/{POSTS}/{event['rkey']}"
        if event["operation"] == "delete":
            if uri not in watched:
                return None
            del watched[uri]
            return self._deletion(uri, now)
        record = event["record"]
        found = find(record["text"])
        if not found and uri not in watched:
            return None
        mention = post_mention(
            uri,
            record,
            indexed_at=parse_time(event["time"])[0],
            now=now,
            owners=stream.owners,
        )
        watched[uri] = None
        edited = event["operation"] == "update"
        return msgspec.structs.replace(
            mention,
            listener=f"{self.name}/{self.version}",
            edited_at=mention.indexed_at if edited else None,
            matched=found,
            raw=event,
        )

    def _deletion(self, uri: str, now: datetime) -> Deletion:
        return Deletion(source=Bluesky.name, native_id=uri, seen_at=now)

    def _undecoded(self, text: str, target: Target, now: datetime) -> Reject:
        return Reject(
            source=target.source,
            target=target.key,
            stage="decode",
            error="the frame is not what the stream sends",
            raw=text,
            at=now,
            listener=f"{self.name}/{self.version}",
        )


def _stream(target: Target) -> Stream:
    stream = settings(target, Stream)
    if not stream.words or not all(word.strip() for word in stream.words):
        raise wrong(target, "give words to listen for, none of them empty")
    if stream.patience <= 0 or stream.history_minutes < 0:
        raise wrong(target, "patience is above 0, and history_minutes 0 or more")
    parts = urlsplit(stream.service)
    if parts.scheme not in ("ws", "wss") or not parts.hostname:
        raise wrong(target, f"service {stream.service!r} is no stream: give wss:// and a host")
    return stream


def _begin(state: State | None, stream: Stream, now: datetime) -> Place:
    if not state:
        at = now - timedelta(minutes=stream.history_minutes)
        return Place(service=stream.service, at=at)
    place = msgspec.convert(state, Place)
    if place.service == stream.service:
        return place
    return msgspec.structs.replace(place, service=stream.service, seq=None)


def _connected(
    stream: Stream, place: Place, budget: Budget, timeout: float
) -> tuple[ClientConnection, str | None]:
    """A connection that goes on where ``place`` says, and what is missing until then."""
    try:
        return dial(stream.service, place.seq or _by_time(place), budget, timeout), None
    except TooOld:
        return dial(stream.service, _by_time(place), budget, timeout), _gap(place)


def _by_time(place: Place) -> int:
    return int((place.at - _OVERLAP).timestamp() * 1_000_000)


def _gap(place: Place) -> str:
    return (
        f"Jetstream no longer has the events after {place.at.isoformat()}; what was said until "
        "it begins again is missing: listen more often, or search for it"
    )


def _left(events: list[Any], watched: dict[str, None]) -> list[str]:
    """Watched posts of accounts that are gone; they are watched no longer."""
    gone = {did for did in map(gone_account, events) if did is not None}
    uris = [uri for uri in watched if uri.removeprefix("at://").partition("/")[0] in gone]
    for uri in uris:
        del watched[uri]
    return uris
