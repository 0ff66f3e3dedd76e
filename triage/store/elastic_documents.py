"""From records to Elasticsearch documents and queries, and back.

A document is the record's own JSON with ``@timestamp``, and with ``micros``: the instants
that lists are sorted by, because Elasticsearch's dates stop at the millisecond.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from triage.likeness import Sketch
from triage.store.base import QueueFilter, StoredMention, Versioned, Write
from triage.store.elastic_client import Hit, Query
from triage.store.elastic_setup import UNDATED, mapping
from triage.store.records import is_text, micros, plain_json
from triage.ticket import Event, Ticket

OLDEST_YEAR = 2000
"""No network is older: a claim before it must not open an index for each month of history."""

Sort = Sequence[Mapping[str, str]]
BY_CREATED: Sort = ({"micros.created_at": "asc"}, {"uid": "asc"})
BY_CREATED_LAST_FIRST: Sort = ({"micros.created_at": "desc"}, {"uid": "desc"})
BY_FINGERPRINT: Sort = ({"fingerprint": "asc"},)
BY_TICKET: Sort = ({"ticket": "asc"},)
BY_OPENED: Sort = ({"micros.opened_at": "asc"}, {"ticket": "asc"})
BY_AT: Sort = ({"micros.at": "asc"}, {"id": "asc"})
AS_QUEUE: Sort = (
    {"priority": "desc"},
    {"micros.sla_due": "asc"},
    {"ticket": "asc"},
)
EVERYTHING: Query = {"match_all": {}}


def terms(field: str, values: Sequence[str]) -> Query:
    """Any of these values; one that is no valid Unicode is in no document."""
    return {"terms": {field: [value for value in values if is_text(value)]}}


def month_of(row: StoredMention) -> str:
    """``YYYY.MM`` of a mention; a claim that lies in the future counts as now."""
    at = _believable(row)
    return f"{at:%Y.%m}" if at.year >= OLDEST_YEAR else UNDATED


def _believable(row: StoredMention) -> datetime:
    return min(row.created_at, row.collected_at)


def mention_document(row: StoredMention, body: bytes) -> bytes:
    return _document(body, _believable(row), {"created_at": micros(row.created_at)})


def event_document(event: Event) -> bytes:
    return _document(plain_json(event), event.at, {"at": micros(event.at)})


def ticket_document(write: Write, body: bytes, events: Sequence[bytes]) -> bytes:
    """A ticket with its outbox: the events of this very change.

    They travel inside the ticket, so that both are stored or none; `ElasticStore` copies
    them to their own index afterwards, and again before the next change replaces them.
    """
    ticket = write.ticket
    instants = {
        "opened_at": ticket.opened_at,
        "sla_due": ticket.sla_due,
        "refresh_at": ticket.refresh_at,
        "free_from": ticket.free_from,
    }
    known = {name: micros(at) for name, at in instants.items() if at is not None}
    return _document(
        body, ticket.opened_at, known, {"outbox": [msgspec.Raw(one) for one in events]}
    )


def row_document(kind: str, row: Mapping[str, Any], at: datetime) -> bytes:
    """A mapping; what the strict mapping does not know is kept aside, not searchable."""
    known = mapping(kind)["properties"].keys() - {"other", "@timestamp"}
    document = {name: value for name, value in row.items() if name in known}
    other = {name: value for name, value in row.items() if name not in known}
    if other:
        document["other"] = other
    return plain_json({"@timestamp": at, **document})


def _document(
    body: bytes,
    at: datetime,
    instants: Mapping[str, int] | None = None,
    more: Mapping[str, Any] | None = None,
) -> bytes:
    added: dict[str, Any] = {"@timestamp": at, **(more or {})}
    if instants is not None:
        added["micros"] = instants
    return plain_json(added)[:-1] + b"," + body[1:]


def document(record: Any, at: datetime) -> bytes:
    """Any other record."""
    return _document(plain_json(record), at)


def digest(*words: str) -> str:
    """The id of a document that is told apart by several words."""
    return hashlib.sha256("\x1f".join(words).encode(errors="replace")).hexdigest()[:32]


# back


def mention_of(hit: Hit) -> StoredMention:
    return msgspec.convert(hit["_source"], StoredMention)


def sketch_of(hit: Hit) -> Sketch:
    return msgspec.convert(hit["_source"], Sketch)


def ticket_of(hit: Hit) -> Versioned:
    ticket = msgspec.convert(hit["_source"], Ticket)
    return Versioned(ticket=ticket, version=f"{hit['_seq_no']}.{hit['_primary_term']}")


def outbox_of(hit: Hit) -> list[Event]:
    return msgspec.convert(hit["_source"].get("outbox", []), list[Event])


def seen(version: str) -> tuple[int, int] | None:
    """Sequence number and primary term of a ticket's version; None if it is no such thing."""
    number, _, term = version.partition(".")
    return (int(number), int(term)) if number.isdecimal() and term.isdecimal() else None


# the queue


def queue_query(wanted: QueueFilter) -> Query:
    musts: list[Query] = []
    for field, chosen in (
        ("handling.status", wanted.statuses),
        ("source", wanted.sources),
        ("tier", wanted.tiers),
        ("language", wanted.languages),
        ("handling.agent", () if wanted.agent is None else (wanted.agent,)),
    ):
        if chosen:
            musts.append(terms(field, chosen))
    if wanted.departments:
        either = [terms("department", [name for name in wanted.departments if name is not None])]
        if None in wanted.departments:
            either.append(_missing("department"))
        musts.append({"bool": {"should": either}})
    if wanted.due_before is not None:
        musts.append({"range": {"micros.sla_due": {"lt": micros(wanted.due_before)}}})
    if wanted.free_at is not None:
        over = {"range": {"micros.free_from": {"lte": micros(wanted.free_at)}}}
        musts.append({"bool": {"should": [_missing("micros.free_from"), over]}})
    return {"bool": {"filter": musts}}


def _missing(field: str) -> Query:
    return {"bool": {"must_not": {"exists": {"field": field}}}}
