"""Lists for a department and a shift: who to contact, in order, as many as there are hands for.

Every list obeys the contact policy and says of whoever is left out, why. Capacity cuts the list,
never the queue: who does not fit waits for the next one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from triage.contacts import verdicts
from triage.policy import ContactPolicy
from triage.store.base import QueueFilter, Store, pages
from triage.ticket import WAITING, Ticket

PAGE = 200
COLUMNS = (
    "place",
    "ticket",
    "tier",
    "priority",
    "answer_by",
    "department",
    "agent",
    "source",
    "handle",
    "link",
    "about",
    "reply",
)


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """Who works, on what, and how much they can do."""

    agents: tuple[str, ...] = ()
    """Handed out in turn; nobody's if empty."""
    departments: tuple[str | None, ...] = ()
    each: int = 20
    """Contacts that one agent can make in the shift; of the whole list without agents."""

    @property
    def capacity(self) -> int:
        return self.each * max(1, len(self.agents))


class LeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is not contacted now."""

    ticket: str
    source: str
    why: str
    after: datetime | None = None


class Worklist(msgspec.Struct, frozen=True, kw_only=True):
    """A list, best first, and who is not on it."""

    entries: tuple[tuple[str | None, Ticket], ...]
    """(agent, ticket)."""
    left_out: tuple[LeftOut, ...]


def worklist(store: Store, shift: Shift, policy: ContactPolicy, now: datetime) -> Worklist:
    """The list of a shift: each customer once, however many cases they have."""
    chosen: list[Ticket] = []
    left_out: list[LeftOut] = []
    seen: dict[str, str] = {}
    for some in _pages(store, shift, now):
        answers = verdicts(store, {(one.customer, one.source) for one in some}, policy, now)
        for one in some:
            if len(chosen) == shift.capacity:
                break
            answer = answers[one.customer, one.source]
            why, after = answer.why, answer.after
            if answer.allowed and one.customer in seen:
                why = f"the same customer as {seen[one.customer]}: one contact for both"
            if why:
                left_out.append(LeftOut(ticket=one.ticket, source=one.source, why=why, after=after))
                continue
            seen[one.customer] = one.ticket
            chosen.append(one)
        if len(chosen) == shift.capacity:
            break
    agents: Sequence[str | None] = shift.agents or (None,)
    entries = tuple((agents[n % len(agents)], one) for n, one in enumerate(chosen))
    return Worklist(entries=entries, left_out=tuple(left_out))


def _pages(store: Store, shift: Shift, now: datetime) -> Iterator[list[Ticket]]:
    wanted = QueueFilter(statuses=WAITING, departments=shift.departments, free_at=now)
    for page in pages(store, wanted, PAGE):
        yield [entry.ticket for entry in page]


def rows(store: Store, made: Worklist, reply: str = "") -> list[dict[str, object]]:
    """The list as plain values with the keys of `COLUMNS`; the vault says the handles.

    ``reply`` is a text to start from, with ``{handle}`` for who it goes to.
    """
    customers = sorted({ticket.customer for _, ticket in made.entries})
    known = store.identities(customers)
    found: list[dict[str, object]] = []
    for place, (agent, ticket) in enumerate(made.entries, start=1):
        who = known.get(ticket.customer)
        handle = (who.handle or who.name or "") if who else ""
        values = (
            place,
            ticket.ticket,
            ticket.tier,
            ticket.priority,
            ticket.sla_due.isoformat(),
            ticket.department,
            agent,
            ticket.source,
            handle,
            ticket.link,
            ticket.excerpt,
            reply.replace("{handle}", handle or "there"),
        )
        found.append(dict(zip(COLUMNS, values, strict=True)))
    return found
