"""What analysts read: one flat, readable row for each thing, made from what the store keeps.

Nothing here says who somebody is. Agents stand behind their team, customers behind their
pseudonym, and what people wrote by hand (notes, reasons) is left out. ``docs/fields.md`` is
generated from these records.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta

BY_HAND = "by hand"
"""The department of what the router left to people."""

Time = Annotated[datetime, Meta(description="When it was said, or happened; UTC")]
Source = Annotated[str, Meta(description="The network or file that it came from")]
Language = Annotated[str, Meta(description="ISO 639-1; und where the text does not say")]
Department = Annotated[str, Meta(description="Who deals with it; 'by hand' where people sort it")]
Severity = Annotated[
    str,
    Meta(
        description="0 no complaint, 1 no open reproach, 2 disapproval, 3 accusation, 4 blame; "
        "'not read' where no model reads it"
    ),
]
Level = Annotated[int | None, Meta(description="The severity as a number")]
Customer = Annotated[str | None, Meta(description="Pseudonym; the same person, the same word")]
Probability = Annotated[
    float | None, Meta(description="Calibrated probability of a complaint, 0 to 1")
]


class MentionFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A post, review, mail or row that was heard and not deleted since."""

    at: Time
    mention: Annotated[str, Meta(description="Id of the mention")]
    source: Source
    instance: Annotated[str, Meta(description="Server or site, where a source has several")] = ""
    kind: Annotated[str, Meta(description="post, comment, review, mail, ...")]
    said_by: Annotated[str, Meta(description="customer, or brand for its own accounts")]
    repost: Annotated[bool, Meta(description="Somebody passed on what another said")]
    counted: Annotated[
        str, Meta(description="yes: a customer's own words in public, what most panels count")
    ]
    title: Annotated[str | None, Meta(description="Masked", extra_json_schema={"type": "text"})] = (
        None
    )
    text: Annotated[
        str, Meta(description="Masked words of the post", extra_json_schema={"type": "text"})
    ]
    link: Annotated[
        str | None, Meta(description="Where it stands; absent where the address names somebody")
    ] = None
    customer: Customer = None
    thread: Annotated[str, Meta(description="The conversation: id of its first mention")]
    container: Annotated[str | None, Meta(description="Group, channel, product page")] = None
    matched: Annotated[tuple[str, ...], Meta(description="What was listened for")] = ()
    language: Language
    model: Annotated[str | None, Meta(description="What read it")] = None
    reading: Annotated[str, Meta(description="complaint, other, or not read")]
    complaint_share: Annotated[
        int | None, Meta(description="1 for a complaint, 0 for another; its average is the share")
    ] = None
    not_read_share: Annotated[
        int, Meta(description="1 where the model abstained; its average is the share")
    ]
    complaint_probability: Probability = None
    sentiment: Annotated[str | None, Meta(description="negative, neutral, positive")] = None
    severity: Severity
    severity_level: Level = None
    department: Department
    by_hand_share: Annotated[
        int, Meta(description="1 where the router left it to people; its average is the share")
    ]
    department_probability: Annotated[
        float | None, Meta(description="How sure the router was; absent where phrases decided")
    ] = None
    cues: Annotated[tuple[str, ...], Meta(description="Signs that matter: safety, legal, ...")] = ()
    products: Annotated[tuple[str, ...], Meta(description="Products that it names")] = ()
    words: Annotated[tuple[str, ...], Meta(description="Words that moved the reading")] = ()
    personal_data: Annotated[tuple[str, ...], Meta(description="Kinds that were masked")] = ()
    rating: Annotated[float | None, Meta(description="Stars or points, as given")] = None
    followers: Annotated[int | None, Meta(description="Absent where the source says none")] = None
    views: Annotated[int | None, Meta(description="Absent where the source says none")] = None
    likes: Annotated[int | None, Meta(description="Absent where the source says none")] = None
    replies: Annotated[int | None, Meta(description="Absent where the source says none")] = None
    shares: Annotated[int | None, Meta(description="Absent where the source says none")] = None
    heard_at: Annotated[datetime, Meta(description="When the listener heard it last; UTC")]
    lag_minutes: Annotated[float, Meta(description="From the post until it was heard last")]


class TicketFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case: one customer, one problem."""

    at: Time
    ticket: Annotated[str, Meta(description="Its id, as agents know it")]
    status: Annotated[str, Meta(description="new, claimed, contacted, waiting, resolved, ...")]
    open: Annotated[bool, Meta(description="Somebody still has to do something")]
    tier: Annotated[str, Meta(description="P1 first to P4")]
    priority: Annotated[int, Meta(description="0 to 100")]
    department: Department
    team: Annotated[str | None, Meta(description="Of the agent who has or had it")] = None
    source: Source
    language: Language
    severity: Severity
    severity_level: Level = None
    sentiment: Annotated[str | None, Meta(description="negative, neutral, positive")] = None
    cues: Annotated[tuple[str, ...], Meta(description="Signs that matter: safety, legal, ...")] = ()
    complaint_probability: Probability = None
    customer: Customer = None
    excerpt: Annotated[
        str, Meta(description="Masked beginning", extra_json_schema={"type": "text"})
    ]
    link: Annotated[
        str | None, Meta(description="Where it stands; absent where the address names somebody")
    ] = None
    incident: Annotated[str | None, Meta(description="Id of the incident it is part of")] = None
    posts: Annotated[int, Meta(description="The customers' posts in it")]
    voices: Annotated[int, Meta(description="People who said it, reposts included")]
    reach: Annotated[int | None, Meta(description="People who may have seen it")] = None
    reach_gained: Annotated[int | None, Meta(description="Of these, in the last hour")] = None
    last_at: Annotated[datetime, Meta(description="The customer's newest post; UTC")]
    sla_due: Annotated[datetime, Meta(description="First response due by; UTC")]
    sla: Annotated[
        str, Meta(description="kept, breached, or running; overdue is: running and sla_due < now")
    ]
    sla_kept_share: Annotated[
        int | None, Meta(description="1 kept, 0 breached, absent while it runs")
    ] = None
    claimed_at: Annotated[datetime | None, Meta(description="When an agent took it; UTC")] = None
    first_response_minutes: Annotated[
        float | None, Meta(description="From the post, or from what reopened it, to the contact")
    ] = None
    resolution_minutes: Annotated[
        float | None, Meta(description="From the post until it was resolved or dismissed")
    ] = None
    reopened: Annotated[bool, Meta(description="It had been dealt with before")]
    outcome: Annotated[str | None, Meta(description="How it ended, of the known outcomes")] = None


class EventFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step in the life of a ticket, with what the ticket was when it was published."""

    at: Time
    ticket: Annotated[str, Meta(description="Id of the ticket")]
    event: Annotated[str, Meta(description="opened, claimed, contacted, resolved, ...")]
    team: Annotated[str, Meta(description="Of the agent who did it; triage for the program")]
    customer: Customer = None
    source: Source
    language: Language
    department: Department
    severity: Severity


class IncidentFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Many complaints, one cause."""

    at: Time
    incident: Annotated[str, Meta(description="Its id")]
    title: Annotated[str, Meta(description="What it seems to be about")]
    kind: Annotated[str, Meta(description="burst, or planned by people")]
    state: Annotated[str, Meta(description="open, confirmed, fixed, closed, dismissed")]
    live: Annotated[bool, Meta(description="New posts still join")]
    impact: Annotated[str, Meta(description="minor, major, critical")]
    department: Department
    source: Annotated[tuple[str, ...], Meta(description="Networks that it was seen on")] = ()
    language: Annotated[tuple[str, ...], Meta(description="Languages of its cases")] = ()
    severity: Annotated[tuple[str, ...], Meta(description="Severities of its cases")] = ()
    words: Annotated[tuple[str, ...], Meta(description="What sets it apart, strongest first")] = ()
    customers: Annotated[int, Meta(description="Different people who report it")]
    posts: Annotated[int, Meta(description="Their posts")]
    tickets: Annotated[int, Meta(description="Cases that belong to it")]
    peak: Annotated[int, Meta(description="Posts in the fullest quarter of an hour")]
    peak_at: Annotated[datetime, Meta(description="That quarter of an hour; UTC")]
    last_at: Annotated[datetime, Meta(description="Newest post; UTC")]
    detected_at: Annotated[datetime, Meta(description="Reports were enough; UTC")]
    reports: Annotated[int, Meta(description="Reports in the stretch that it was noticed by")]
    expected: Annotated[float, Meta(description="Reports that the past would have had there")]
    growth: Annotated[int, Meta(description="Posts in its last hour less those in the hour before")]
    minutes_to_detect: Annotated[float, Meta(description="From the first post until noticed")]


class LedgerFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one target gave in one window, and what is known to be missing."""

    at: Time
    source: Source
    target: Annotated[str, Meta(description="The target's key in the settings")]
    window: Annotated[str, Meta(description="The window that was asked for")]
    result: Annotated[str, Meta(description="ok, partial, failed, skipped")]
    failed_share: Annotated[int, Meta(description="1 if it failed; its average is the share")]
    cut_off: Annotated[bool, Meta(description="The budget ended first; the next run goes on")]
    error_class: Annotated[str | None, Meta(description="Kind of error")] = None
    got: Annotated[int, Meta(description="Items that the source sent")]
    new: Annotated[int, Meta(description="Items not known before")]
    changed: Annotated[int, Meta(description="New versions of known items")]
    deleted: Annotated[int, Meta(description="Items that the source took back")]
    duplicate: Annotated[int, Meta(description="Items known already")]
    rejected: Annotated[int, Meta(description="Items that could not be understood")]
    pages: Annotated[int, Meta(description="Answers that it took")]
    gaps: Annotated[int, Meta(description="Stretches that are known to be missing")]
    newest: Annotated[datetime | None, Meta(description="Youngest item; UTC")] = None


class OutcomeFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a contact ended, beside what the model had said."""

    at: Time
    ticket: Annotated[str, Meta(description="Id of the ticket")]
    outcome: Annotated[str, Meta(description="resolved, no answer, not a complaint, ...")]
    truth: Annotated[str, Meta(description="complaint, other, or not known")]
    right_share: Annotated[
        int | None, Meta(description="1 if it was a complaint, as the model said; 0 if not")
    ] = None
    complaint_probability: Probability = None
    model: Annotated[str | None, Meta(description="What had read it")] = None
    customer: Customer = None
    source: Source
    language: Language
    department: Department
    severity: Severity


class VectorFact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a mention is about, for the search by meaning; there once somebody has searched so."""

    at: Time
    mention: Annotated[str, Meta(description="Id of the mention")]
    model: Annotated[str, Meta(description="What made the vector")]
    content_hash: Annotated[str, Meta(description="Of the words that it was made of")]
    source: Source
    language: Language
    department: Annotated[
        str | None, Meta(description="Who deals with it; absent where people sort it")
    ] = None
    vector: Annotated[
        tuple[float, ...],
        Meta(
            description="Near ones are about the same matter; by cosine",
            extra_json_schema={"type": "dense_vector"},
        ),
    ]


Fact = MentionFact | TicketFact | EventFact | IncidentFact | LedgerFact | OutcomeFact | VectorFact
FACTS: dict[str, type[msgspec.Struct]] = {
    "mentions": MentionFact,
    "tickets": TicketFact,
    "ticket-events": EventFact,
    "incidents": IncidentFact,
    "ledger": LedgerFact,
    "outcomes": OutcomeFact,
    "vectors": VectorFact,
}
"""The record of each index, by the end of its name."""

VECTORS = {"type": "int8_hnsw"}
"""How Elasticsearch finds the nearest vectors: a kind that needs no paid licence."""

_TYPES = {
    msgspec.inspect.StrType: "keyword",
    msgspec.inspect.IntType: "long",
    msgspec.inspect.FloatType: "double",
    msgspec.inspect.BoolType: "boolean",
    msgspec.inspect.DateTimeType: "date",
}


class Field(msgspec.Struct, frozen=True):
    """One field of an index."""

    name: str
    type: str
    """Elasticsearch's."""
    many: bool
    description: str


@lru_cache
def fields(kind: str) -> tuple[Field, ...]:
    """The fields of a kind's documents, in the order of the record; ``at`` is ``@timestamp``."""
    found = msgspec.inspect.type_info(FACTS[kind])
    assert isinstance(found, msgspec.inspect.StructType)
    return tuple(_field(one) for one in found.fields)


def mapping(kind: str) -> dict[str, Any]:
    """The strict mapping of a kind's documents."""
    properties: dict[str, Any] = {}
    for one in fields(kind):
        properties[one.name] = {"type": one.type}
        if one.type == "keyword":
            properties[one.name]["ignore_above"] = 1024
        if one.type == "dense_vector":  # as long as the first vector is
            properties[one.name] |= {"similarity": "cosine", "index_options": VECTORS}
    return {"dynamic": "strict", "properties": properties}


def document(fact: Fact) -> bytes:
    """The fact as JSON, its time as ``@timestamp``."""
    values = {name: value for name, value in msgspec.to_builtins(fact).items() if value != []}
    return msgspec.json.encode({"@timestamp": values.pop("at"), **values})


def _field(field: msgspec.inspect.Field) -> Field:
    extra: dict[str, Any] = {}
    kind, many = field.type, False
    while True:
        if isinstance(kind, msgspec.inspect.Metadata):
            extra = {**(kind.extra_json_schema or {}), **extra}
            kind = kind.type
        elif isinstance(kind, msgspec.inspect.UnionType):
            kind = next(t for t in kind.types if not isinstance(t, msgspec.inspect.NoneType))
        elif isinstance(kind, msgspec.inspect.VarTupleType):
            kind, many = kind.item_type, True
        else:
            break
    name = "@timestamp" if field.name == "at" else field.name
    return Field(name, extra.get("type", _TYPES[type(kind)]), many, extra.get("description", ""))
