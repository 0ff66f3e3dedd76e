"""What agents decided, as rows to teach and judge a model with; their texts are masked.

A row keeps its side for good: which of the older ones are held out is drawn from the ticket's id,
so that a champion of last month is judged on rows that taught neither it nor its challenger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from models.groups import near_duplicates

LATEST: Final = timedelta(weeks=4)
"""What was decided so lately teaches nothing yet: a challenger has to be better there."""
LEAST_TAUGHT: Final = 30
"""Rows of each kind, complaints and others, that a challenger learns from."""
LEAST_JUDGED: Final = 10
"""Rows of each kind that it is judged on."""
_HELD_OUT: Final = 5
"""One in so many of the older rows."""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """How a case ended, and the masked text that opened it."""

    ticket: str
    text: str
    complaint: bool
    at: datetime


class Row(Protocol):
    """What agents said of a case."""

    @property
    def ticket(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def at(self) -> datetime: ...


R = TypeVar("R", bound=Row)


class Split(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """Rows by what they are for, each in the order given."""

    taught: list[R]
    """Near-copies of the others are left out."""
    held_out: list[R]
    latest: list[R]

    @property
    def judged(self) -> list[R]:
        """The rows that a model is judged on."""
        return self.held_out + self.latest


def split(rows: Sequence[R], now: datetime) -> Split[R]:
    """The rows to teach with, those held out for good, and those of the last weeks."""
    latest = [row.at >= now - LATEST for row in rows]
    held = [not late and _is_held_out(row) for row, late in zip(rows, latest, strict=True)]
    groups = near_duplicates([row.text for row in rows])
    judged = {group for group, a, b in zip(groups, latest, held, strict=True) if a or b}
    return Split(
        taught=[row for row, group in zip(rows, groups, strict=True) if group not in judged],
        held_out=[row for row, chosen in zip(rows, held, strict=True) if chosen],
        latest=[row for row, chosen in zip(rows, latest, strict=True) if chosen],
    )


def shortage(parts: Split[Decided]) -> str | None:
    """Why these rows are too few to teach and judge with; None if they are enough."""
    for what, rows, least in (
        ("to learn from", parts.taught, LEAST_TAUGHT),
        ("to be judged on", parts.judged, LEAST_JUDGED),
    ):
        complaints = sum(row.complaint for row in rows)
        others = len(rows) - complaints
        if min(complaints, others) < least:
            return (
                f"too few outcomes {what}: {complaints} complaints and {others} that were none, "
                f"of each {least} are needed; go on closing tickets with their outcomes"
            )
    return None


def _is_held_out(row: Row) -> bool:
    return hashlib.sha256(row.ticket.encode()).digest()[0] % _HELD_OUT == 0


def digest(rows: Sequence[Row]) -> str:
    """The SHA-256 of rows, in hexadecimal."""
    return hashlib.sha256(msgspec.json.encode(list(rows))).hexdigest()
