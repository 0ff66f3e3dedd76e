"""Fetch one page over HTTP: bounded in time, size and redirects; failures by class."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TypeVar

import httpx
import msgspec

from listeners.errors import (
    AuthFailed,
    BadTarget,
    RateLimited,
    SchemaChanged,
    TargetGone,
    Transient,
)

T = TypeVar("T")

USER_AGENT = "outcry (feed reader)"
TRIES = 3
_FIRST_PAUSE = 0.5
_DEFAULT_WAIT = timedelta(minutes=15)
_LONGEST_WAIT = timedelta(days=1)


class Fetched(msgspec.Struct, frozen=True):
    """An answer; 304 has no body."""

    status: int
    url: str
    """After redirects."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


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
    """Gets pages with one set of limits. Safe to share; holds no cookies between calls."""

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

    def get(self, url: str, *, now: datetime, headers: Mapping[str, str] | None = None) -> Fetched:
        """The page at ``url``; ``now`` is what a relative ``Retry-After`` counts from.

        Raises:
            Transient: on timeouts, broken connections and 5xx, after three tries.
            RateLimited: on 429, and on 503 that says when to come back.
            AuthFailed: on 401, 403 and 407.
            TargetGone: on 404 and 410.
            BadTarget: if the address is none of HTTP's, or redirects without end.
            SchemaChanged: if the answer is too large, or any other status.
        """
        return with_retries(
            lambda: self._get(url, now, headers or {}), sleep=self._sleep, jitter=self._jitter
        )

    def _get(self, url: str, now: datetime, headers: Mapping[str, str]) -> Fetched:
        try:
            with (
                httpx.Client(
                    timeout=self._timeout,
                    follow_redirects=True,
                    max_redirects=self._max_redirects,
                    headers={"user-agent": USER_AGENT, **headers},
                    verify=_trusted(),
                ) as client,
                client.stream("GET", url) as response,
            ):
                raise_for_status(url, response.status_code, response.headers, now)
                body = self._read(url, response)
                return Fetched(response.status_code, str(response.url), response.headers, body)
        except httpx.TooManyRedirects as error:
            raise BadTarget(f"{url} redirects without end: correct the address") from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, httpx.LocalProtocolError) as error:
            raise BadTarget(
                f"{url} is not an address of the web: give http:// or https://"
            ) from error
        except httpx.DecodingError as error:
            raise Transient(f"{url} sent a damaged answer: it is tried again next time") from error
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise Transient(f"{url} did not answer ({reason}): tried again next time") from error

    def _read(self, url: str, response: httpx.Response) -> bytes:
        deadline = time.monotonic() + self._total_timeout
        chunks: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self._max_bytes:
                raise SchemaChanged(
                    f"{url} sent more than {self._max_bytes} bytes: "
                    "give the address of a feed with fewer entries"
                )
            if time.monotonic() > deadline:
                raise Transient(f"{url} sends too slowly: it is tried again next time")
            chunks.append(chunk)
        return b"".join(chunks)


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that we trust; reading them takes longer than most requests."""
    return httpx.create_ssl_context()


def raise_for_status(url: str, status: int, headers: Mapping[str, str], now: datetime) -> None:
    """Raise what an answer's status means, as `Fetcher.get` says; 2xx and 304 mean nothing."""
    if 200 <= status < 300 or status == 304:
        return
    wait = retry_at(headers.get("retry-after"), now)
    if status == 429 or (status == 503 and wait is not None):
        at = wait or now + _DEFAULT_WAIT
        raise RateLimited(f"{url} asks to come back at {at.isoformat()}: listen less often", at)
    if status >= 500 or status in (408, 425):
        raise Transient(f"{url} failed with status {status}: it is tried again next time")
    if status in (401, 403, 407):
        raise AuthFailed(f"{url} refuses us with status {status}: check the access it needs")
    if status in (404, 410):
        raise TargetGone(f"{url} is not there (status {status}): correct or remove the target")
    raise SchemaChanged(f"{url} answered with status {status}: open it in a browser and compare")


def retry_at(value: str | None, now: datetime) -> datetime | None:
    """When a ``Retry-After`` (seconds or an HTTP date) lets us come back; a day at most.

    None if there is no such header or it cannot be read.
    """
    if value is None:
        return None
    value = value.strip()
    try:
        if value.isdecimal():
            at = now + timedelta(seconds=min(int(value), _LONGEST_WAIT.total_seconds()))
        else:
            at = parsedate_to_datetime(value)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(at, now), now + _LONGEST_WAIT)
