"""What agents do with tickets: claim the next one, keep it, put it off, write down the outcome.

Every change is a compare-and-set: two agents never hold one ticket, and a claim that is not
kept alive runs out and gives the ticket back.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from triage import life
from triage.errors import Conflict, IllegalMove, NoSuchTicket, Stale, StoreRefused
from triage.lanes import wanted_by
from triage.life import Action, Change
from triage.rules import Rules
from triage.store.base import Store, Versioned, Write, pages
from triage.ticket import WAITING, Ticket

ATTEMPTS = 5
ROUNDS = 20
PAGE = 20


def find(store: Store, name: str) -> Versioned:
    """The ticket of this id, or the only one whose id begins so; case does not matter.

    Raises:
        NoSuchTicket: if there is none, or more than one.
    """
    bare = name.strip().casefold().removeprefix("t-")
    exact = store.tickets([f"T-{bare}"])
    if exact:
        return exact[f"T-{bare}"]
    found = store.tickets_starting(f"T-{bare}", limit=4) if bare else []
    if len(found) == 1:
        return found[0]
    if not found:
        raise NoSuchTicket(f"no ticket begins with {name!r}: see the queue for its id")
    ids = ", ".join(entry.ticket.ticket for entry in found[:3])
    raise NoSuchTicket(f"{name!r} is the beginning of {ids}...: give more of it")


def mark_of(ticket: Ticket) -> str:
    """What changes with everything that an agent decides by: what was said, and what people did.

    A priority that is computed anew, or a lease that is made longer, leaves it as it is.
    """
    handling = msgspec.structs.replace(ticket.handling, lease_until=None)
    said = (ticket.threads, ticket.posts, ticket.last_at, ticket.department, ticket.incident)
    words = msgspec.json.encode((ticket.ticket, handling, said))
    return hashlib.sha256(words).hexdigest()[:24]


def check_mark(ticket: Ticket, seen: str | None) -> None:
    """Return if the ticket bears the mark ``seen``, or none was named.

    Raises:
        Stale: otherwise.
    """
    if seen is not None and seen != mark_of(ticket):
        raise Stale(f"{ticket.ticket} has changed since you read it: look at it again")


def claim_next(
    store: Store,
    agent: str,
    now: datetime,
    rules: Rules,
    departments: Sequence[str | None] = (),
) -> Ticket | None:
    """Hand the best free ticket to ``agent``, and to nobody else; None when none is waiting.

    Two agents never get the same ticket: the claim is a compare-and-set, and who loses it goes
    on to the next ticket. A claim whose lease has run out is free again.

    Raises:
        IllegalMove: if the agent holds as many as their capacity allows.
        Conflict: if others were faster ``ROUNDS`` times through the whole queue.
        StoreError: if the store does not answer or refuses the claim.
    """
    wanted = wanted_by(store, agent, now, rules, departments)
    for _ in range(ROUNDS):
        lost = False
        for page in pages(store, wanted, PAGE):
            entries = list(page)
            while entries:
                entry = entries.pop(0)
                change = life.claim(entry.ticket, agent, now, rules.lease)
                if write(store, entry, change):
                    return change.ticket
                if not lost:
                    # Others are at it: not all of us for the same next one.
                    lost = True
                    entries = _still_free(store, entries, now)
                    random.Random(f"{agent} {now} {entry.version}").shuffle(entries)
        if not lost:
            return None
    raise Conflict(f"others were faster {ROUNDS} times: ask for the next ticket again")


def act(
    store: Store,
    name: str,
    action: Action,
    agent: str,
    now: datetime,
    rules: Rules,
    words: str = "",
    *,
    to: str = "",
    until: datetime | None = None,
    seen: str | None = None,
) -> Ticket:
    """Do something with a ticket, named by its id or the beginning of it.

    ``words`` are the outcome of a resolve, the reason of a dismiss, the text of a note; ``to``
    and ``until`` as for `move`. ``seen`` is the `mark_of` the ticket that the caller has read.

    Raises:
        NoSuchTicket, IllegalMove: if the name or the ticket's status does not allow it.
        Stale: if the ticket does not bear the mark ``seen`` any more.
        Conflict: if others kept changing it.
        StoreError: if the store does not answer or refuses.
    """
    for _ in range(ATTEMPTS):
        entry = find(store, name)
        check_mark(entry.ticket, seen)
        change = move(entry.ticket, action, agent, now, rules, words, to=to, until=until)
        if write(store, entry, change):
            return change.ticket
    raise Conflict(f"{name} was changed by others {ATTEMPTS} times: look at it and try again")


def move(
    ticket: Ticket,
    action: Action,
    agent: str,
    now: datetime,
    rules: Rules,
    words: str = "",
    *,
    to: str = "",
    until: datetime | None = None,
) -> Change:
    """The move of `triage.life` that ``action`` names.

    A transfer needs ``to``, a colleague's name; a snooze needs ``until``; a wait for the
    customer ends by itself at ``until``, or after ``Rules.wait_days``.

    Raises:
        IllegalMove: if the ticket's status does not allow it.
    """
    match action:
        case "claim":
            return life.claim(ticket, agent, now, rules.lease)
        case "release":
            return life.release(ticket, agent, now)
        case "transfer":
            return life.transfer(ticket, agent, now, to, rules.lease, words)
        case "snooze":
            if until is None:
                raise IllegalMove(f"cannot snooze {ticket.ticket} for ever: say until when")
            return life.snooze(ticket, agent, now, until, words)
        case "wait":
            return life.wait(ticket, agent, now, until or now + rules.wait, words)
        case "contact":
            return life.contact(ticket, agent, now, words)
        case "resolve":
            return life.resolve(ticket, agent, now, words or "resolved")
        case "dismiss":
            return life.dismiss(ticket, agent, now, words or "not a complaint")
        case "reopen":
            return life.reopen(ticket, agent, now, words)
        case "note":
            return life.note(ticket, agent, now, words)


def route(
    store: Store,
    name: str,
    to: str | None,
    agent: str,
    now: datetime,
    rules: Rules,
    seen: str | None = None,
) -> Ticket:
    """Send a ticket to another department, for good; None is the lane sorted by hand.

    Raises:
        IllegalMove: if there is no such department, or the ticket is closed or held by another.
        Stale: if the ticket does not bear the mark ``seen`` any more.
    """
    if to is not None and to not in {department.name for department in rules.departments}:
        raise IllegalMove(f"there is no department {to!r}: see the settings' departments")
    for _ in range(ATTEMPTS):
        entry = find(store, name)
        check_mark(entry.ticket, seen)
        change = life.route(entry.ticket, agent, now, to)
        if write(store, entry, change):
            return change.ticket
    raise Conflict(f"{name} was changed by others {ATTEMPTS} times: look at it and try again")


def heartbeat(store: Store, name: str, agent: str, now: datetime, rules: Rules) -> Ticket:
    """The agent is still at work on the ticket: the lease runs from ``now`` again.

    Raises:
        IllegalMove: if the claim is not the agent's any more.
    """
    for _ in range(ATTEMPTS):
        entry = find(store, name)
        longer = life.extend(entry.ticket, agent, now, rules.lease)
        written = store.write_tickets([Write(ticket=longer, version=entry.version)])
        raise_refusals(written.refused)
        if written.done:
            return longer
    raise Conflict(f"{name} was changed by others {ATTEMPTS} times: look at it and try again")


def _still_free(store: Store, entries: Sequence[Versioned], now: datetime) -> list[Versioned]:
    """Those that are free as they stand at this moment, which a search may not know yet."""
    fresh = store.tickets([entry.ticket.ticket for entry in entries])
    return [
        entry
        for entry in fresh.values()
        if entry.ticket.status in WAITING
        and (entry.ticket.free_from is None or entry.ticket.free_from <= now)
    ]


def write(store: Store, entry: Versioned, change: Change) -> bool:
    write = Write(ticket=change.ticket, version=entry.version, events=(change.event,))
    written = store.write_tickets([write])
    raise_refusals(written.refused)
    return bool(written.done)


def raise_refusals(refused: Sequence[Any]) -> None:
    for refusal in refused:
        raise StoreRefused(f"the store refused {refusal.id}: {refusal.reason}; nothing changed")
