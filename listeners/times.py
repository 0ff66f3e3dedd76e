"""Times as files and feeds write them. A zone is never guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

from listeners.mention import TimeQuality

_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_TWITTER = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d) (\d{4})"
)
_SPACED_OFFSET = re.compile(r"(?<=\d) (?=[+-]\d\d:?\d\d$)")
_EPOCH = re.compile(r"-?\d{9,10}(\.\d+)?")
_EPOCH_MILLIS = re.compile(r"\d{12,13}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def parse_time(value: object, zone: tzinfo | None = None) -> tuple[datetime, TimeQuality]:
    """An instant in UTC, and how well it is known.

    Reads ISO 8601, RFC 2822, Twitter's ``Tue Oct 31 22:10:47 +0000 2017`` and seconds or
    milliseconds since 1970. A time without a zone is taken in ``zone``.

    Raises:
        ValueError: if it is none of these, or has no zone and ``zone`` is None.
    """
    text = str(value).strip()
    try:
        at = _read(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC), "server"
        if zone is None:
            raise ValueError(
                f"time {text[:40]!r} has no time zone: set timezone, as in 'Europe/Berlin'"
            )
        at = at.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"time {text[:40]!r} is out of range") from error
    return at, "day_only" if _DAY.fullmatch(text) else "assumed_zone"


def _read(text: str) -> datetime:
    if match := _TWITTER.fullmatch(text):
        return _twitter(match)
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    if _EPOCH_MILLIS.fullmatch(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    if not text.isdigit():
        try:
            return datetime.fromisoformat(_SPACED_OFFSET.sub("", text))
        except ValueError:
            pass
        try:
            return parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            pass
    raise ValueError(f"time {text[:40]!r} is in no known form: write it as 2017-10-31T22:10:47Z")


def _twitter(match: re.Match[str]) -> datetime:
    month, day, hour, minute, second, sign, zone_hours, zone_minutes, year = match.groups()
    offset = timedelta(hours=int(zone_hours), minutes=int(zone_minutes))
    if month not in _MONTHS:
        raise ValueError(f"time {match[0]!r} has no such month")
    return datetime(
        int(year),
        _MONTHS[month],
        int(day),
        int(hour),
        int(minute),
        int(second),
        tzinfo=UTC if not offset else timezone(-offset if sign == "-" else offset),
    )
