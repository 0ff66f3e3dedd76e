"""The ticket's states as pure code: who may do what when, and what history says about it.

    new ──claim──► claimed ──contact──► contacted ──resolve──► resolved
     ▲ └──dismiss─┐  │ ├──release, snooze──► new or reopened       │
     │            │  │ └──wait──► waiting ◄──wait── contacted      │
     │            ▼  ▼                                             │
     │         dismissed ◄── from every open status                │
     └─ reopened ◄──reopen── contacted, waiting, resolved, dismissed

A claim whose lease has run out binds nobody any more: another agent may claim the ticket, and
its holder may still go on. Every move returns a new ticket with the event that tells of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from triage.errors import IllegalMove
from triage.ticket import Event, EventKind, Handling, Pause, Status, Ticket, make_event_id

Action = Literal[
    "claim",
    "release",
    "transfer",
    "snooze",
    "contact",
    "wait",
    "resolve",
    "dismiss",
    "reopen",
    "note",
]

POSSIBLE: dict[Status, tuple[Action, ...]] = {
    "new": ("claim", "dismiss", "note"),
    "reopened": ("claim", "dismiss", "note"),
    "claimed": (
        "claim",
        "release",
        "transfer",
        "snooze",
        "contact",
        "wait",
        "resolve",
        "dismiss",
        "note",
    ),
    "contacted": ("wait", "resolve", "dismiss", "reopen", "note"),
    "waiting": ("claim", "contact", "resolve", "dismiss", "reopen", "note"),
    "resolved": ("reopen", "note"),
    "dismissed": ("reopen", "note"),
}
"""What can be done with a ticket, by its status."""

_KINDS: dict[Action, EventKind] = {
    "claim": "claimed",
    "release": "released",
    "transfer": "transferred",
    "snooze": "snoozed",
    "wait": "waiting",
    "contact": "contacted",
    "resolve": "resolved",
    "dismiss": "dismissed",
    "reopen": "reopened",
    "note": "noted",
}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket after a move, and the move's entry in its history."""

    ticket: Ticket
    event: Event


def is_held(ticket: Ticket, now: datetime) -> bool:
    """Whether an agent's claim on the ticket is still good at ``now``."""
    handling = ticket.handling
    lease = handling.lease_until
    return handling.status == "claimed" and lease is not None and now < lease


def claim(ticket: Ticket, agent: str, now: datetime, lease: timedelta) -> Change:
    """Give the ticket to ``agent`` until ``now + lease``; by the holder again, extend it."""
    handling = _allowed(ticket, "claim", agent, now)
    again = handling.status == "claimed" and handling.agent == agent
    claimed = msgspec.structs.replace(
        handling,
        status="claimed",
        agent=agent,
        claimed_at=handling.claimed_at if again else now,
        lease_until=now + lease,
        snoozed_until=None,
    )
    return _change(ticket, "claim", agent, now, claimed, "extended" if again else "")


def release(ticket: Ticket, agent: str, now: datetime) -> Change:
    """Put a claimed ticket back into the queue."""
    handling = _allowed(ticket, "release", agent, now)
    back = _without_agent(handling)
    return _change(ticket, "release", agent, now, back)


def extend(ticket: Ticket, agent: str, now: datetime, lease: timedelta) -> Ticket:
    """The agent is still at it: the lease runs from ``now``. A heartbeat leaves no history.

    Raises:
        IllegalMove: unless the claim is the agent's; one that has run out may be extended.
    """
    handling = _allowed(ticket, "claim", agent, now)
    if handling.status != "claimed" or handling.agent != agent:
        raise IllegalMove(f"{ticket.ticket} is not claimed by {agent}: claim it first")
    longer = msgspec.structs.replace(handling, lease_until=now + lease)
    return msgspec.structs.replace(ticket, handling=longer)


def transfer(
    ticket: Ticket, agent: str, now: datetime, to: str, lease: timedelta, words: str = ""
) -> Change:
    """Hand a claimed ticket to a colleague, whose lease begins ``now``."""
    handling = _allowed(ticket, "transfer", agent, now)
    if not to.strip():
        raise IllegalMove(f"cannot transfer {ticket.ticket} to nobody: name the colleague")
    handed = msgspec.structs.replace(handling, agent=to, claimed_at=now, lease_until=now + lease)
    return _change(ticket, "transfer", agent, now, handed, f"to {to}{words and f': {words}'}")


def route(ticket: Ticket, agent: str, now: datetime, to: str | None, words: str = "") -> Change:
    """Send the ticket to another department (None: to the lane sorted by hand); it is free there.

    What an agent has decided is never overwritten by the router.
    """
    if ticket.handling.status in ("resolved", "dismissed"):
        raise IllegalMove(f"{ticket.ticket} is {ticket.status}: cannot route it; reopen it first")
    handling = ticket.handling
    if handling.status == "claimed":
        handling = _without_agent(_allowed(ticket, "claim", agent, now))
    sent = msgspec.structs.replace(handling, department=to or "")
    moved = msgspec.structs.replace(ticket, handling=sent, department=to)
    said = f"to {to or 'the lane sorted by hand'}{words and f': {words}'}"
    event = _event(ticket, "routed", agent, now, said)
    return Change(ticket=moved, event=event)


def snooze(ticket: Ticket, agent: str, now: datetime, until: datetime, words: str = "") -> Change:
    """Put a claimed ticket back, out of sight until then; the clock runs on."""
    handling = _allowed(ticket, "snooze", agent, now)
    if until <= now:
        raise IllegalMove(f"cannot snooze {ticket.ticket} until {until:%Y-%m-%d %H:%M}: it is past")
    back = msgspec.structs.replace(
        _without_agent(handling),
        snoozed_until=until,
        pauses=(*handling.pauses, Pause(start=now, end=until)),
    )
    said = f"until {until:%Y-%m-%d %H:%M} UTC{words and f': {words}'}"
    return _change(ticket, "snooze", agent, now, back, said)


def wake(ticket: Ticket, agent: str, now: datetime, words: str, key: str) -> Change:
    """A ticket that was put off comes back at once."""
    *before, last = ticket.handling.pauses
    short = Pause(start=last.start, end=max(last.start, min(last.end, now)))
    woken = msgspec.structs.replace(ticket.handling, snoozed_until=None, pauses=(*before, short))
    event = _event(ticket, "woken", agent, now, words, key)
    return Change(ticket=msgspec.structs.replace(ticket, handling=woken), event=event)


def wait(ticket: Ticket, agent: str, now: datetime, until: datetime, words: str = "") -> Change:
    """The customer has been asked something: it is their turn until then.

    The clock of the first response stops, as with `contact`.
    """
    handling = _allowed(ticket, "wait", agent, now)
    asked = msgspec.structs.replace(
        handling,
        status="waiting",
        agent=agent,
        lease_until=None,
        contacted_at=handling.contacted_at or now,
        snoozed_until=until,
    )
    return _change(ticket, "wait", agent, now, asked, words)


def contact(ticket: Ticket, agent: str, now: datetime, words: str = "") -> Change:
    """The agent has reached out: the clock of the first response stops."""
    handling = _allowed(ticket, "contact", agent, now)
    reached = msgspec.structs.replace(
        handling,
        status="contacted",
        agent=agent,
        lease_until=None,
        contacted_at=now,
        snoozed_until=None,
    )
    return _change(ticket, "contact", agent, now, reached, words)


def resolve(ticket: Ticket, agent: str, now: datetime, outcome: str = "resolved") -> Change:
    """The customer has been helped; ``outcome`` says how."""
    return _close(ticket, "resolve", "resolved", agent, now, outcome)


def dismiss(ticket: Ticket, agent: str, now: datetime, reason: str = "not a complaint") -> Change:
    """Nothing is to be done; ``reason`` says why."""
    return _close(ticket, "dismiss", "dismissed", agent, now, reason)


def reopen(ticket: Ticket, agent: str, now: datetime, words: str = "", key: str = "") -> Change:
    """Back into the queue; the clock starts again at ``now`` with as much time as before.

    ``key`` is what makes this reopening the one it is, so that its event can be replayed.
    """
    handling = _allowed(ticket, "reopen", agent, now)
    given = ticket.sla_due - (handling.reopened_at or ticket.opened_at)
    fresh = msgspec.structs.replace(
        _without_agent(handling, status="reopened"),
        contacted_at=None,
        snoozed_until=None,
        closed_at=None,
        outcome=None,
        reopened_at=now,
    )
    ticket = msgspec.structs.replace(ticket, sla_due=now + given, refresh_at=now)
    return _change(ticket, "reopen", agent, now, fresh, words, key)


def note(ticket: Ticket, agent: str, now: datetime, words: str) -> Change:
    """Write something down; the newest note stands on the ticket, all of them in its history."""
    handling = msgspec.structs.replace(ticket.handling, note=words)
    return _change(ticket, "note", agent, now, handling, words)


def _close(
    ticket: Ticket, action: Action, status: Status, agent: str, now: datetime, outcome: str
) -> Change:
    handling = _allowed(ticket, action, agent, now)
    closed = msgspec.structs.replace(
        handling,
        status=status,
        agent=agent,
        lease_until=None,
        snoozed_until=None,
        closed_at=now,
        outcome=outcome,
    )
    return _change(ticket, action, agent, now, closed, outcome)


def _allowed(ticket: Ticket, action: Action, agent: str, now: datetime) -> Handling:
    """The handling of a ticket that allows the action.

    Raises:
        IllegalMove: otherwise.
    """
    handling = ticket.handling
    if action not in POSSIBLE[handling.status]:
        possible = ", ".join(POSSIBLE[handling.status])
        raise IllegalMove(
            f"{ticket.ticket} is {handling.status}: cannot {action} it; possible: {possible}"
        )
    if handling.status == "claimed" and handling.agent != agent:
        if is_held(ticket, now):
            raise IllegalMove(
                f"{ticket.ticket} is claimed by {handling.agent} until "
                f"{handling.lease_until:%Y-%m-%d %H:%M} UTC: "
                f"cannot {action} it; wait, or ask for a release"
            )
        if action in ("release", "transfer", "snooze", "contact", "wait", "resolve"):
            raise IllegalMove(
                f"{ticket.ticket} was claimed by {handling.agent}, whose time has run out: "
                f"cannot {action} it; claim it first"
            )
    return handling


def _without_agent(handling: Handling, status: Status | None = None) -> Handling:
    status = status or ("reopened" if handling.reopened_at else "new")
    return msgspec.structs.replace(
        handling, status=status, agent=None, lease_until=None, claimed_at=None
    )


def _change(
    ticket: Ticket,
    action: Action,
    agent: str,
    now: datetime,
    handling: Handling,
    words: str = "",
    key: str = "",
) -> Change:
    event = _event(ticket, _KINDS[action], agent, now, words, key)
    return Change(ticket=msgspec.structs.replace(ticket, handling=handling), event=event)


def _event(
    ticket: Ticket, kind: EventKind, agent: str, now: datetime, words: str, key: str = ""
) -> Event:
    return Event(
        id=make_event_id(ticket.ticket, kind, key or f"{now.isoformat()} {agent} {words}"),
        ticket=ticket.ticket,
        kind=kind,
        at=now,
        by=agent,
        words=words,
    )
