"""Live updates as server-sent events: that a list has changed, never what is in it.

A page says which list it shows and how that reads; it is told when the list reads otherwise, and
fetches it anew. However many people look at one list, it is read once in `EVERY_S`.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, cast

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from desk import actions
from desk.context import Here, needs
from desk.pages.asked import SIZE, Asked
from desk.views import Row
from triage.errors import StoreError

router = APIRouter()

EVERY_S = 2.0
ALIVE_EVERY = 10
"""Looks after which a word is sent although nothing has changed, so that nobody hangs up."""
REMEMBERED = 1000


def reading(marks: Sequence[str]) -> str:
    """How a list reads: a digest of its marks, in order."""
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:16]


class Readings:
    """How lists read now, each read at most once in so many seconds. For several threads."""

    def __init__(self, every_s: float = EVERY_S) -> None:
        self.every_s = every_s
        self._known: dict[bytes, tuple[float, str]] = {}
        self._lock = threading.Lock()

    def now(self, key: bytes, read: Callable[[], Sequence[str]]) -> str:
        """The reading of the list of this key; ``read`` is called if the known one is too old."""
        with self._lock:
            at, known = self._known.get(key, (0.0, ""))
            if known and time.monotonic() - at < self.every_s:
                return known
            # Whoever asks while it is read gets what is known.
            self._known[key] = (time.monotonic(), known)
        try:
            found = reading(read())
        except StoreError:
            with self._lock:
                self._known.pop(key, None)
            raise
        with self._lock:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = (time.monotonic(), found)
        return found


def readings_of(request: Request) -> Readings:
    """The readings that all pages of one desk share."""
    state = request.app.state
    if not hasattr(state, "readings"):
        state.readings = Readings()
    return cast("Readings", state.readings)


@router.get("/queue/events")
async def live(
    request: Request,
    here: Annotated[Here, needs("queue.read")],
    asked: Annotated[Asked, Depends()],
    readings: Annotated[Readings, Depends(readings_of)],
    reads: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Say ``changed`` when the first page of the list reads otherwise, ``down`` and ``up``."""
    return StreamingResponse(
        _events(request, here, asked, readings, reads), media_type="text/event-stream"
    )


async def _events(
    request: Request, here: Here, asked: Asked, readings: Readings, reads: str
) -> AsyncIterator[str]:
    down = False
    quiet = 0
    yield ": listening\n\n"
    while not await request.is_disconnected():
        try:
            found = await run_in_threadpool(_read, here, asked, readings)
        except StoreError as error:
            if not down:
                yield _event("down", str(error))
            down = True
        else:
            if found is None:
                yield _event("ended", "sign in again")
                return
            if down:
                yield _event("up", "the store answers again")
            if found != reads:
                yield _event("changed", found)
                reads = found
                quiet = 0
            down = False
        quiet += 1
        if quiet % ALIVE_EVERY == 0:
            yield ": still here\n\n"
        await asyncio.sleep(readings.every_s)


def _read(here: Here, asked: Asked, readings: Readings) -> str | None:
    """How the list reads at this moment; None if the person may not see it any more."""
    now = here.desk.clock()
    user = here.desk.user(here.person.name, now)
    ended = here.session is not None and (
        now.timestamp() >= here.session.until or user is None or user.stamp != here.session.stamp
    )
    if ended or user is None or not user.active:
        return None
    fresh = Here(here.desk, here.person, here.session, now)
    wanted = asked.wanted(fresh)
    # The time moves on; what is asked for stays the same.
    still = msgspec.structs.replace(wanted, due_before=None)
    key = msgspec.json.encode((still, asked.due))
    return readings.now(key, lambda: [one.mark for one in _first(fresh, asked)])


def _first(here: Here, asked: Asked) -> tuple[Row, ...]:
    return actions.queue(here, asked.wanted(here), None, SIZE).items


def _event(name: str, data: str) -> str:
    line = " ".join(data.split())
    return f"event: {name}\ndata: {line}\n\n"
