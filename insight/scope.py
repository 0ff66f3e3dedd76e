"""What a report is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WEEK: Final = timedelta(days=7)
MONTH: Final = timedelta(days=28)
"""Whole weeks, so that it has as many of each weekday as the month before."""
SORTED_BY_HAND: Final = "sort by hand"


@dataclass(frozen=True)
class Scope:
    """What a report is about: a stretch of time, and perhaps a department or an incident."""

    title: str
    start: datetime
    end: datetime
    department: str | None = None
    """One department, or `SORTED_BY_HAND`."""
    incident: str | None = None
