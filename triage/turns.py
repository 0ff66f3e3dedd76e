"""One at a time: a run that folds cases holds a turn in the store, wherever it runs.

A turn is a record with a lease, taken by compare-and-set. It is kept alive while the work goes
on and given back at its end; a process that died loses it when the lease runs out, or at once
if it ran on this very machine. So does one that lost its store on the way and lives on.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType

import msgspec

from triage.errors import Busy, StoreError
from triage.store.base import Store
from triage.store.shelf import Keep, Kept

LEASE = timedelta(minutes=5)
_RENEWED = timedelta(seconds=30)
"""So often at most: what is done between two `keep` may last nearly as long as the lease."""
_held_here: set[str] = set()
"""The tokens of the turns that this process is in: any other of its turns was lost."""


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who has the turn."""

    host: str
    process: int
    since: datetime
    until: datetime
    token: str = ""
    """Tells the turns of one process apart."""


def _now() -> datetime:
    return datetime.now(UTC)


class Turn:
    """A context: inside, this process alone does ``what`` in this store.

    `keep` must be called now and then; it is cheap.

    Raises:
        Busy: on entering, if another process has the turn; and by `keep`, if it was lost.
    """

    def __init__(self, store: Store, what: str, clock: Callable[[], datetime] = _now) -> None:
        self._store = store
        self._what = what
        self._clock = clock
        self._version: str | None = None
        self._mine: Holder | None = None

    def __enter__(self) -> Turn:
        now = self._clock()
        known = self._store.shelved("turn", [self._what]).get(self._what)
        if known is not None and not _is_over(holder := _holder(known), now):
            raise Busy(
                f"{self._what} is already running on {holder.host} (process {holder.process}, "
                f"since {holder.since:%Y-%m-%d %H:%M} UTC): wait for it; if it was killed, its "
                f"turn is over at {holder.until:%H:%M} UTC",
                holder.until,
            )
        mine = Holder(
            host=socket.gethostname(),
            process=os.getpid(),
            since=now,
            until=now + LEASE,
            token=secrets.token_hex(8),
        )
        self._take(mine, known.version if known is not None else None)
        _held_here.add(mine.token)
        return self

    def keep(self) -> None:
        """Say that the work goes on."""
        now = self._clock()
        mine = self._mine
        if mine is not None and now >= mine.until - LEASE + _RENEWED:
            self._take(msgspec.structs.replace(mine, until=now + LEASE), self._version)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._mine is not None:
            _held_here.discard(self._mine.token)
        if kind is None:
            self._give_back()
        elif issubclass(kind, Exception):
            with suppress(StoreError):  # what is wrong is on its way up already
                self._give_back()

    def _give_back(self) -> None:
        known = self._store.shelved("turn", [self._what]).get(self._what)
        if known is not None and known.version == self._version:
            self._store.unshelve("turn", [self._what])

    def _take(self, mine: Holder, version: str | None) -> None:
        keep = Keep(key=self._what, at=mine.since, record=mine, version=version)
        if not self._store.shelve("turn", [keep]).done:
            raise Busy(f"another process has begun to {self._what}: wait until it is done")
        self._mine = mine
        self._version = self._store.shelved("turn", [self._what])[self._what].version


def _holder(kept: Kept) -> Holder:
    return msgspec.json.decode(kept.body, type=Holder)


def _is_over(holder: Holder, now: datetime) -> bool:
    """Whether the lease has run out, or the holder ran here and is no more."""
    if now >= holder.until:
        return True
    if holder.host != socket.gethostname():
        return False
    if holder.process == os.getpid():
        return holder.token not in _held_here
    try:
        os.kill(holder.process, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
