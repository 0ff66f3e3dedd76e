"""One case as people read it: the ticket with its posts, its person and its history."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from triage.dossier import Reader, dossier, who
from triage.folds import COPY, NEAR, REPOST
from triage.priority import explain
from triage.store.base import Identity, Store, StoredMention
from triage.ticket import Event, Ticket


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket and all that the store knows about it."""

    ticket: Ticket
    person: Identity | None
    """Who it is, from the vault; None when the source did not say."""
    posts: tuple[StoredMention, ...]
    """In the order of the ticket's mentions, oldest first."""
    events: tuple[Event, ...]
    accounts: tuple[Identity, ...] = ()
    """Every account that is known to be theirs, where there are several."""
    elsewhere: tuple[StoredMention, ...] = ()
    """What the customer has said anywhere else, oldest first."""
    other_tickets: tuple[Ticket, ...] = ()
    references: tuple[tuple[str, str], ...] = ()
    """(kind, words) that analysts do not see: order numbers, how to reach them."""


def read(store: Store, ticket: Ticket, reader: Reader | None = None) -> Case:
    """The case of a ticket, as the store has it now.

    What only an agent may see of the posts is there for a ``reader``, and that read is logged.
    """
    told = dossier(store, ticket)
    known = who(store, ticket, reader)
    return Case(
        ticket=ticket,
        person=known.person,
        accounts=known.accounts,
        elsewhere=told.elsewhere,
        other_tickets=told.other_tickets,
        posts=told.posts,
        events=told.events,
        references=known.references,
    )


def as_object(case: Case) -> dict[str, Any]:
    """The case as one JSON object: ``ticket``, ``person``, ``posts``, ``events``."""
    built: dict[str, Any] = msgspec.to_builtins(case)
    return built


def name_of(person: Identity | None) -> str:
    """What to call somebody: the handle, else the name, else that nobody knows."""
    if person is None:
        return "unknown"
    return person.handle or person.name or person.native_id or "unknown"


def in_words(case: Case) -> Iterator[str]:
    """The case, line by line, as plain text."""
    ticket = case.ticket
    person = case.person
    yield f"{ticket.ticket}  {ticket.tier}  priority {ticket.priority}  {ticket.status}"
    address = f"  {person.url}" if person and person.url else ""
    yield f"who         {name_of(person)} on {person.source if person else ticket.source}{address}"
    for account in case.accounts:
        if case.person is None or account.source != case.person.source:
            yield f"also        {name_of(account)} on {account.source}"
    yield f"department  {ticket.department or 'none: sort by hand'}"
    yield f"answer by   {ticket.sla_due:%Y-%m-%d %H:%M} UTC"
    if ticket.incident:
        yield f"incident    {ticket.incident}"
    if ticket.answered_at:
        yield f"answered    {ticket.answered_at:%Y-%m-%d %H:%M} UTC, in public"
    if ticket.link:
        yield f"link        {ticket.link}"
    for kind, words in case.references:
        yield f"{kind[:11]:<11} {words}"
    yield from _handling(ticket)
    yield ""
    yield "Why it stands where it stands"
    yield from (f"  {line}" for line in explain(ticket))
    yield ""
    yield f"What was said ({len(ticket.mentions)} posts, {_plural(ticket.voices, 'voice')})"
    yield from _posts(case)
    yield from _elsewhere(case)
    yield ""
    yield "History"
    for event in case.events:
        words = f": {event.words}" if event.words else ""
        yield f"  {event.at:%m-%d %H:%M}  {event.kind} by {event.by}{words}"


def _elsewhere(case: Case) -> Iterator[str]:
    """What else the customer has said, so that nobody asks twice."""
    if not (case.elsewhere or case.other_tickets):
        return
    yield ""
    yield f"Said elsewhere ({len(case.elsewhere)} posts)"
    for post in case.elsewhere:
        words = " ".join(post.text.split())
        yield f"  {post.created_at:%m-%d %H:%M}  {post.source}: {words or '(deleted)'}"
    for ticket in case.other_tickets:
        yield f"  {ticket.ticket}  {ticket.status}: {ticket.excerpt}"


def _posts(case: Case) -> Iterator[str]:
    """The posts with why each is here; who only repeats is counted."""
    reasons = {fold.uid: fold.reason for fold in case.ticket.mentions}
    said = [post for post in case.posts if reasons[post.uid] not in (REPOST, COPY, NEAR)]
    for post in said:
        side = "the brand" if post.owner else post.source
        yield f"  {post.created_at:%m-%d %H:%M}  {side}: {reasons[post.uid]}"
        words = " — ".join(part for part in (post.title, " ".join(post.text.split())) if part)
        yield f"      {words or '(deleted)'}"
    repeated = len(case.posts) - len(said)
    if repeated:
        yield f"  and {_plural(repeated, 'repost or copy', 'reposts and copies')}"


def _plural(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _handling(ticket: Ticket) -> Iterator[str]:
    handling = ticket.handling
    if handling.agent:
        until = f" until {handling.lease_until:%H:%M} UTC" if handling.lease_until else ""
        yield f"agent       {handling.agent}{until}"
    if handling.outcome:
        yield f"outcome     {handling.outcome}"
    if handling.note:
        yield f"note        {handling.note}"
