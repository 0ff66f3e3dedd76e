"""When a department works: opening hours in its own time zone, holidays, and sums of open time.

Hours are local wall times, so that a day on which clocks are put forward or back has its real
length. Everything is computed in UTC between whole opening times; a calendar that is open at
all within a year is assumed by `OpenHours.after`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_LONGEST_CLOSED = 370

Interval = tuple[datetime, datetime]


class Calendar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Opening hours as an operator writes them."""

    zone: str = "UTC"
    """IANA name, as ``Africa/Johannesburg``."""
    hours: Mapping[str, str] = msgspec.field(default_factory=lambda: {"mon-fri": "08:00-17:00"})
    """Days (``mon``, ``mon-fri``) to hours (``08:00-12:00 13:00-17:00``); 24:00 is midnight."""
    holidays: str = ""
    """Country, or country-subdivision, whose public holidays are free: ``ZA``, ``DE-BY``."""
    closed: tuple[date, ...] = ()
    """Further days on which nobody works."""
    open: tuple[date, ...] = ()
    """Days on which they work although they are public holidays."""

    def faults(self) -> Iterator[str]:
        """What is wrong with it, in words."""
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            yield f"zone: {self.zone!r} is no time zone; write it like Africa/Johannesburg"
        for days, hours in self.hours.items():
            if not all(day in DAYS for day in days.split("-")) or days.count("-") > 1:
                yield f"hours: {days!r} are no days; write mon, or mon-fri"
            spans = [_times(span) for span in hours.split()]
            if not spans or any(span is None or span[0] >= span[1] for span in spans):
                yield f"hours.{days}: {hours!r} are no hours; write 08:00-12:00 13:00-17:00"
        if not self.hours:
            yield "hours: it is never open; give it hours"
        if self.holidays:
            try:
                _free_days(self.holidays, 2024)
            except NotImplementedError:
                yield f"holidays: {self.holidays!r} is not known; write ZA, or DE-BY"


class OpenHours:
    """A calendar that can be asked; without one it is always open."""

    def __init__(self, calendar: Calendar | None = None) -> None:
        self._calendar = calendar
        self._zone = ZoneInfo(calendar.zone) if calendar else ZoneInfo("UTC")
        self._week = _week(calendar.hours) if calendar else ()

    def after(self, start: datetime, span: timedelta, pauses: Sequence[Interval] = ()) -> datetime:
        """When ``span`` of open time has passed since ``start``, not counting ``pauses``."""
        left = span
        for begin, end in self._running(start, pauses):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        raise ValueError("the calendar is never open: give it hours")

    def between(self, start: datetime, end: datetime, pauses: Sequence[Interval] = ()) -> timedelta:
        """Open time from ``start`` to ``end``, not counting ``pauses``."""
        total = timedelta()
        if end <= start:
            return total
        for begin, until in self._running(start, pauses):
            if begin >= end:
                break
            total += min(until, end) - begin
        return total

    def is_open(self, at: datetime) -> bool:
        return next(self._open(at))[0] <= at

    def _running(self, start: datetime, pauses: Sequence[Interval]) -> Iterator[Interval]:
        """Open times from ``start`` on, without the pauses, in order."""
        ordered = sorted(pauses)
        for begin, end in self._open(start):
            at = max(begin, start)
            for off, on in ordered:
                if on <= at or off >= end:
                    continue
                if off > at:
                    yield at, off
                at = max(at, on)
            if at < end:
                yield at, end

    def _open(self, start: datetime) -> Iterator[Interval]:
        """Opening times that end after ``start``, in UTC."""
        if self._calendar is None:
            yield start, datetime.max.replace(tzinfo=UTC)
            return
        day = start.astimezone(self._zone).date() - timedelta(days=1)
        closed = 0
        while closed < _LONGEST_CLOSED:
            spans = self._spans(day)
            closed = 0 if spans else closed + 1
            yield from ((begin, end) for begin, end in spans if end > start)
            day += timedelta(days=1)

    def _spans(self, day: date) -> list[Interval]:
        calendar = self._calendar
        assert calendar is not None
        free = day in calendar.closed or (
            calendar.holidays
            and day not in calendar.open
            and day in _free_days(calendar.holidays, day.year)
        )
        if free:
            return []
        return [
            (self._at(day, begin), self._at(day, end)) for begin, end in self._week[day.weekday()]
        ]

    def _at(self, day: date, minutes: int) -> datetime:
        day += timedelta(days=minutes // 1440)
        local = datetime.combine(day, time(minutes % 1440 // 60, minutes % 60), self._zone)
        return local.astimezone(UTC)


@lru_cache(maxsize=256)
def _free_days(place: str, year: int) -> frozenset[date]:
    """Public holidays; raises `NotImplementedError` for a place that is not known."""
    from holidays import country_holidays

    country, _, part = place.partition("-")
    return frozenset(country_holidays(country, subdiv=part or None, years=year))


def _week(hours: Mapping[str, str]) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Minutes of each weekday on which it is open, in order."""
    week: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for days, written in hours.items():
        first, _, last = days.partition("-")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        listed = range(begin, end + 1 if end >= begin else end + 1 + len(DAYS))
        for span in map(_times, written.split()):
            if span is not None:
                for day in listed:
                    week[day % len(DAYS)].append(span)
    return tuple(tuple(sorted(spans)) for spans in week)


def _times(span: str) -> tuple[int, int] | None:
    found = _SPAN.fullmatch(span)
    if found is None:
        return None
    begin, end = (int(found[n]) * 60 + int(found[n + 1]) for n in (1, 3))
    return (begin, end) if max(begin, end) <= 1440 and int(found[2]) < 60 > int(found[4]) else None
