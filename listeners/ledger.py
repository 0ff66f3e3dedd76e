"""The ledger: per target and window, what was asked, what came, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Literal

import msgspec

from listeners.landing import Landing, slug
from listeners.places import damaged

Outcome = Literal["ok", "partial", "failed", "skipped"]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """What one target gave in one window, over all runs of that window.

    They are stored together with the state, so they count what is durable: ``new`` +
    ``changed`` + ``deleted`` is the number of records in the window's raw parts, and
    ``rejected`` the number in its reject parts, whenever a run was killed.
    """

    got: int = 0
    """Items that the source sent."""
    new: int = 0
    changed: int = 0
    """New versions of an item that was stored before."""
    deleted: int = 0
    duplicate: int = 0
    """Items that were stored already, unchanged."""
    rejected: int = 0
    pages: int = 0
    parts: int = 0
    gaps: tuple[str, ...] = ()
    oldest: datetime | None = None
    """By ``created_at``, of what was stored."""
    newest: datetime | None = None


class LedgerRow(Counts, frozen=True, kw_only=True):
    """One target and window: the window's counts and the last run's outcome.

    A run that finds nothing else leaves the row as it was.
    """

    source: str
    target: str
    window: str
    listener: str
    outcome: Outcome
    asked_from: datetime | None = None
    asked_to: datetime | None = None
    cut_off: bool = False
    """The budget ended before the source did; the next run goes on from there."""
    quota_left: int | None = None
    error: str | None = None
    """One line."""
    error_class: str | None = None
    """Its class, as in `listeners.errors`."""
    retry_at: datetime | None = None
    started_at: datetime
    finished_at: datetime


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(LedgerRow)


def write_row(landing: Landing, row: LedgerRow) -> LedgerRow:
    """Store a row, unless only its times differ from the one there; returns the stored one."""
    old = read_row(landing, row.source, row.window, row.target)
    if old is not None:
        same_times = msgspec.structs.replace(
            row, started_at=old.started_at, finished_at=old.finished_at
        )
        if same_times == old:
            return old
    landing.write_document(_name(row.source, row.window, row.target), _encoder.encode(row))
    return row


def read_row(landing: Landing, source: str, window: str, target: str) -> LedgerRow | None:
    """The row of a target and window, or None.

    Raises:
        LandingError: if the row is damaged.
    """
    name = _name(source, window, target)
    content = landing.read_document(name)
    if content is None:
        return None
    try:
        return _decoder.decode(content)
    except msgspec.MsgspecError as error:
        raise damaged(landing.root / name, error) from error


def rows(
    landing: Landing,
    *,
    source: str | None = None,
    window: str | None = None,
    wanted: Callable[[str], bool] = lambda window: True,
) -> Iterator[LedgerRow]:
    """The rows, sorted by source, window and target; of the ``wanted`` windows, by their names.

    What is not wanted is not opened: a ledger of years has many files.
    """
    for of_source in landing.named("ledger", "source", source):
        in_source = f"ledger/source={of_source}"
        for of_window in landing.named(in_source, "window", window):
            names = landing.names(f"{in_source}/window={of_window}") if wanted(of_window) else []
            for name in names:
                if not (name.startswith("target=") and name.endswith(".json")):
                    continue
                target = name.removeprefix("target=").removesuffix(".json")
                row = read_row(landing, of_source, of_window, target)
                if row is not None:
                    yield row


def _name(source: str, window: str, target: str) -> str:
    return (
        f"ledger/source={slug(source, 'source')}/window={slug(window, 'window')}"
        f"/target={slug(target, 'target')}.json"
    )
