"""The clock of a ticket: from the time of the post to the first response, as pure code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

import msgspec

from triage.calendars import Calendar, Interval, OpenHours
from triage.rules import Rules
from triage.ticket import Ticket, Tier

State = Literal["ok", "breaching soon", "overdue", "kept", "breached"]

ALWAYS = OpenHours()
STEPS = 4
"""Waiting is felt in quarters of the target: see `Clock.steps`."""


def target(rules: Rules, tier: Tier, source: str) -> timedelta:
    """How long a first response may take."""
    hours = rules.sla_hours_by_source.get(source, {}).get(tier, rules.sla_hours[tier])
    return timedelta(hours=hours)


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """A running or stopped clock; ``start`` before ``due``."""

    start: datetime
    due: datetime
    stopped: datetime | None = None
    """When somebody reached out or closed the case; None while it runs."""
    hours: OpenHours = ALWAYS
    """When it runs at all."""
    pauses: tuple[Interval, ...] = ()
    """When it stands still."""

    def share_used(self, now: datetime) -> float:
        """Time used as a share of the target: 0 at the start, 1 when due, more when overdue."""
        used = self.hours.between(self.start, self.stopped or now, self.pauses)
        return used / self.span

    @property
    def span(self) -> timedelta:
        """The target: how much of its time may pass."""
        return self.hours.between(self.start, self.due, self.pauses)

    def steps(self, now: datetime) -> int:
        """Full quarters of the target that have passed, 0 to 4; 4 is overdue."""
        until = self.stopped or now
        return sum(until >= at for at in self._steps())

    def next_step(self, now: datetime) -> datetime | None:
        """When `steps` changes next; None when it will not."""
        if self.stopped:
            return None
        return next((at for at in self._steps() if at > now), None)

    def state(self, now: datetime, soon: float = 0.75) -> State:
        """Where it stands; ``soon`` is the share from which it is breaching soon."""
        if self.stopped:
            return "kept" if self.stopped <= self.due else "breached"
        if now >= self.due:
            return "overdue"
        return "breaching soon" if self.share_used(now) >= soon else "ok"

    def _steps(self) -> list[datetime]:
        span = self.span
        quarters = (span * step / STEPS for step in range(1, STEPS))
        return [*(self.hours.after(self.start, q, self.pauses) for q in quarters), self.due]


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """When a waiting ticket will be reached if the work goes on as it does."""

    ticket: str
    due: datetime
    reached: datetime
    breaches: bool


def clock(
    rules: Rules,
    tier: Tier,
    source: str,
    department: str | None,
    start: datetime,
    stopped: datetime | None = None,
    pauses: Sequence[Interval] = (),
) -> Clock:
    """The clock of a case: the target of its tier and source in its department's open time."""
    hours = open_hours(rules, department)
    due = hours.after(start, target(rules, tier, source), pauses)
    return Clock(start=start, due=due, stopped=stopped, hours=hours, pauses=tuple(pauses))


def open_hours(rules: Rules, department: str | None) -> OpenHours:
    """When a department works; a lane without a calendar never closes."""
    name = rules.calendar_of.get(department or "", rules.calendar)
    return _hours(_Named(name, rules.calendars[name])) if name else ALWAYS


def pauses_of(ticket: Ticket, rules: Rules) -> list[Interval]:
    """When the ticket's clock has stood still, by ``Rules.pauses``."""
    found: list[Interval] = []
    if "snoozed" in rules.pauses:
        found += [(pause.start, pause.end) for pause in ticket.handling.pauses]
    if "community" in rules.pauses and ticket.community_at and ticket.rest_until:
        found.append((ticket.community_at, ticket.rest_until))
    return found


def forecast(
    tickets: Sequence[Ticket], per_hour: float, now: datetime, hours: OpenHours = ALWAYS
) -> list[Forecast]:
    """Which of these tickets, in the order they are worked on, will be reached too late.

    ``per_hour`` is how many the department gets through in an hour of open time.
    """
    found = []
    for place, ticket in enumerate(tickets):
        reached = hours.after(now, timedelta(hours=(place + 1) / per_hour))
        late = reached > ticket.sla_due
        found.append(
            Forecast(ticket=ticket.ticket, due=ticket.sla_due, reached=reached, breaches=late)
        )
    return found


def clock_of(ticket: Ticket, rules: Rules | None = None) -> Clock:
    """The ticket's clock: a reopened case runs from the post that reopened it."""
    handling = ticket.handling
    return Clock(
        start=handling.reopened_at or ticket.opened_at,
        due=ticket.sla_due,
        stopped=handling.contacted_at or handling.closed_at,
        hours=open_hours(rules, ticket.department) if rules else ALWAYS,
        pauses=tuple(pauses_of(ticket, rules)) if rules else (),
    )


def state(ticket: Ticket, now: datetime, rules: Rules) -> State:
    """Where the ticket's clock stands at ``now``."""
    return clock_of(ticket, rules).state(now, rules.breaching_soon)


class _Named:
    """A calendar by its name, so that it is made ready once; rules do not change in a run."""

    def __init__(self, name: str, calendar: Calendar) -> None:
        self.name, self.calendar = name, calendar
        self._key = msgspec.json.encode(calendar)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Named) and other._key == self._key


@lru_cache(maxsize=64)
def _hours(named: _Named) -> OpenHours:
    return OpenHours(named.calendar)
