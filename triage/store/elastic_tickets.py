"""The tickets' half of the Elasticsearch store: compare-and-set, history, queue."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from triage.errors import StoreError, StoreRefused
from triage.store import elastic_documents as documents
from triage.store.base import QueueFilter, QueuePage, Refusal, Versioned, Write, Written
from triage.store.elastic_client import Action, Cluster
from triage.store.elastic_documents import Sort, terms
from triage.store.elastic_setup import Indices
from triage.store.records import (
    BadRecord,
    batches,
    cursor,
    micros,
    queue_key,
    refusal,
    ticket_json,
)
from triage.ticket import OPEN, WAITING, Event, Ticket

BATCH = 500

_log = logging.getLogger(__name__)


class TicketIndices:
    """The methods of `triage.store.base.Store` about tickets and their history.

    A ticket carries the events of its last change in its outbox, so that both are stored
    or none. They are copied to the index of events right after the change, and once more
    before the next change replaces them; `events` reads both places.
    """

    def __init__(self, cluster: Cluster, indices: Indices) -> None:
        self._cluster = cluster
        self._indices = indices

    def tickets(self, ids: Sequence[str]) -> dict[str, Versioned]:
        found = self._cluster.get(self._indices.tickets, ids)
        return {id: documents.ticket_of(hit) for id, hit in found.items()}

    def tickets_starting(self, prefix: str, limit: int = 10) -> list[Versioned]:
        query = {"prefix": {"ticket": prefix}} if prefix else documents.EVERYTHING
        return self._tickets(query, documents.BY_TICKET, limit)

    def tickets_of_threads(self, threads: Sequence[str]) -> list[Versioned]:
        found = {one.ticket.ticket: one for one in self._any_of("threads", threads)}
        return [found[id] for id in sorted(found)]

    def tickets_of_customers(self, customers: Sequence[str]) -> list[Versioned]:
        found = self._any_of("customer", customers)
        return sorted(found, key=lambda one: (one.ticket.opened_at, one.ticket.ticket))

    def _any_of(self, field: str, values: Sequence[str]) -> list[Versioned]:
        return [
            one
            for some in batches(sorted(set(values)), BATCH)
            for one in self._tickets(terms(field, some), documents.BY_TICKET)
        ]

    def _tickets(
        self, query: Mapping[str, Any], sort: Sort, limit: int | None = None
    ) -> list[Versioned]:
        self._cluster.refresh(self._indices.tickets)
        hits = self._cluster.hits(self._indices.tickets, query, sort, limit)
        return [documents.ticket_of(hit) for hit in hits]

    def all_tickets(self) -> Iterator[Ticket]:
        self._cluster.refresh(self._indices.tickets)
        # Ids are never removed or changed, so that plain paging meets each of them once.
        for hit in self._cluster.hits(
            self._indices.tickets, documents.EVERYTHING, documents.BY_TICKET
        ):
            yield documents.ticket_of(hit).ticket

    def queue(self, wanted: QueueFilter, after: str | None = None, size: int = 50) -> QueuePage:
        start = None if after is None else list(queue_key(after))
        self._cluster.refresh(self._indices.tickets)
        query = documents.queue_query(wanted)
        hits = self._cluster.hits(self._indices.tickets, query, documents.AS_QUEUE, size + 1, start)
        found = [documents.ticket_of(hit) for hit in hits]
        page = tuple(found[:size])
        return QueuePage(tickets=page, next=cursor(page[-1].ticket) if len(found) > size else None)

    def count(self, wanted: QueueFilter) -> int:
        self._cluster.refresh(self._indices.tickets)
        return self._cluster.count(self._indices.tickets, documents.queue_query(wanted))

    def due_for_refresh(self, now: datetime, size: int = 500) -> list[Versioned]:
        due = {"range": {"micros.refresh_at": {"lte": micros(now)}}}
        query = {"bool": {"filter": [due, terms("handling.status", OPEN)]}}
        return self._tickets(query, documents.BY_TICKET, size)

    def longest_waiting(self) -> Ticket | None:
        answered = {"exists": {"field": "answered_at"}}
        waiting = [terms("handling.status", WAITING)]
        query = {"bool": {"filter": waiting, "must_not": [answered]}}
        found = self._tickets(query, documents.BY_OPENED, 1)
        return found[0].ticket if found else None

    def events(self, ticket: str) -> list[Event]:
        self._cluster.refresh(self._indices.events)
        hits = self._cluster.get(self._indices.tickets, [ticket], source="outbox")
        found = {event.id: event for hit in hits.values() for event in documents.outbox_of(hit)}
        query = terms("ticket", [ticket])
        for hit in self._cluster.hits(self._indices.events, query, documents.BY_AT):
            found[hit["_id"]] = msgspec.convert(hit["_source"], Event)
        return sorted(found.values(), key=lambda event: (event.at, event.id))

    # writing

    def write_tickets(self, writes: Sequence[Write]) -> Written:
        self._indices.ready()
        became: list[str | Refusal] = []
        for some in batches(writes, BATCH):
            self._empty_outboxes([write for write in some if write.version is not None])
            became += self._write_some(some)
        ids = [write.ticket.ticket for write in writes]
        return Written(
            done=tuple(id for id, state in zip(ids, became, strict=True) if state == "done"),
            conflicts=tuple(
                id for id, state in zip(ids, became, strict=True) if state == "conflict"
            ),
            refused=tuple(state for state in became if isinstance(state, Refusal)),
        )

    def _write_some(self, writes: Sequence[Write]) -> list[str | Refusal]:
        became: list[str | Refusal] = ["conflict"] * len(writes)
        actions: dict[int, Action] = {}
        for position, write in enumerate(writes):
            try:
                action = self._action(write)
            except BadRecord as error:
                became[position] = refusal(write.ticket.ticket, error)
                continue
            if action is not None:
                actions[position] = action
        # What one person does is shown by the one who does it: nobody who reads has to wait for it.
        outcomes = self._cluster.bulk(list(actions.values()), shown=len(writes) == 1)
        events: list[Event] = []
        for (position, action), outcome in zip(actions.items(), outcomes, strict=True):
            if outcome.state == "refused":
                became[position] = refusal(action.id, outcome.reason)
            elif outcome.state == "done" or (outcome.repeated and self._cluster.holds(action)):
                became[position] = "done"
                events += writes[position].events
        try:
            self._store_events(events)
        except StoreError as error:
            # The change is made and its events are safe in the outbox: to call it failed
            # would have it made again.
            _log.warning("ticket events stay in their outboxes for now: %s", error)
        return became

    def _action(self, write: Write) -> Action | None:
        """None if the version that it names can be no ticket's."""
        body, events = ticket_json(write)
        document = documents.ticket_document(write, body, events)
        id, index = write.ticket.ticket, self._indices.tickets
        if write.version is None:
            return Action(op="create", index=index, id=id, body=document)
        seen = documents.seen(write.version)
        return seen and Action(op="index", index=index, id=id, body=document, seen=seen)

    def _empty_outboxes(self, writes: Sequence[Write]) -> None:
        """Copy the events of the changes that are about to be replaced."""
        ids = [write.ticket.ticket for write in writes]
        hits = self._cluster.get(self._indices.tickets, ids, source="outbox")
        self._store_events([event for hit in hits.values() for event in documents.outbox_of(hit)])

    def _store_events(self, events: Sequence[Event]) -> None:
        """Store each event once; one that is there already stays as it is."""
        actions = [
            Action(
                op="create",
                index=self._indices.events,
                id=event.id,
                body=documents.event_document(event),
            )
            for event in events
        ]
        for outcome in self._cluster.bulk(actions):
            if outcome.state == "refused":
                raise StoreRefused(f"an event of a ticket is refused: {outcome.reason}")
