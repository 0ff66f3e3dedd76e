"""A Jetstream: events over a websocket, numbered, remembered for a while.

Shaped from the lexicon network.bsky.jetstream.subscribeEvents and Jetstream's design
document, not recorded from a live server.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve
from websockets.typing import Subprotocol

from listeners.contract import Listener, Target
from listeners.sources.bluesky_jetstream import BlueskyJetstream
from tests.servers.bluesky import DID, record
from tests.servers.station import PATIENCE, BaseStation, Post

METHOD = "network.bsky.jetstream.subscribeEvents"
_TIMES_FROM = 10**15
"""Cursors from here on are microseconds since 1970."""


def commit(seq: int, operation: str, number: int, *, did: str = DID, **changes: Any) -> Any:
    """A post that was made, edited or deleted, in second ``seq`` of the second of January."""
    event = {
        "$type": f"{METHOD}#commit",
        "seq": seq,
        "did": did,
        "time": _when(seq),
        "witnessedAt": _when(seq),
        "rev": "3l3qo2vutsw2b",
        "operation": operation,
        "collection": "app.bsky.feed.post",
        "rkey": f"3k{number:011}",
    }
    if operation != "delete":
        event["record"] = record(number, seq)
    return {**event, **changes}


def account(seq: int, status: str, did: str = DID) -> Any:
    """An account that is no longer active."""
    return {
        "$type": f"{METHOD}#account",
        "seq": seq,
        "did": did,
        "time": _when(seq),
        "account": {"active": False, "did": did, "status": status, "seq": 9, "time": _when(seq)},
    }


def _when(second: int) -> str:
    at = datetime.fromtimestamp(datetime(2026, 1, 2, tzinfo=UTC).timestamp() + second, UTC)
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _micros(event: Any) -> int:
    return int(datetime.fromisoformat(event["time"]).timestamp() * 1_000_000)


class JetstreamServer:
    """Sends what it has from the cursor on, and then is silent."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.floor = 0
        """Events below are forgotten."""
        self.frames: Callable[[Any], str] = _message
        self.break_after: list[int] = []
        """How many events to send before the connection breaks, one for each connection."""
        self.refusals: list[tuple[int, bytes, dict[str, str]]] = []
        self.queries: list[dict[str, list[str]]] = []

    def refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        """The answer to a request that gets no websocket."""
        parts = urlsplit(request.path)
        query = parse_qs(parts.query)
        self.queries.append(query)
        if self.refusals:
            status, body, headers = self.refusals.pop(0)
            response = connection.respond(HTTPStatus(status), body.decode())
            response.headers.update(headers)
            return response
        if parts.path != f"/xrpc/{METHOD}":
            return connection.respond(HTTPStatus.NOT_FOUND, "404 page not found")
        cursor = int(query["cursor"][0]) if "cursor" in query else None
        if cursor is not None and cursor < min(self.floor, _TIMES_FROM):
            error = {"error": "CursorTooOld", "message": f"oldest is {self.floor}"}
            return connection.respond(HTTPStatus.BAD_REQUEST, json.dumps(error))
        return None

    def serve(self, connection: ServerConnection) -> None:
        """One connection."""
        query = self.queries[-1]
        cursor = int(query["cursor"][0])
        kept = [event for event in self.events if event["seq"] >= self.floor]
        last = self.events[-1]["seq"] if self.events else 0
        try:
            if cursor >= _TIMES_FROM:
                if self.floor and (not kept or cursor < _micros(kept[0])):
                    connection.send(_notice("OutdatedCursor"))
                chosen = [event for event in kept if _micros(event) >= cursor]
            elif cursor > last + 1:
                connection.send(_notice("FutureCursor"))
                chosen = []
            else:
                chosen = [event for event in kept if event["seq"] >= cursor]
            ends = self.break_after.pop(0) if self.break_after else None
            for event in chosen[:ends]:
                connection.send(self.frames(event))
            if ends is not None:
                connection.socket.close()
                return
            connection.recv(timeout=30)
        except (ConnectionClosed, OSError, TimeoutError):
            return


def _message(event: Any) -> str:
    return json.dumps({"$type": "message", "payload": event})


def _notice(name: str) -> str:
    return _message({"$type": f"{METHOD}#info", "name": name, "message": "it says"})


@contextmanager
def streaming(server: JetstreamServer) -> Iterator[str]:
    """The address of a server that runs until the block ends."""
    with _streaming(server.serve, server.refuse) as url:
        yield url


@contextmanager
def _streaming(
    handler: Callable[[ServerConnection], None],
    refuse: Callable[[ServerConnection, Request], Response | None],
) -> Iterator[str]:
    with serve(
        handler,
        "127.0.0.1",
        0,
        process_request=refuse,
        subprotocols=[Subprotocol("xrpc.v1.json")],
        compression=None,
        close_timeout=0.1,
    ) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{running.socket.getsockname()[1]}"
        running.shutdown()
        thread.join()


class Station(BaseStation):
    """The whole network's stream, in which all that happens is our posts."""

    source = "bluesky_jetstream"

    def __init__(self) -> None:
        super().__init__()
        self._log: list[Any] = []
        self._told: dict[int, Post] = {}
        self._url = ""

    @contextmanager
    def open(self) -> Iterator[None]:
        """A local server."""
        with _streaming(self._serve, self._refuse) as self._url:
            yield

    def target(self) -> Target:
        """Posts with the word."""
        params = {"words": ["tram"], "service": self._url, "patience": PATIENCE}
        return Target(source="bluesky_jetstream", key="tram", params=params)

    def listener(self) -> Listener:
        """As operators get it, but for the size of its pages."""
        return BlueskyJetstream(page=4, timeout=PATIENCE)

    def _refuse(self, connection: ServerConnection, request: Request) -> Response | None:
        fault = self.world.script.pop(0) if self.world.script else None
        connection.fault = fault  # type: ignore[attr-defined]
        if fault == "timeout":
            time.sleep(2 * PATIENCE)
        if fault in (None, "timeout", "cut off", "blocked"):
            return None
        if fault == "HTML":
            return connection.respond(HTTPStatus.OK, "<html><p>We are back soon.</p></html>")
        response = connection.respond(HTTPStatus({"5xx": 502}.get(fault) or int(fault)), "no")
        if fault == "429":
            wait = int((self.world.reset_at - datetime.now(UTC)).total_seconds()) + 1
            response.headers["Retry-After"] = str(wait)
        return response

    def _serve(self, connection: ServerConnection) -> None:
        """Everything since the cursor, then a sign of life of the present."""
        fault = connection.fault  # type: ignore[attr-defined]
        if fault == "cut off":
            connection.socket.close()
            return
        assert connection.request is not None
        cursor = int(parse_qs(urlsplit(connection.request.path).query)["cursor"][0])
        with suppress(ConnectionClosed, OSError, TimeoutError):
            sent = 0
            while fault is None and self._news(cursor, sent):
                connection.send(_message(self._news(cursor, sent)[0]))
                sent += 1
                if sent % 4 == 0:
                    self.world.after_page()
            if fault is None:
                connection.send(_message(self._sign_of_life()))
            connection.recv(timeout=5)

    def _news(self, cursor: int, sent: int) -> list[Any]:
        """What happened since the cursor, less what was sent."""
        self._tell()
        by_time = cursor >= _TIMES_FROM
        start = cursor if by_time else cursor - self.world.repeats
        return [e for e in self._log if (_micros(e) if by_time else e["seq"]) >= start][sent:]

    def _tell(self) -> None:
        """Write into the log what has happened to the posts since."""
        for post in [*self.world.posts]:
            told = self._told.get(post.number)
            if told == post:
                continue
            said = record(post.number, 0, text=post.text, createdAt=post.at.isoformat())
            event = commit(0, "create" if told is None else "update", post.number, record=said)
            if post.malformed:
                del event["record"]
            self._append(event, min(post.at, self.world.now))
            self._told[post.number] = post
        for post in [*self.world.gone]:
            if self._told.pop(post.number, None) is not None:
                self._append(commit(0, "delete", post.number), self.world.now)

    def _append(self, event: Any, at: datetime) -> None:
        last = datetime.fromisoformat(self._log[-1]["time"]) if self._log else at
        self._log.append(_dated(event, len(self._log) + 1, max(at, last)))

    def _sign_of_life(self) -> Any:
        """Somebody else's event of now, which the log need not keep."""
        event = account(0, "active", "did:plc:somebody")
        return _dated(event, max(1, len(self._log)), datetime.now(UTC))


def _dated(event: Any, seq: int, at: datetime) -> Any:
    when = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {**event, "seq": seq, "time": when, "witnessedAt": when}
