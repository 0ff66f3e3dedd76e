"""How a contact ended: the ticket moves, the contact counts, and a label row is kept."""

from __future__ import annotations

from datetime import datetime

from triage.claims import mark_of
from triage.contacts import Contact, Label, Outcome, learn, record_contact
from triage.life import Action
from triage.outreach import act, find
from triage.rules import Rules
from triage.store.base import Store
from triage.ticket import Ticket


def finish(
    store: Store,
    name: str,
    outcome: Outcome,
    by: str,
    now: datetime,
    rules: Rules,
    seen: str | None = None,
) -> Label:
    """Write down how contacting the customer of a ticket ended; the same again is harmless.

    ``no answer`` leaves the ticket contacted, ``wrong person`` and ``not a complaint`` dismiss
    it, the others resolve it. A ticket that nobody held is claimed on the way.

    Raises:
        NoSuchTicket, IllegalMove: if the name or the ticket's status does not allow it.
        Stale: if the ticket does not bear the mark ``seen`` (`triage.claims.mark_of`) any more.
        StoreError: if the store does not answer or refuses.
    """
    ticket = find(store, name).ticket
    for action in _moves(ticket, outcome):
        ticket = act(store, ticket.ticket, action, by, now, rules, outcome, seen=seen)
        seen = mark_of(ticket) if seen is not None else None
    if ticket.customer and outcome != "not a complaint":
        at = ticket.handling.contacted_at or now
        record_contact(
            store,
            Contact(
                customer=ticket.customer,
                at=at,
                by=by,
                about=ticket.ticket,
                channel=ticket.source,
            ),
        )
    return learn(store, ticket, outcome, by, now)


def _moves(ticket: Ticket, outcome: Outcome) -> list[Action]:
    """What is left to be done, in order; nothing for what has been done already."""
    if ticket.status in ("resolved", "dismissed"):
        return []
    if outcome in ("wrong person", "not a complaint"):
        return ["dismiss"]
    moves: list[Action] = ["claim"] if ticket.status in ("new", "reopened") else []
    if ticket.status != "contacted":
        moves.append("contact")
    return moves if outcome == "no answer" else [*moves, "resolve"]
