"""An incident's curve as numbers that SVG draws: bars of quarters of an hour. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from triage.incident import Point

QUARTER = timedelta(minutes=15)
MOST_BARS = 96
"""More quarters than this are put together, so that each bar can be seen."""
WIDTH, HEIGHT = 720, 120


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One bar, in the units of the drawing."""

    at: datetime
    posts: int
    x: float
    y: float
    width: float
    height: float


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn: ``bars`` side by side from the first quarter to the last, gaps as zero."""

    bars: tuple[Bar, ...]
    top: int
    """Posts of the highest bar."""
    each: timedelta
    """How long a bar is."""


def curve_of(points: Sequence[Point]) -> Curve | None:
    """The curve of these quarters; None if there are none."""
    if not points:
        return None
    first, last = points[0].at, points[-1].at
    quarters = int((last - first) / QUARTER) + 1
    together = -(-quarters // MOST_BARS)
    counts = [0] * -(-quarters // together)
    for point in points:
        counts[int((point.at - first) / QUARTER) // together] += point.posts
    top = max(counts)
    step = WIDTH / max(len(counts), 12)
    bars = tuple(
        Bar(
            at=first + QUARTER * together * number,
            posts=count,
            x=round(step * number, 1),
            y=round(HEIGHT * (1 - count / top), 1),
            width=round(step * 0.85, 1),
            height=round(HEIGHT * count / top, 1),
        )
        for number, count in enumerate(counts)
    )
    return Curve(bars=bars, top=top, each=QUARTER * together)
