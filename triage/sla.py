"""The clock of a ticket: from the time of the post to the first response, as pure code."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from triage.rules import Rules
from triage.ticket import Ticket, Tier

State = Literal["ok", "breaching soon", "overdue", "kept", "breached"]

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

    def share_used(self, now: datetime) -> float:
        """Time used as a share of the target: 0 at the start, 1 when due, more when overdue."""
        until = self.stopped or now
        return max(0.0, (until - self.start) / (self.due - self.start))

    def steps(self, now: datetime) -> int:
        """Full quarters of the target that have passed, 0 to 4; 4 is overdue."""
        until = self.stopped or now
        return sum(until >= self._step_at(step) for step in range(1, STEPS + 1))

    def next_step(self, now: datetime) -> datetime | None:
        """When `steps` changes next; None when it will not."""
        if self.stopped:
            return None
        coming = (self._step_at(step) for step in range(1, STEPS + 1))
        return next((at for at in coming if at > now), None)

    def state(self, now: datetime, soon: float = 0.75) -> State:
        """Where it stands; ``soon`` is the share from which it is breaching soon."""
        if self.stopped:
            return "kept" if self.stopped <= self.due else "breached"
        if now >= self.due:
            return "overdue"
        return "breaching soon" if self.share_used(now) >= soon else "ok"

    def _step_at(self, step: int) -> datetime:
        return self.start + (self.due - self.start) * step / STEPS


def clock_of(ticket: Ticket) -> Clock:
    """The ticket's clock: a reopened case runs from the post that reopened it."""
    handling = ticket.handling
    return Clock(
        start=handling.reopened_at or ticket.opened_at,
        due=ticket.sla_due,
        stopped=handling.contacted_at or handling.closed_at,
    )


def state(ticket: Ticket, now: datetime, rules: Rules) -> State:
    """Where the ticket's clock stands at ``now``."""
    return clock_of(ticket).state(now, rules.breaching_soon)
