"""The wire of Jetstream, version 2: a websocket that sends numbered events as JSON."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from listeners.contract import Budget
from listeners.errors import SchemaChanged, Transient
from listeners.http import USER_AGENT, raise_for_status
from listeners.mapping import MALFORMED
from listeners.times import parse_time

METHOD = "network.bsky.jetstream.subscribeEvents"
POSTS = "app.bsky.feed.post"
TIMEOUT = 20.0
_MAX_BYTES = 1024 * 1024
_BATCH_SECONDS = 20.0


class TooOld(SchemaChanged):
    """The server has forgotten the event to go on from."""


class Batch(msgspec.Struct):
    """What came in."""

    events: list[Any] = []
    broken: list[str] = []
    """Frames that are not what the stream sends."""
    notices: list[str] = []
    """What the server says about itself, by name."""
    caught_up: bool = False
    """An event of the time asked for was seen, or nothing came for so long."""
    lost: bool = False
    """The connection ended."""


def dial(service: str, cursor: int, budget: Budget, timeout: float = TIMEOUT) -> ClientConnection:
    """A connection that sends the events from ``cursor`` on: a number, or microseconds.

    Raises:
        TooOld: if the server has forgotten that number.
        SchemaChanged: if it does not speak the protocol.
        Transient: if it does not answer.
        ListenerError: what its refusal means (`listeners.http.raise_for_status`).
    """
    asked = [("collections", POSTS), ("kinds", "commit"), ("kinds", "account")]
    service = service.rstrip("/")
    budget.take()
    try:
        sock = _socket(service, budget, timeout)
        return connect(
            f"{service}/xrpc/{METHOD}?{urlencode([*asked, ('cursor', cursor)])}",
            sock=sock,
            subprotocols=[Subprotocol("xrpc.v1.json")],
            compression=None,
            open_timeout=timeout,
            close_timeout=1.0,
            max_size=_MAX_BYTES,
            proxy=budget.reach.proxy if sock is None else None,
            user_agent_header=USER_AGENT,
        )
    except InvalidStatus as error:
        answer = error.response
        if answer.status_code == 400 and b"CursorTooOld" in answer.body:
            raise TooOld(f"{service} forgets too fast: listen more often") from error
        headers = {name.lower(): value for name, value in answer.headers.raw_items()}
        raise_for_status(service, answer.status_code, headers, budget.now)
        raise SchemaChanged(f"{service} is no Jetstream: correct the service") from error
    except OSError as error:
        raise Transient(f"{service} did not answer ({error}): tried again next time") from error
    except (InvalidHandshake, ValueError) as error:
        raise SchemaChanged(f"{service} is no Jetstream ({error}): correct the service") from error


def _socket(service: str, budget: Budget, timeout: float) -> socket.socket | None:
    """A connection to an address that was checked; None if a proxy is to make it."""
    parts = urlsplit(service)
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    addresses = budget.reach.addresses(parts.hostname or "", port)
    if budget.reach.proxy is not None and not any(map(budget.reach.allows, addresses)):
        return None
    problem = OSError("no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=timeout)
        except OSError as error:
            problem = error
    raise problem


def read(
    connection: ClientConnection,
    *,
    size: int,
    until: datetime,
    patience: float,
    clock: Callable[[], float],
) -> Batch:
    """The next ``size`` frames, or fewer: up to an event of ``until``, or to an end.

    Ends after 20 seconds of ``clock`` at the latest, so that what came is stored.
    """
    batch = Batch()
    ends = clock() + _BATCH_SECONDS
    while len(batch.events) + len(batch.broken) < size and clock() < ends:
        try:
            frame = connection.recv(timeout=patience)
        except TimeoutError:
            batch.caught_up = True
            break
        except ConnectionClosed:
            batch.lost = True
            break
        _take(frame, batch)
        if batch.events and (at := seen_at(batch.events[-1])) is not None and at >= until:
            batch.caught_up = True
            break
    return batch


def _take(frame: str | bytes, batch: Batch) -> None:
    try:
        envelope = msgspec.json.decode(frame)
        payload = envelope.get("payload")
        if envelope["$type"] == "error":
            batch.notices.append(str(envelope.get("error")))
        elif payload["$type"] == f"{METHOD}#info":
            batch.notices.append(str(payload.get("name")))
        else:
            batch.events.append(payload)
    except (*MALFORMED, msgspec.MsgspecError):
        text = frame if isinstance(frame, str) else frame.decode(errors="replace")
        batch.broken.append(text[:2_000])


def seen_at(event: Any) -> datetime | None:
    """When the server saw an event: what times of its cursors go by."""
    try:
        return parse_time(event.get("witnessedAt") or event["time"])[0]
    except MALFORMED:
        return None


def seq_of(event: Any) -> int | None:
    """The number that the server gave an event."""
    seq = event.get("seq")
    return seq if isinstance(seq, int) else None


def is_commit(event: Any) -> bool:
    """Whether something became of a post."""
    return bool(event["$type"] == f"{METHOD}#commit" and event["collection"] == POSTS)


def gone_account(event: Any) -> str | None:
    """The account that an event says is deleted or taken down."""
    account = event.get("account")
    if event.get("$type") != f"{METHOD}#account" or not isinstance(account, dict):
        return None
    return str(event.get("did")) if account.get("status") in ("deleted", "takendown") else None
