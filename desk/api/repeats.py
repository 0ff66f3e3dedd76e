"""``Idempotency-Key``: the same change sent again is answered as before, and made once.

The key is taken before the change is made, with the time at which it was first asked for. Who
sends it again after a crash in between makes the change at that time, so that its entry in the
history is the same one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
from fastapi import Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from desk.api.answers import right_of
from desk.context import SAFE, signed_in
from desk.errors import Unusable
from desk.live import Desk
from triage.errors import Busy, Conflict, StoreError
from triage.store.base import Store
from triage.store.shelf import Keep, Kept

HEADER = "idempotency-key"
KEPT = timedelta(hours=24)
PATIENCE = timedelta(seconds=15)
"""After so long an unanswered change is taken to have died, and may be made again."""
BATCH = 500

Handler = Callable[[Request], Awaitable[Response]]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A change that somebody asked for under a key."""

    digest: str
    """Of method, address and body."""
    since: datetime
    """When it was first asked for: the time at which it is made."""
    status: int | None = None
    """None while it is being made."""
    body: str = ""
    etag: str | None = None


class Repeatable(APIRoute):
    """A route whose changes may bear a key."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """The handler, made once for each key."""
        handler = super().get_route_handler()
        if right_of(self) == "vault.read":
            return handler  # who somebody is is kept in the vault, and nowhere else

        async def repeatable(request: Request) -> Response:
            key = request.headers.get(HEADER)
            if key is None or request.method in SAFE:
                response: Response = await handler(request)
                return response
            return await _once(request, key, handler)

        return repeatable


async def _once(request: Request, key: str, handler: Handler) -> Response:
    if not 0 < len(key) <= 200 or not key.isprintable():
        raise Unusable("an idempotency key has 1 to 200 printable characters: choose another")
    here = await signed_in(request)
    body = await request.body()
    words = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body
    digest = hashlib.sha256(words).hexdigest()
    name = hashlib.sha256(f"{here.person.name}\x1f{key}".encode()).hexdigest()
    store = here.store
    mine = Asked(digest=digest, since=here.now)
    known = await run_in_threadpool(_take, store, name, mine, here.now)
    if known.status is not None:
        return _as_before(known)
    here.now = known.since
    try:
        response = await handler(request)
    except StoreError as error:
        if isinstance(error, Conflict):
            await run_in_threadpool(store.unshelve, "request", [name])
        # Whether it was made is not known: the key stays, and the change is made at its time.
        raise
    except BaseException:
        await run_in_threadpool(store.unshelve, "request", [name])
        raise
    if response.status_code >= 400:
        await run_in_threadpool(store.unshelve, "request", [name])
    else:
        done = msgspec.structs.replace(
            known,
            status=response.status_code,
            body=bytes(response.body).decode(),
            etag=response.headers.get("etag"),
        )
        await run_in_threadpool(_settle, store, name, done)
    return response


def _take(store: Store, name: str, mine: Asked, now: datetime) -> Asked:
    """Take the key, or say what is known under it.

    Raises:
        Unusable: if something else was asked for under it.
        Busy: if it is being made at this moment.
    """
    if store.shelve("request", [_keep(name, mine, now)]).done:
        return mine
    kept = store.shelved("request", [name]).get(name)
    if kept is None:
        raise Busy("the same change is being made: send it again in a moment")
    known = _asked(kept)
    if known.digest != mine.digest:
        raise Unusable("this idempotency key was used for another change: choose a new one")
    if known.status is None:
        taken_over = _keep(name, known, now, kept.version)
        if now - kept.at < PATIENCE or not store.shelve("request", [taken_over]).done:
            raise Busy("the same change is being made: send it again in a moment")
    return known


def _settle(store: Store, name: str, done: Asked) -> None:
    kept = store.shelved("request", [name]).get(name)
    if kept is not None:
        store.shelve("request", [_keep(name, done, kept.at, kept.version)])


def _as_before(known: Asked) -> Response:
    headers = {"Idempotent-Replay": "true"}
    if known.etag:
        headers["ETag"] = known.etag
    return Response(known.body, known.status or 200, headers, media_type="application/json")


def sweep(desk: Desk, now: datetime) -> int:
    """Forget keys that are older than `KEPT`; how many."""
    old = list(_older(desk.store, now - KEPT))
    for start in range(0, len(old), BATCH):
        desk.store.unshelve("request", old[start : start + BATCH])
    return len(old)


def _older(store: Store, before: datetime) -> Iterator[str]:
    for kept in store.shelf("request"):
        if kept.at >= before:
            return
        yield kept.key


def _asked(kept: Kept) -> Asked:
    return msgspec.json.decode(kept.body, type=Asked)


def _keep(name: str, asked: Asked, at: datetime, version: str | None = None) -> Keep:
    return Keep(key=name, at=at, group="request", record=asked, version=version)
