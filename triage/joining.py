"""What a link between accounts does to tickets, and what undoing it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from triage import cases, customers, regroup
from triage.casebook import is_merged
from triage.casework import TRIAGE
from triage.customers import Link
from triage.errors import IllegalMove
from triage.rules import Rules
from triage.store.base import Identity, Store, StoredMention
from triage.ticket import OPEN, Ticket

SHOWN = 200


def join(store: Store, one: str, other: str, agent: str, now: datetime, rules: Rules) -> Link:
    """An agent says that two accounts are one person: open tickets on one matter are merged.

    Raises:
        IllegalMove: on a network whose terms forbid it. NoSuchTicket: if an account is not known.
        Conflict, StoreError: run it again.
    """
    for who in store.identities([one, other]).values():
        for account in who.accounts or (who,):
            if account.source in rules.unlinked_sources:
                raise IllegalMove(
                    f"the terms of {account.source} forbid to match its accounts with others: "
                    "leave them apart, or see unlinked_sources of the settings"
                )
    link = customers.join(store, one, other, agent, now)
    settle(store, rules, now)
    return customers.link_of(store, one, other) or link


def part(store: Store, one: str, other: str, agent: str, now: datetime, rules: Rules) -> Link:
    """An agent says that they are two: what was merged because of the link is given back."""
    link = customers.refuse(store, one, other, agent, now)
    settle(store, rules, now)
    return customers.link_of(store, one, other) or link


def settle(store: Store, rules: Rules, now: datetime) -> int:
    """Merge or give back the tickets of links that are new since the last call; how many links.

    Of one person's open tickets on one matter (see `triage.cases.matters`) the earliest takes
    in the others, unless somebody is at work on them. Idempotent.
    """
    fresh = customers.unsettled(store)
    for link in fresh:
        if link.state == "joined":
            merged = _merge_tickets(store, link, rules, now)
            customers.settled(store, link, (*link.merged, *merged))
            continue
        for name in link.merged:
            ticket = store.tickets([name])[name].ticket
            if is_merged(ticket):
                regroup.unmerge(store, name, link.by, now, rules)
        customers.settled(store, link, ())
    return len(fresh)


def said(store: Store, ticket: Ticket, limit: int = SHOWN) -> list[StoredMention]:
    """What the ticket's customer has said on any of their accounts, oldest first."""
    if not ticket.customer:
        return []
    everywhere = customers.accounts(store, ticket.customer)
    return store.posts_of_customers(everywhere)[-limit:]


def tickets_of(store: Store, ticket: Ticket) -> list[Ticket]:
    """The other tickets of the ticket's customer, by time."""
    if not ticket.customer:
        return []
    found = store.tickets_of_customers(customers.accounts(store, ticket.customer))
    return [one.ticket for one in found if one.ticket.ticket != ticket.ticket]


def authors(store: Store, tickets: Sequence[Ticket]) -> dict[str, Identity]:
    """Who each ticket's customer is on the ticket's own network, or on any, by ticket."""
    named = [ticket for ticket in tickets if ticket.customer]
    names = sorted({ticket.customer for ticket in named})
    known = store.identities(names) if names else {}
    linked = customers.persons(store, names)
    found = {}
    for ticket in named:
        entries = [known[ticket.customer]] if ticket.customer in known else []
        if ticket.customer in linked:
            entries = customers.identities(store, ticket.customer)
        local = [entry.on(ticket.source, ticket.instance) for entry in entries]
        local.sort(key=lambda one: one.source != ticket.source)
        if local:
            found[ticket.ticket] = local[0]
    return found


def _merge_tickets(store: Store, link: Link, rules: Rules, now: datetime) -> list[str]:
    found = store.tickets_of_customers(customers.accounts(store, link.one))
    tickets = {one.ticket.ticket: one.ticket for one in found if one.ticket.status in OPEN}
    stretches = [
        cases.Stretch(
            thread=ticket.ticket,
            first_at=ticket.opened_at,
            last_at=ticket.last_at,
            brands=frozenset(ticket.matched),
            department=ticket.department,
            words=frozenset(),
        )
        for ticket in tickets.values()
    ]
    merged = []
    for matter in cases.matters(stretches, rules.matter):
        first, *others = [stretch.thread for stretch in matter]
        for name in others:
            if tickets[name].status in ("new", "reopened"):
                regroup.merge(store, name, first, TRIAGE, now, rules, "the same customer")
                merged.append(name)
    return merged
