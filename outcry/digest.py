"""The day in a few lines, for the people on duty: what came, what waits, what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from listeners.coverage import Line, coverage, silences
from outcry.alerts import News, tell
from outcry.reconcile import reconcile
from outcry.settings import Settings
from triage.deliveries import Worked
from triage.incident import LIVE
from triage.incidents import incidents
from triage.store.base import QueueFilter, Store, pages
from triage.ticket import OPEN, WAITING, Ticket

PAGE = 500
SOON = timedelta(hours=8)
DAYS_BACK = 7
"""How far back the three counts are compared."""


class Digest(msgspec.Struct, frozen=True, kw_only=True):
    """One day, UTC, and how things stand at its end."""

    day: str
    mentions: int
    """Heard for the first time."""
    rejected: int
    tickets: int
    """Opened on the day."""
    open: int
    waiting: int
    """Open tickets that nobody has reached out to."""
    overdue: int
    """Of those, past their deadline."""
    due_soon: int
    """Of those, due within a shift."""
    oldest_unanswered: datetime | None
    oldest_age_s: float
    """How many seconds that one has waited; 0 if there is none."""
    oldest_ticket: str | None
    incidents: tuple[str, ...]
    """One line for each that is not over."""
    trouble: tuple[str, ...]
    """Sources that fail or fell silent, and counts that do not agree: one line each."""

    @property
    def lines(self) -> list[str]:
        """The digest as people read it."""
        words = [
            f"{self.day}: {self.mentions} mentions, {self.rejected} rejected, "
            f"{self.tickets} new tickets",
            f"{self.open} open, {self.waiting} wait for a first answer: {self.overdue} overdue, "
            f"{self.due_soon} due within {SOON.seconds // 3600} hours",
        ]
        if self.oldest_unanswered is not None:
            words.append(
                f"oldest unanswered: {self.oldest_ticket}, "
                f"since {self.oldest_unanswered:%Y-%m-%d %H:%M} UTC"
            )
        return [*words, *self.incidents, *self.trouble]


def digest(settings: Settings, store: Store, now: datetime) -> Digest:
    """The digest of the day before ``now``."""
    end = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = end - timedelta(days=1)
    day = f"{begin:%Y-%m-%d}"
    heard = coverage(settings.landing, "day", day)
    waiting = overdue = due_soon = opened = still_open = 0
    oldest: Ticket | None = None
    found = pages(store, QueueFilter(statuses=OPEN), PAGE)
    for ticket in (one.ticket for page in found for one in page):
        still_open += 1
        opened += begin <= ticket.opened_at < end
        if ticket.handling.status not in WAITING or ticket.answered_at is not None:
            continue
        waiting += 1
        overdue += ticket.sla_due <= now
        due_soon += now < ticket.sla_due <= now + SOON
        if oldest is None or (ticket.opened_at, ticket.ticket) < (oldest.opened_at, oldest.ticket):
            oldest = ticket
    return Digest(
        day=day,
        mentions=sum(line.new for line in heard),
        rejected=sum(line.rejected for line in heard),
        tickets=opened,
        open=still_open,
        waiting=waiting,
        overdue=overdue,
        due_soon=due_soon,
        oldest_unanswered=oldest.opened_at if oldest else None,
        oldest_age_s=(now - oldest.opened_at).total_seconds() if oldest else 0.0,
        oldest_ticket=oldest.ticket if oldest else None,
        incidents=tuple(
            f"incident {one.incident}, {one.state}: {one.note or one.title}, "
            f"{one.customers} customers"
            for one in incidents(store)
            if one.state in LIVE
        ),
        trouble=tuple(_trouble(settings, store, heard, now)),
    )


def send(settings: Settings, store: Store, found: Digest, now: datetime) -> Worked:
    """Tell the people of ``[alerts]`` of a digest, once."""
    news = News(
        about=f"digest/{found.day}",
        subject=f"{found.waiting} wait, {found.overdue} overdue ({found.day})",
        payload={"text": "\n".join(found.lines), **msgspec.to_builtins(found)},
    )
    return tell(settings.alerts, store, [news], now)


def _trouble(
    settings: Settings, store: Store, heard: Sequence[Line], now: datetime
) -> Iterator[str]:
    for line in heard:
        if line.answered < line.asked:
            yield (
                f"{line.source}/{line.target} failed in {line.asked - line.answered} of "
                f"{line.asked} windows: {'; '.join(line.missing) or 'its ledger says why'}"
            )
    for alert in silences(settings.landing, now):
        yield f"{alert.source}/{alert.target} since {alert.since}: {alert.words}"
    for balance in reconcile(settings, store, now - timedelta(days=DAYS_BACK)):
        if balance.difference is not None:
            yield f"{balance.source} {balance.window}: {balance.difference}"
