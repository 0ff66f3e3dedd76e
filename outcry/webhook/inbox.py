"""From the rows of a request to the landing zone, each row with its outcome."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Page, Reject, State, Target, Traits
from listeners.errors import Busy, ListenerError
from listeners.landing import RAW, REJECTS
from listeners.ledger import LedgerRow, read_row
from listeners.mapping import MALFORMED, one_line
from listeners.mention import Deletion, Mention
from listeners.run import collect
from listeners.sources.import_file import target_for_rows
from listeners.sources.import_file.options import RowMapper, mapper_of, options_of
from outcry.importing import keep_target
from outcry.sections import Channel
from outcry.settings import Settings
from outcry.windows import window_of

_PAGE = 1000


class Full(Exception):
    """The channel has taken all that a window may hold; ``seconds`` until the next one."""

    def __init__(self, seconds: int) -> None:
        super().__init__("this channel is full for now: come back later")
        self.seconds = seconds


class Unreadable(msgspec.Struct, frozen=True):
    """A line that is no JSON."""

    text: str
    error: str


class RowOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one row of a request."""

    row: int
    """From 1."""
    outcome: str
    """``accepted`` (stored, or stored before) or ``rejected`` (kept, with the reason)."""
    uid: str | None = None
    error: str | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a request: everything in it is durable."""

    accepted: int
    rejected: int
    new: int
    duplicate: int
    rows: list[RowOutcome]


class Inbox:
    """One channel. Safe to use from several threads."""

    def __init__(self, settings: Settings, name: str, channel: Channel) -> None:
        self._settings = settings
        self._channel = channel
        self._target = target_for_rows(
            f"hook-{name}",
            f"webhook {name}",
            preset=channel.preset,
            fields=channel.fields,
            timezone=channel.timezone,
            source=channel.source or name,
        )
        self._mapper = mapper_of(options_of(self._target), _Posted.name)
        self._lock = threading.Lock()
        self._kept = False

    def take(self, rows: Sequence[Any], now: datetime) -> Receipt:
        """Store the rows; returns when they are durable.

        Raises:
            Full: if the window holds its share already; nothing is stored.
            Busy: if another process is writing to the channel; nothing is stored.
            ListenerError: if the landing zone cannot be written.
        """
        window = window_of(now, self._settings.listen.every_minutes)
        with self._lock:
            if self._size(window.name) >= self._channel.max_mb_per_window * 1_000_000:
                raise Full(max(1, int((window.end - now).total_seconds())))
            if not self._kept:
                keep_target(self._settings.landing, self._target)
                self._kept = True
            posted = _Posted(self._mapper, rows)
            before = self._stored(window.name)
            row = collect(
                posted,
                self._target,
                self._settings.landing,
                window.name,
                Budget(max_pages=len(rows) // _PAGE + 1, now=now),
                asked_from=window.start,
                asked_to=window.end,
            )
            _raise_for(row)
            new = self._stored(window.name) - before
        rejected = sum(outcome.error is not None for outcome in posted.outcomes)
        accepted = len(posted.outcomes) - rejected
        return Receipt(
            accepted=accepted,
            rejected=rejected,
            new=new,
            duplicate=accepted - new,
            rows=posted.outcomes,
        )

    def _stored(self, window: str) -> int:
        """Records that the window holds of this channel."""
        row = read_row(self._settings.landing, self._target.source, window, self._target.key)
        return row.new + row.changed + row.deleted if row else 0

    def _size(self, window: str) -> int:
        """Bytes that the channel has brought in a window."""
        landing, target = self._settings.landing, self._target
        return sum(
            landing.path(kind, part).stat().st_size
            for kind in (RAW, REJECTS)
            for part in landing.parts(kind, source=target.source, window=window, target=target.key)
        )


class _Posted:
    """The rows of one request as a source."""

    name: ClassVar[str] = "webhook"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(order="window", strict_pages=False)

    def __init__(self, mapper: RowMapper, rows: Sequence[Any]) -> None:
        self._mapper = mapper
        self._rows = rows
        self.outcomes: list[RowOutcome] = []

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield the rows, a thousand a page."""
        for start in range(0, max(1, len(self._rows)), _PAGE):
            some = self._rows[start : start + _PAGE]
            items: list[Mention | Deletion] = []
            rejects: list[Reject] = []
            for number, row in enumerate(some, start=start + 1):
                self._take(number, row, target, budget.now, items, rejects)
            yield Page(
                items=items,
                rejects=rejects,
                state={},
                raw_count=len(some),
                done=start + _PAGE >= len(self._rows),
            )

    def _take(
        self,
        number: int,
        row: Any,
        target: Target,
        now: datetime,
        items: list[Mention | Deletion],
        rejects: list[Reject],
    ) -> None:
        try:
            if isinstance(row, Unreadable):
                raise ValueError(row.error)
            if not isinstance(row, dict):
                raise ValueError("it is not a JSON object")
            record = self._mapper(row, now)
        except MALFORMED as error:
            problem = one_line(error)
            self.outcomes.append(RowOutcome(row=number, outcome="rejected", error=problem))
            rejects.append(
                Reject(
                    source=target.source,
                    target=target.key,
                    stage="map",
                    error=problem,
                    raw=row.text if isinstance(row, Unreadable) else row,
                    at=now,
                    where=f"row {number}",
                    listener=f"{self.name}/{self.version}",
                )
            )
        else:
            items.append(record)
            self.outcomes.append(RowOutcome(row=number, outcome="accepted", uid=record.uid))


def _raise_for(row: LedgerRow) -> None:
    if row.outcome == "skipped":
        raise Busy(row.error or "the channel is held by another process: send it again")
    if row.error is not None:
        raise ListenerError(row.error)
