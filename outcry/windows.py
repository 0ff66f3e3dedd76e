"""Windows: the stretches of time that runs are about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from listeners.landing import window_name, window_start


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A half-open stretch of time, ``[start, end)``, aware and in UTC."""

    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """How the landing zone calls it."""
        return window_name(self.start)


def window_of(at: datetime, minutes: int) -> Window:
    """The window of a day's grid of ``minutes`` that ``at`` falls into.

    The grid starts at midnight UTC, so every process cuts the day alike.
    """
    at = at.astimezone(UTC)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    step = timedelta(minutes=minutes)
    start = midnight + ((at - midnight) // step) * step
    return Window(start=start, end=start + step)


def window_named(name: str, minutes: int) -> Window | None:
    """The window of this name; None for the name of a file or a sender."""
    start = window_start(name)
    return None if start is None else Window(start=start, end=start + timedelta(minutes=minutes))
