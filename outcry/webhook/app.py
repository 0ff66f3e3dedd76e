"""The endpoint: ``POST /v1/import/{channel}`` with a JSON object, an array or JSON Lines.

202  everything is durable; the body has the outcome of each row
400  the body is no JSON            401  signature or time are wrong
404  there is no such channel       409  it was sent before
413  it is too large                429  the channel is full; Retry-After says until when
503  the landing zone cannot be written now; send it again
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from listeners.errors import ListenerError
from outcry.settings import Settings
from outcry.webhook.inbox import Full, Inbox, Unreadable
from outcry.webhook.signing import SIGNATURE, TIMESTAMP, Refused, Seen, verify

_BUSY_SECONDS = 5
_SHOWN = 64 * 1024


def make_app(
    settings: Settings, secret: str, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> Starlette:
    """The ASGI application.

    Raises:
        BadTarget: if a channel's settings are wrong.
    """
    door = _Door(settings, secret, clock)
    return Starlette(routes=[Route("/v1/import/{channel}", door.post, methods=["POST"])])


class _Door:
    def __init__(self, settings: Settings, secret: str, clock: Callable[[], datetime]) -> None:
        self._secret = secret
        self._clock = clock
        self._limit = int(settings.webhook.max_mb * 1_000_000)
        self._seen = Seen(settings.home / "webhook" / "seen")
        self._inboxes: Mapping[str, Inbox] = {
            name: Inbox(settings, name, channel)
            for name, channel in settings.webhook.channels.items()
        }

    async def post(self, request: Request) -> Response:
        """Take the rows of a request."""
        try:
            body = await self._body(request)
            headers = request.headers
            stamp, given = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
            return await run_in_threadpool(
                self._take, request.path_params["channel"], stamp, given, body
            )
        except Refused as error:
            return _refusal(error.status, str(error))

    async def _body(self, request: Request) -> bytes:
        """The whole body, or as much of it as shows that it is too large."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._limit:
                raise Refused(413, f"it is larger than {self._limit} bytes: send it in pieces")
        return bytes(body)

    def _take(self, channel: str, stamp: str, given: str, body: bytes) -> Response:
        now = self._clock()
        verify(self._secret, stamp, given, body, now)
        inbox = self._inboxes.get(channel)
        if inbox is None:
            raise Refused(404, f"there is no channel {channel!r}: add it to the settings")
        rows = rows_of(body)
        try:
            self._seen.use(given, now)
            receipt = inbox.take(rows, now)
        except Full as error:
            self._seen.unused(given)
            return _refusal(429, str(error), error.seconds)
        except (ListenerError, OSError) as error:
            self._seen.unused(given)
            return _refusal(503, f"not stored: {error}", _BUSY_SECONDS)
        return Response(msgspec.json.encode(receipt), 202, media_type="application/json")


def rows_of(body: bytes) -> list[Any]:
    """The rows of a body: of an array, of one object, or of lines with one object each.

    Raises:
        Refused: if there is none, or no line is JSON.
    """
    try:
        whole = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        rows = [_line(line) for line in body.splitlines() if line.strip()]
        if all(isinstance(row, Unreadable) for row in rows):
            raise Refused(400, "it is no JSON: send an object, an array or JSON Lines") from None
        return rows
    if isinstance(whole, list):
        return whole
    if isinstance(whole, dict):
        return [whole]
    raise Refused(400, "it is neither an object nor an array: send posts")


def _line(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError) as error:
        return Unreadable(line[:_SHOWN].decode(errors="replace"), f"it is not JSON: {error}")


def _refusal(status: int, message: str, retry_after: int | None = None) -> Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    body = msgspec.json.encode({"error": message})
    return Response(body, status, headers, media_type="application/json")
