"""What a network says about its limits: headers in all the forms that are in use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import msgspec

LONGEST_WAIT = timedelta(days=1)
_LEFT = ("ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining")
_RESET = ("ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset")
_APPLE = re.compile(r"user-hour-rem:(\d+)")
_EPOCH = 1_000_000_000
"""A reset from here on is a time, below it a number of seconds."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is left of an allowance, and when it is renewed; None where nobody said."""

    left: int | None = None
    reset_at: datetime | None = None


def read_limits(headers: Mapping[str, str], now: datetime) -> Limits:
    """The limits of an answer; ``headers`` looks names up in lower case.

    Understands ``RateLimit-*``, ``X-RateLimit-*`` and ``X-Rate-Limit-*`` with a reset in
    seconds, as seconds since 1970 or as ISO 8601, and Apple's ``X-Rate-Limit``.
    """
    left = next((value for name in _LEFT if (value := headers.get(name))), None)
    reset = next((value for name in _RESET if (value := headers.get(name))), None)
    if left is None and (found := _APPLE.search(headers.get("x-rate-limit", ""))):
        left = found[1]
    return Limits(left=_whole(left), reset_at=_reset(reset, now))


def retry_at(value: str | None, now: datetime) -> datetime | None:
    """When a ``Retry-After`` (seconds or an HTTP date) lets us come back; a day at most.

    None if there is no such header or it cannot be read.
    """
    if value is None:
        return None
    value = value.strip()
    try:
        if value.isdecimal():
            at = now + timedelta(seconds=min(int(value), LONGEST_WAIT.total_seconds()))
        else:
            at = parsedate_to_datetime(value)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return within_a_day(at, now)


def within_a_day(at: datetime, now: datetime) -> datetime:
    """``at``, but not before ``now`` and at most a day after it: servers' clocks go wrong."""
    return min(max(at, now), now + LONGEST_WAIT)


def _whole(value: str | None) -> int | None:
    try:
        return None if value is None else max(0, int(float(value)))
    except (ValueError, OverflowError):
        return None


def _reset(value: str | None, now: datetime) -> datetime | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        try:
            at = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        return within_a_day(at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC), now)
    try:
        seconds = number - now.timestamp() if number >= _EPOCH else number
        at = now + timedelta(seconds=min(seconds, LONGEST_WAIT.total_seconds()))
    except (ValueError, OverflowError):
        return None
    return within_a_day(at, now)
