"""Ask over HTTP: bounded in time, size, redirects and reach; failures by class.

`Fetcher.get` is for pages and feeds, `Fetcher.json` for the interfaces of networks. Both
are given the run's `Budget`: it says what time it is, where we may connect to, and how
many calls are left to the credential.
"""

from __future__ import annotations

import base64
import logging
import random
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
import msgspec

from listeners.contract import Budget
from listeners.errors import (
    AuthFailed,
    BadTarget,
    ListenerError,
    RateLimited,
    SchemaChanged,
    TargetGone,
    Transient,
)
from listeners.guard import Guarded
from listeners.limits import Limits, read_limits, retry_at
from listeners.reach import Reach, host_and_port, shown

T = TypeVar("T")

USER_AGENT = "outcry (feed reader)"
TRIES = 3
_FIRST_PAUSE = 0.5
_DEFAULT_WAIT = timedelta(minutes=15)

# It writes every address to the log, and some networks want their key in the address.
logging.getLogger("httpx").setLevel(logging.WARNING)


class Fetched(msgspec.Struct, frozen=True):
    """An answer; 304 has no body."""

    status: int
    url: str
    """After redirects."""
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    body: bytes


class Json(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that was JSON."""

    value: Any
    status: int
    headers: Mapping[str, str]
    limits: Limits
    """What the answer said about the allowance."""

    @property
    def quota_left(self) -> int | None:
        """Calls left, for `Page.quota_left`."""
        return self.limits.left


Judge = Callable[[Fetched], ListenerError | None]
"""Looks at an answer before anybody else and gives the error that it means, or None.

For networks that say in the body what their status does not tell.
"""


class Unauthorised(AuthFailed):
    """401: another token may do."""


class Bearer:
    """An access token that is renewed when it is refused, once a call.

    ``renew`` fetches a new one; it is first asked for when there is none. Lives as long as
    the object, so keep it for a run: nothing here is written to disk.
    """

    def __init__(self, renew: Callable[[], str], token: str | None = None) -> None:
        self._renew = renew
        self._token = token

    def header(self) -> str:
        """The value of the ``Authorization`` header."""
        if self._token is None:
            self._token = self._renew()
        return f"Bearer {self._token}"

    def refused(self) -> None:
        """Forget the token, so that the next call fetches another."""
        self._token = None


def basic(user: str, password: str) -> str:
    """The value of the ``Authorization`` header for a user and a password."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def with_retries(
    call: Callable[[], T],
    *,
    sleep: Callable[[float], None] = time.sleep,
    jitter: Callable[[], float] = random.random,
) -> T:
    """The result of ``call``, tried up to three times over `Transient` failures.

    Sleeps half a second and then one at most, times ``jitter``; `RateLimited` is not tried
    again, because only the scheduler may wait that long.
    """
    for attempt in range(TRIES - 1):
        try:
            return call()
        except RateLimited:
            raise
        except Transient:
            sleep(_FIRST_PAUSE * 2**attempt * jitter())
    return call()


class Fetcher:
    """Asks with one set of limits. Safe to share; holds no cookies between calls.

    Connections stay open for the next call, until the fetcher is let go.
    """

    def __init__(
        self,
        *,
        timeout: float = 20.0,
        total_timeout: float = 60.0,
        max_bytes: int = 10 * 1024 * 1024,
        max_redirects: int = 5,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._timeout = timeout
        self._total_timeout = total_timeout
        self._max_bytes = max_bytes
        self._max_redirects = max_redirects
        self._sleep = sleep
        self._jitter = jitter
        self._ways: dict[Reach, Guarded] = {}
        weakref.finalize(self, _close_all, self._ways)

    def get(self, url: str, *, budget: Budget, headers: Mapping[str, str] | None = None) -> Fetched:
        """The page at ``url``; each try is a call of the budget.

        What is in ``headers`` is not sent on to another host.

        Raises:
            Transient: on timeouts, broken connections and 5xx, after three tries.
            RateLimited: on 429, and on 503 that says when to come back.
            AuthFailed: on 401, 403 and 407.
            TargetGone: on 404 and 410.
            BadTarget: if the address is none of HTTP's, leads where ``budget.reach`` does
                not, or redirects without end.
            SchemaChanged: if the answer is too large, or any other status.
        """

        def once() -> Fetched:
            budget.take()
            answer = self._ask(url, budget, headers=headers or {})
            raise_for_status(url, answer.status, answer.headers, budget.now)
            return answer

        return with_retries(once, sleep=self._sleep, jitter=self._jitter)

    def json(
        self,
        url: str,
        *,
        budget: Budget,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        body: Any = None,
        bearer: Bearer | None = None,
        judge: Judge | None = None,
        calls: float = 1,
    ) -> Json:
        """What an interface answers, as plain values.

        GET, or POST where there is a ``form`` or a ``body`` (sent as JSON). ``params`` that
        are None are left out. ``calls`` is what each try takes from the budget; an answer
        that says that nothing is left keeps all from asking before the time that it gives.

        Raises:
            Transient: as `get`, and if the JSON breaks off, after three tries.
            SchemaChanged: as `get`, and if a page of HTML comes instead.
            AuthFailed: as `get`; with a ``bearer`` only if its next token is refused too.
            RateLimited, TargetGone, BadTarget: as `get`.
            ListenerError: what ``judge`` gives.
        """
        given = {k: v for k, v in (params or {}).items() if v is not None}
        options: dict[str, Any] = {"params": given or None, "data": form}
        if body is not None:
            options["content"] = msgspec.json.encode(body)

        def asked() -> Fetched:
            sent = {"accept": "application/json", **(headers or {})}
            if body is not None:
                sent["content-type"] = "application/json"
            if bearer is not None:
                sent["authorization"] = bearer.header()
            budget.take(calls)
            return self._ask(url, budget, headers=sent, **options)

        def once() -> Json:
            answer = asked()
            if answer.status == 401 and bearer is not None:
                bearer.refused()
                answer = asked()
            found = _judged(url, answer, budget.now, judge)
            if found.limits.left == 0 and found.limits.reset_at is not None:
                budget.block(found.limits.reset_at)
            return found

        return with_retries(once, sleep=self._sleep, jitter=self._jitter)

    def _ask(
        self, url: str, budget: Budget, *, headers: Mapping[str, str], **options: Any
    ) -> Fetched:
        host_and_port(url)
        method = "POST" if options.get("data") or options.get("content") else "GET"
        with _named(url):
            # Of each call a new one, for its cookies; it is not closed, for its connections.
            client = httpx.Client(
                timeout=self._timeout,
                headers={"user-agent": USER_AGENT},
                transport=self._ways.setdefault(budget.reach, Guarded(budget.reach)),
            )
            request = client.build_request(method, url, headers=headers, **options)
            for _ in range(self._max_redirects + 1):
                response = client.send(request, stream=True)
                try:
                    if response.next_request is None:
                        found = str(response.url)
                        body = self._read(url, response)
                        return Fetched(response.status_code, found, response.headers, body)
                    request = _onwards(request, response.next_request, headers)
                finally:
                    response.close()
        raise BadTarget(f"{shown(url)} redirects without end: correct the address")

    def _read(self, url: str, response: httpx.Response) -> bytes:
        deadline = time.monotonic() + self._total_timeout
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self._max_bytes:
                raise SchemaChanged(
                    f"{shown(url)} sent more than {self._max_bytes} bytes: "
                    "give the address of a feed with fewer entries"
                )
            if time.monotonic() > deadline:
                raise Transient(f"{shown(url)} sends too slowly: it is tried again next time")
            chunks.append(chunk)
        return b"".join(chunks)


def _close_all(ways: Mapping[Reach, Guarded]) -> None:
    for way in ways.values():
        way.close()


@contextmanager
def _named(url: str) -> Iterator[None]:
    """The client's errors by our classes, without what an address may hide."""
    try:
        yield
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
        raise BadTarget(
            f"{shown(url)} is not an address of the web: give http:// or https://"
        ) from error
    except httpx.DecodingError as error:
        raise Transient(f"{shown(url)} sent a damaged answer: tried again next time") from error
    except httpx.TransportError as error:
        reason = str(error) or type(error).__name__
        raise Transient(f"{shown(url)} did not answer ({reason}): tried again next time") from error


def _onwards(
    asked: httpx.Request, following: httpx.Request, headers: Mapping[str, str]
) -> httpx.Request:
    """The request after a redirect; what may be a secret stays with the host it was for."""
    if (asked.url.scheme, asked.url.netloc) != (following.url.scheme, following.url.netloc):
        if following.method == "POST":
            raise BadTarget(f"{shown(str(asked.url))} moved to another host: correct the address")
        for name in headers:
            if name.lower() not in ("accept", "user-agent"):
                following.headers.pop(name, None)
    return following


def _judged(url: str, answer: Fetched, now: datetime, judge: Judge | None) -> Json:
    error = judge(answer) if judge is not None else None
    if error is not None:
        raise error
    raise_for_status(url, answer.status, answer.headers, now)
    return Json(
        value=decoded(url, answer.body),
        status=answer.status,
        headers=answer.headers,
        limits=read_limits(answer.headers, now),
    )


def decoded(url: str, body: bytes) -> Any:
    """The values of a JSON text.

    Raises:
        SchemaChanged: if it is something else, such as a page of HTML.
        Transient: if it begins as JSON and breaks off.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        if body.lstrip()[:1] in (b"[", b"{"):
            raise Transient(f"{shown(url)} sent JSON that breaks off: tried again") from error
        raise SchemaChanged(
            f"{shown(url)} sent no JSON: open it in a browser and compare"
        ) from error


def raise_for_status(url: str, status: int, headers: Mapping[str, str], now: datetime) -> None:
    """Raise what an answer's status means, as `Fetcher.get` says; 2xx and 304 mean nothing.

    When to come back is taken from ``Retry-After``, else from the network's own headers
    (`listeners.limits`), else it is in a quarter of an hour.
    """
    if 200 <= status < 300 or status == 304:
        return
    place = shown(url)
    wait = retry_at(headers.get("retry-after"), now)
    if status == 429 or (status == 503 and wait is not None):
        at = wait or read_limits(headers, now).reset_at or now + _DEFAULT_WAIT
        raise RateLimited(f"{place} asks to come back at {at.isoformat()}: listen less often", at)
    if status >= 500 or status in (408, 425):
        raise Transient(f"{place} failed with status {status}: it is tried again next time")
    if status in (401, 403, 407):
        refusal = Unauthorised if status == 401 else AuthFailed
        raise refusal(f"{place} refuses us with status {status}: check the access it needs")
    if status in (404, 410):
        raise TargetGone(f"{place} is not there (status {status}): correct or remove the target")
    raise SchemaChanged(f"{place} answered with status {status}: open it in a browser and compare")
