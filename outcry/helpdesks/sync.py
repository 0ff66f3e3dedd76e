"""Pushing tickets through the queue, pulling outcomes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import get_args

import msgspec

from outcry.helpdesks.base import Card, Helpdesk
from triage.contacts import Outcome
from triage.deliveries import (
    Delivery,
    SendLater,
    SendRefused,
    Worked,
    enqueue,
    finished,
    sent,
    work,
)
from triage.errors import IllegalMove, NoSuchTicket
from triage.results import finish
from triage.rules import Rules
from triage.store.base import QueueFilter, Store, pages
from triage.ticket import OPEN, Ticket

TITLE = 80


class Pulled(msgspec.Struct, kw_only=True):
    """What a run of `pull` did."""

    looked_at: int = 0
    closed: int = 0
    errors: list[str] = []


def push(
    store: Store, desk: Helpdesk, now: datetime, departments: Sequence[str | None] = ()
) -> Worked:
    """Put every open ticket into the queue once, then send what is due.

    A ticket reaches the help desk once, however often this runs and wherever it dies: the queue
    knows it by its id, and a try that may have arrived is looked for before the next.
    """
    wanted = QueueFilter(statuses=OPEN, departments=tuple(departments))
    for page in pages(store, wanted, 200):
        enqueue(store, [_delivery(one.ticket, desk.name, now) for one in page])

    def send(one: Delivery) -> str:
        card = msgspec.convert(one.payload, Card)
        found = desk.find(card.ticket) if one.attempts > 1 else None
        return found if found is not None else desk.create(card)

    return work(store, desk.name, send, now)


def pull(store: Store, desk: Helpdesk, rules: Rules, now: datetime) -> Pulled:
    """Close what the help desk has closed; its tag ``outcry-no-answer`` and the like say how.

    Each outcome comes back once and becomes a label. A help desk that does not answer ends the
    run; the next one goes on.
    """
    done = Pulled()
    for one in list(sent(store, desk.name)):
        try:
            seen = desk.look(one.remote or "")
        except (SendLater, SendRefused) as error:
            done.errors.append(str(error))
            return done
        done.looked_at += 1
        if seen.state == "open":
            continue
        if seen.state == "closed":
            try:
                finish(store, one.about, outcome_of(seen.tags), desk.name, now, rules)
                done.closed += 1
            except (IllegalMove, NoSuchTicket) as error:
                done.errors.append(str(error))
        finished(store, one)
    return done


def outcome_of(tags: Iterable[str]) -> Outcome:
    """The outcome that a tag names, as in ``outcry-wrong-person``; else that it is resolved."""
    said = {tag.casefold().replace("_", "-") for tag in tags}
    known: tuple[Outcome, ...] = get_args(Outcome)
    for outcome in known:
        if f"outcry-{outcome.replace(' ', '-')}" in said:
            return outcome
    return "resolved"


def _delivery(ticket: Ticket, system: str, now: datetime) -> Delivery:
    title = ticket.excerpt if len(ticket.excerpt) <= TITLE else ticket.excerpt[: TITLE - 1] + "…"
    lines = (
        ticket.excerpt,
        "",
        f"{ticket.tier}, priority {ticket.priority}, answer by {ticket.sla_due:%Y-%m-%d %H:%M} UTC",
        f"department: {ticket.department or 'sort by hand'}",
        *(f"{part.points:+.0f} {part.name}: {part.words}" for part in ticket.parts),
        ticket.link or "no link",
        f"{ticket.voices} voices on {ticket.source}",
    )
    card = Card(
        ticket=ticket.ticket,
        title=" ".join(title.split()),
        body="\n".join(lines),
        customer=ticket.customer,
        priority=ticket.tier,
        department=ticket.department or "",
    )
    return Delivery(
        key=f"{system}/{ticket.ticket}",
        system=system,
        about=ticket.ticket,
        payload=msgspec.to_builtins(card),
        made_at=now,
        next_at=now,
    )
