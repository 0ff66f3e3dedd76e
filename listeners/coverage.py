"""The ledger added up: what was asked and heard of each target, and what is known to be missing.

Counts are of windows that begin in the period; files count on the day they were imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Literal

import msgspec

from listeners.landing import Landing, window_name, window_start
from listeners.ledger import LedgerRow, rows
from listeners.recheck import SUFFIX

Unit = Literal["day", "month"]
Heard = Callable[[LedgerRow], bool]

FORMS = {"day": "%Y-%m-%d", "month": "%Y-%m"}
"""How a period is written."""
HEARD_BEFORE = 8
"""Windows in which a target must have been heard before its silence means something."""
TIMES_LONGER = 3
"""A silence is alarming when it is so many times longer than the longest before it."""
HISTORY = timedelta(days=60)
_REASONS = 20


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One target in one period."""

    source: str
    target: str
    period: str
    """``2026-11-20`` or ``2026-11``, UTC."""
    asked: int
    """Windows."""
    answered: int
    """Windows whose last run ended well, or was only cut off."""
    received: int
    """Items that the source sent."""
    new: int
    changed: int
    deleted: int
    duplicate: int
    rejected: int
    cut_off: int
    """Windows that ended before their source did; the next one went on from there."""
    quota_left: int | None
    """Calls that the network said were left, when it last did; see also `listeners.spending`."""
    missing: tuple[str, ...]
    """What is known to be missing, and why; the first `_REASONS` of them."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A target that used to be heard and is silent."""

    source: str
    target: str
    since: str
    """Its first silent window."""
    windows: int
    words: str


def period_of(row: LedgerRow, unit: Unit) -> str:
    """The day or month that a row belongs to."""
    return _started(row).strftime(FORMS[unit])


def coverage(
    landing: Landing, unit: Unit, period: str | None = None, *, by: Unit | None = None
) -> list[Line]:
    """A line for each target and period, sorted; those of one day or month if it is given.

    ``by`` splits a month into days.

    Raises:
        LandingError: if the ledger cannot be read.
    """
    prefix = (period or "").replace("-", "")
    # Others are named for something else than a time, such as an imported file.
    near = rows(landing, wanted=lambda name: name.startswith(prefix) or not window_start(name))
    chosen = (row for row in near if period in (None, period_of(row, unit)))
    of: dict[tuple[str, str, str], Line] = {}
    for row in chosen:
        key = (row.source, row.target, period_of(row, by or unit))
        of[key] = _added(of.get(key) or _empty(*key), row)
    return [of[key] for key in sorted(of)]


def silences(landing: Landing, now: datetime) -> list[Alert]:
    """Targets that were heard in many windows and are silent longer than they ever were.

    Goes by what was asked in the last `HISTORY`. Two silences are told apart: a source that
    sends nothing at all, and one that goes on sending what is known. A window whose run failed
    is neither, nor is looking again at what was heard (`listeners.recheck`), which may find
    nothing.

    Raises:
        LandingError: if the ledger cannot be read.
    """
    of: dict[tuple[str, str], list[LedgerRow]] = {}
    since = window_name(now - HISTORY)
    for row in rows(landing, wanted=lambda name: bool(window_start(name)) and name >= since):
        again = row.target.endswith(SUFFIX)
        if row.outcome in ("ok", "partial") and row.error is None and not again:
            of.setdefault((row.source, row.target), []).append(row)
    found = []
    for (source, target), history in sorted(of.items()):
        history.sort(key=lambda row: row.window)
        alert = _silence(history, lambda row: row.got > 0, "sends nothing")
        alert = alert or _silence(history, lambda row: row.new > 0, "sends nothing new")
        if alert is not None:
            since, windows, words = alert
            found.append(
                Alert(source=source, target=target, since=since, windows=windows, words=words)
            )
    return found


def _silence(history: list[LedgerRow], heard: Heard, what: str) -> tuple[str, int, str] | None:
    streaks = [(key, list(some)) for key, some in groupby(history, key=heard)]
    if not streaks or streaks[-1][0]:
        return None
    silent = streaks[-1][1]
    before = streaks[:-1]
    times = sum(len(some) for key, some in before if key)
    longest = max((len(some) for key, some in before if not key), default=0)
    if times < HEARD_BEFORE or len(silent) <= TIMES_LONGER * longest:
        return None
    usual = f"never longer than {longest}" if longest else "never silent"
    return (
        silent[0].window,
        len(silent),
        f"{what} in {len(silent)} windows, was {usual} before: open it in a browser and compare",
    )


def _started(row: LedgerRow) -> datetime:
    return window_start(row.window) or row.finished_at.astimezone(UTC)


def _empty(source: str, target: str, period: str) -> Line:
    counts = dict.fromkeys(
        ("asked", "answered", "received", "new", "changed", "deleted", "duplicate"), 0
    )
    return Line(
        source=source,
        target=target,
        period=period,
        rejected=0,
        cut_off=0,
        quota_left=None,
        missing=(),
        **counts,
    )


def _added(line: Line, row: LedgerRow) -> Line:
    reasons = dict.fromkeys((*line.missing, *_missing(row)))
    return msgspec.structs.replace(
        line,
        asked=line.asked + 1,
        answered=line.answered + (row.error is None and row.outcome in ("ok", "partial")),
        received=line.received + row.got,
        new=line.new + row.new,
        changed=line.changed + row.changed,
        deleted=line.deleted + row.deleted,
        duplicate=line.duplicate + row.duplicate,
        rejected=line.rejected + row.rejected,
        cut_off=line.cut_off + row.cut_off,
        quota_left=line.quota_left if row.quota_left is None else row.quota_left,
        missing=tuple(reasons)[:_REASONS],
    )


def _missing(row: LedgerRow) -> Iterable[str]:
    yield from row.gaps
    if row.error is not None and row.retry_at is None:
        yield f"{row.error_class}: {row.error}"
