"""Reaching out: the queue, the next ticket for an agent, what they did, lists to work from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from triage import life
from triage.cases import opening_of
from triage.casework import fold_cases
from triage.errors import Conflict, NoSuchTicket, StoreRefused
from triage.life import Action, Change
from triage.rules import Rules
from triage.store.base import QueueFilter, Store, Versioned, Write
from triage.tables import csv_of
from triage.ticket import WAITING, Ticket

COLUMNS = (
    "ticket",
    "priority",
    "tier",
    "parts",
    "department",
    "status",
    "sla_due",
    "voices",
    "reach",
    "source",
    "link",
    "excerpt",
    "author",
)

ATTEMPTS = 5
ROUNDS = 20
PAGE = 20


def find(store: Store, name: str) -> Versioned:
    """The ticket of this id, or the only one whose id begins so; case does not matter.

    Raises:
        NoSuchTicket: if there is none, or more than one.
    """
    bare = name.strip().casefold().removeprefix("t-")
    found = store.tickets_starting(f"T-{bare}", limit=4) if bare else []
    exact = [entry for entry in found if entry.ticket.ticket == f"T-{bare}"]
    if len(found) == 1 or exact:
        return (exact or found)[0]
    if not found:
        raise NoSuchTicket(f"no ticket begins with {name!r}: see the queue for its id")
    ids = ", ".join(entry.ticket.ticket for entry in found[:3])
    raise NoSuchTicket(f"{name!r} is the beginning of {ids}...: give more of it")


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
        Conflict: if others were faster ``ROUNDS`` times through the whole queue.
        StoreError: if the store does not answer or refuses the claim.
    """
    wanted = QueueFilter(statuses=WAITING, departments=tuple(departments), free_at=now)
    for _ in range(ROUNDS):
        cursor: str | None = None
        lost = False
        while True:
            page = store.queue(wanted, after=cursor, size=PAGE)
            for entry in page.tickets:
                change = life.claim(entry.ticket, agent, now, rules.lease)
                if _write(store, entry, change):
                    return change.ticket
                lost = True
            cursor = page.next
            if cursor is None:
                break
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
) -> Ticket:
    """Do something with a ticket, named by its id or the beginning of it.

    ``words`` are the outcome of a resolve, the reason of a dismiss, the text of a note.

    Raises:
        NoSuchTicket, IllegalMove: if the name or the ticket's status does not allow it.
        Conflict: if others kept changing it.
        StoreError: if the store does not answer or refuses.
    """
    for _ in range(ATTEMPTS):
        entry = find(store, name)
        change = move(entry.ticket, action, agent, now, rules, words)
        if _write(store, entry, change):
            return change.ticket
    raise Conflict(f"{name} was changed by others {ATTEMPTS} times: look at it and try again")


def move(
    ticket: Ticket, action: Action, agent: str, now: datetime, rules: Rules, words: str = ""
) -> Change:
    """The move of `triage.life` that ``action`` names.

    Raises:
        IllegalMove: if the ticket's status does not allow it.
    """
    match action:
        case "claim":
            return life.claim(ticket, agent, now, rules.lease)
        case "release":
            return life.release(ticket, agent, now)
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


def refresh(store: Store, rules: Rules, now: datetime) -> int:
    """Compute again every ticket whose place depends on the time and is due; how many there were.

    Each ticket is looked at once: one whose posts are no longer stored stops asking.
    """
    count = 0
    while due := store.due_for_refresh(now):
        openings = [opening for entry in due if (opening := opening_of(entry.ticket))]
        fold_cases(store, openings, rules, now)
        count += len(due)
        stuck = {entry.ticket.ticket for entry in due}
        writes = [
            Write(
                ticket=msgspec.structs.replace(entry.ticket, refresh_at=None),
                version=entry.version,
            )
            for entry in store.tickets(sorted(stuck)).values()
            if entry.ticket.refresh_at is not None and entry.ticket.refresh_at <= now
        ]
        if writes:
            _raise_refusals(store.write_tickets(writes).refused)
    return count


def queue_rows(
    store: Store, wanted: QueueFilter | None = None, size: int = 50
) -> list[dict[str, Any]]:
    """The first ``size`` tickets, best first, as plain values with the keys of ``COLUMNS``.

    Without a filter, those that nobody has reached out to yet. ``author`` is a handle or a name
    from the vault, None when nobody is known.
    """
    wanted = wanted if wanted is not None else QueueFilter(statuses=WAITING)
    tickets: list[Ticket] = []
    cursor: str | None = None
    while len(tickets) < size:
        page = store.queue(wanted, after=cursor, size=min(500, size - len(tickets)))
        tickets += [entry.ticket for entry in page.tickets]
        cursor = page.next
        if cursor is None:
            break
    return rows_of(store, tickets)


def rows_of(store: Store, tickets: Sequence[Ticket]) -> list[dict[str, Any]]:
    """These tickets as plain values, in their order, with the keys of ``COLUMNS``."""
    customers = sorted({ticket.customer for ticket in tickets if ticket.customer})
    known = store.identities(customers) if customers else {}
    authors = {customer: entry.handle or entry.name for customer, entry in known.items()}
    return [_row(ticket, authors.get(ticket.customer)) for ticket in tickets]


def as_table(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The rows as cells of a table, after a row of headings; parts by name and points."""
    return [COLUMNS, *(tuple(_cell(row[column]) for column in COLUMNS) for row in rows)]


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows as CSV with headings, lines ending in CRLF (RFC 4180).

    No cell can be taken for a formula by a spreadsheet: one that begins with ``=``, ``+``,
    ``-``, ``@``, a tab or a carriage return gets an apostrophe in front.
    """
    headings, *rest = as_table(rows)
    return csv_of(rest, headings)


def _row(ticket: Ticket, author: str | None) -> dict[str, Any]:
    values = msgspec.to_builtins(ticket)
    values["status"] = ticket.status
    values["author"] = author
    return {column: values[column] for column in COLUMNS}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(f"{part['name']} {part['points']:g}" for part in value)
    return str(value)


def _write(store: Store, entry: Versioned, change: Change) -> bool:
    write = Write(ticket=change.ticket, version=entry.version, events=(change.event,))
    written = store.write_tickets([write])
    _raise_refusals(written.refused)
    return bool(written.done)


def _raise_refusals(refused: Sequence[Any]) -> None:
    for refusal in refused:
        raise StoreRefused(f"the store refused {refusal.id}: {refusal.reason}; nothing changed")
