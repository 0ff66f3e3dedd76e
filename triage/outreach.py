"""Reaching out: the queue and lists to work from; `triage.claims` is what agents do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import msgspec

from triage.casework import fold_cases
from triage.claims import act, claim_next, find, raise_refusals
from triage.folds import opening_of
from triage.joining import authors
from triage.rules import Rules
from triage.store.base import QueueFilter, Store, Write, pages
from triage.tables import csv_of
from triage.ticket import WAITING, Ticket

__all__ = ["act", "as_csv", "as_table", "claim_next", "find", "queue_rows", "refresh", "rows_of"]

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
    "incident",
)


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
            raise_refusals(store.write_tickets(writes).refused)
    return count


def queue_rows(
    store: Store, wanted: QueueFilter | None = None, size: int = 50
) -> list[dict[str, Any]]:
    """The first ``size`` tickets, best first, as plain values with the keys of ``COLUMNS``.

    Without a filter, those that nobody has reached out to yet. ``author`` is a handle or a name
    from the vault, None when nobody is known.
    """
    wanted = wanted if wanted is not None else QueueFilter(statuses=WAITING)
    found = (entry.ticket for page in pages(store, wanted, min(500, size)) for entry in page)
    return rows_of(store, list(islice(found, size)))


def rows_of(store: Store, tickets: Sequence[Ticket]) -> list[dict[str, Any]]:
    """These tickets as plain values, in their order, with the keys of ``COLUMNS``."""
    known = authors(store, tickets)
    names = {ticket: person.handle or person.name for ticket, person in known.items()}
    return [_row(ticket, names.get(ticket.ticket)) for ticket in tickets]


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
