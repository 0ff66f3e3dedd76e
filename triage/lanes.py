"""Whose tickets an agent gets: their departments, their languages, and what spills over to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from triage.errors import IllegalMove
from triage.rules import Rules
from triage.store.base import QueueFilter, Store
from triage.ticket import WAITING

UNKNOWN_LANGUAGE = "und"


def wanted_by(
    store: Store,
    agent: str,
    now: datetime,
    rules: Rules,
    departments: Sequence[str | None] = (),
) -> QueueFilter:
    """What the queue holds for an agent now.

    ``departments`` restrict it; else those of the agent's entry in ``Rules.agents``, and with
    them each department whose queue is over its limit and spills over to one of theirs.

    Raises:
        IllegalMove: if the agent holds as many tickets as their capacity allows.
    """
    known = rules.agents.get(agent)
    lanes = tuple(departments)
    languages: tuple[str, ...] = ()
    if known is not None:
        _check_capacity(store, agent, known.capacity, now)
        lanes = lanes or known.departments
        languages = (*known.languages, UNKNOWN_LANGUAGE) if known.languages else ()
    free = QueueFilter(statuses=WAITING, departments=lanes, languages=languages, free_at=now)
    if not lanes:
        return free
    spilling = [
        name
        for name, spill in sorted(rules.spill_over.items())
        if spill.to in lanes and name not in lanes and _is_full(store, name, spill.above, now)
    ]
    return msgspec.structs.replace(free, departments=(*lanes, *spilling))


def _is_full(store: Store, department: str, above: int, now: datetime) -> bool:
    waiting = QueueFilter(statuses=WAITING, departments=(department,), free_at=now)
    return len(store.queue(waiting, size=above + 1).tickets) > above


def _check_capacity(store: Store, agent: str, capacity: int, now: datetime) -> None:
    if not capacity:
        return
    held = store.queue(QueueFilter(statuses=("claimed",), agent=agent), size=500).tickets
    good = [one for one in held if (until := one.ticket.handling.lease_until) and until > now]
    if len(good) >= capacity:
        raise IllegalMove(
            f"{agent} holds {len(good)} tickets already, of at most {capacity}: finish one first"
        )
