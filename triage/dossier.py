"""All that the store knows about one case, in two halves: what was said, and who it is.

The first half is masked and names nobody. The second comes from the vault, where every read is
written down first.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from triage import customers, joining
from triage.store.base import Identity, Store, StoredMention
from triage.ticket import Event, Ticket
from triage.vault import references


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket and what was said and done about it."""

    ticket: Ticket
    posts: tuple[StoredMention, ...]
    """In the order of the ticket's mentions, oldest first."""
    events: tuple[Event, ...]
    elsewhere: tuple[StoredMention, ...]
    """What the customer has said anywhere else, oldest first."""
    other_tickets: tuple[Ticket, ...]


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """A case's customer, as the vault has them."""

    person: Identity | None
    """On the ticket's own network, if they are known there."""
    accounts: tuple[Identity, ...]
    """Every account that is known to be theirs, where there are several."""
    references: tuple[tuple[str, str], ...] = ()
    """(kind, words) that analysts do not see: order numbers, how to reach them."""


class Reader(msgspec.Struct, frozen=True):
    """Who reads the vault, and why."""

    by: str
    reason: str
    at: datetime


def dossier(store: Store, ticket: Ticket) -> Dossier:
    """What was said and done, as the store has it now."""
    uids = [fold.uid for fold in ticket.mentions]
    known = store.mentions(uids)
    return Dossier(
        ticket=ticket,
        posts=tuple(known[uid] for uid in uids if uid in known),
        events=tuple(store.events(ticket.ticket)),
        elsewhere=tuple(row for row in joining.said(store, ticket) if row.uid not in uids),
        other_tickets=tuple(joining.tickets_of(store, ticket)),
    )


def who(store: Store, ticket: Ticket, reader: Reader | None = None) -> Who:
    """Who the customer is; what only an agent may see of the posts is there for a ``reader``.

    The references are logged here, the rest by the store that is handed in: see
    `triage.vault.watched`.
    """
    accounts = customers.identities(store, ticket.customer) if ticket.customer else []
    listed = [
        one.on(account.source, account.instance)
        for one in accounts
        for account in one.accounts or (one,)
    ]
    return Who(
        person=joining.authors(store, [ticket]).get(ticket.ticket),
        accounts=tuple(listed) if len(listed) > 1 else (),
        references=_references(store, ticket, reader),
    )


def _references(store: Store, ticket: Ticket, reader: Reader | None) -> tuple[tuple[str, str], ...]:
    if reader is None:
        return ()
    uids = [fold.uid for fold in ticket.mentions]
    found = references(store, uids, reader.by, reader.reason, reader.at)
    return tuple(dict.fromkeys(item for uid in uids if uid in found for item in found[uid].items))
