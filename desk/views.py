"""What the pages show and the API says: plain records made of triage's.

`triage.ticket.Ticket` and its like are what the store keeps; these are what is promised outside.
But for `WhoView`, none of them names a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from triage import sla
from triage.claims import mark_of
from triage.customers import Link
from triage.dossier import Dossier
from triage.folds import COPY, NEAR, REPOST
from triage.incident import Incident, Point, Severity, State, Step, Word
from triage.life import POSSIBLE, is_held
from triage.policy import Verdict
from triage.priority import explain
from triage.rules import Rules
from triage.store.base import Identity, StoredMention
from triage.ticket import Event, Part, Status, Ticket, Tier


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it stands in a list."""

    ticket: str
    mark: str
    """Its ETag: what a change may name as read."""
    priority: int
    tier: Tier
    why: tuple[str, ...]
    """The words of the parts of its priority, the weightiest first."""
    department: str | None
    """None: sorted by hand."""
    status: Status
    agent: str | None
    held: bool
    """Somebody's claim on it is good at this moment."""
    lease_until: datetime | None
    free_from: datetime | None
    """When the queue hands it out again; None for at once."""
    sla_due: datetime
    sla: sla.State
    opened_at: datetime
    last_at: datetime
    source: str
    language: str
    posts: int
    voices: int
    reach: int | None
    cues: tuple[str, ...]
    incident: str | None
    link: str | None
    excerpt: str


class QueuePage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the queue, best first."""

    items: tuple[Row, ...]
    next: str | None
    """Cursor of the following page; None at the end."""


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said; personal data masked."""

    uid: str
    source: str
    kind: str
    at: datetime
    title: str | None
    text: str
    url: str | None
    parent: str | None
    """Uid of the post that this one answers."""
    thread: str
    brand: bool
    """Written by the brand."""
    private: bool
    deleted: bool
    reason: str
    """Why it belongs to the case; "" for what was said elsewhere."""
    repeats: bool
    """A repost or a copy: a voice, nothing new."""
    evidence: tuple[str, ...]
    masked: tuple[str, ...]
    """Kinds of personal data that are masked."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a case's history."""

    id: str
    kind: str
    at: datetime
    by: str
    words: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A text to start from; ``{handle}`` stands for who it goes to."""

    name: str
    text: str


class Banner(msgspec.Struct, frozen=True, kw_only=True):
    """The incident that a case is a part of."""

    incident: str
    title: str
    severity: Severity
    state: State
    note: str | None
    customers: int


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """One case with everything but who it is."""

    row: Row
    parts: tuple[Part, ...]
    sum: tuple[str, ...]
    """The priority as a sum, line by line."""
    posts: tuple[Post, ...]
    elsewhere: tuple[Post, ...]
    others: tuple[Row, ...]
    """The customer's other cases."""
    history: tuple[Told, ...]
    possible: tuple[str, ...]
    """What can be done with it as it stands."""
    contacted_at: datetime | None
    snoozed_until: datetime | None
    outcome: str | None
    note: str | None
    answered_at: datetime | None
    customer: str
    """Pseudonym."""
    contact: Verdict
    """Whether the customer may be contacted now."""
    incident: Banner | None
    replies: tuple[Reply, ...]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account of a person, from the vault."""

    customer: str
    source: str
    instance: str
    handle: str | None
    name: str | None
    url: str | None


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a post says and that is masked."""

    kind: str
    words: str


class WhoView(msgspec.Struct, frozen=True, kw_only=True):
    """Who a case's customer is. That it was read is recorded."""

    person: Account | None
    accounts: tuple[Account, ...]
    references: tuple[Reference, ...]


class IncidentRow(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as it stands in a list."""

    incident: str
    kind: str
    title: str
    severity: Severity
    state: State
    owner: str | None
    note: str | None
    department: str | None
    customers: int
    reports: int
    expected: float
    sources: tuple[str, ...]
    first_at: datetime
    detected_at: datetime
    last_at: datetime
    fixed_at: datetime | None


class IncidentView(msgspec.Struct, frozen=True, kw_only=True):
    """One incident."""

    row: IncidentRow
    mark: str
    curve: tuple[Point, ...]
    words: tuple[Word, ...]
    series: tuple[str, ...]
    chance: float
    tickets: tuple[str, ...]
    steps: tuple[Step, ...]


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """Two accounts and why they may be one person."""

    one: str
    other: str
    state: str
    reasons: tuple[str, ...]
    confidence: float
    """Of the best reason."""
    at: datetime
    by: str
    merged: tuple[str, ...]
    """Tickets that were merged because of it."""


def row_of(ticket: Ticket, now: datetime, rules: Rules) -> Row:
    """A ticket as a row."""
    parts = sorted(ticket.parts, key=lambda part: -part.points)
    return Row(
        ticket=ticket.ticket,
        mark=mark_of(ticket),
        priority=ticket.priority,
        tier=ticket.tier,
        why=tuple(part.words for part in parts),
        department=ticket.department,
        status=ticket.status,
        agent=ticket.handling.agent,
        held=is_held(ticket, now),
        lease_until=ticket.handling.lease_until,
        free_from=ticket.free_from,
        sla_due=ticket.sla_due,
        sla=sla.state(ticket, now, rules),
        opened_at=ticket.opened_at,
        last_at=ticket.last_at,
        source=ticket.source,
        language=ticket.language,
        posts=ticket.posts,
        voices=ticket.voices,
        reach=ticket.reach,
        cues=ticket.cues,
        incident=ticket.incident,
        link=safe_link(ticket.link),
        excerpt=ticket.excerpt,
    )


def safe_link(link: str | None) -> str | None:
    """A link that a page may show: to the web, nowhere else."""
    return link if link and link.lower().startswith(("https://", "http://")) else None


def post_of(row: StoredMention, reason: str = "") -> Post:
    """A mention as a post."""
    return Post(
        uid=row.uid,
        source=row.source,
        kind=row.kind,
        at=row.created_at,
        title=row.title,
        text=row.text,
        url=safe_link(row.url),
        parent=row.parent,
        thread=row.thread,
        brand=row.owner,
        private=row.private,
        deleted=row.deleted,
        reason=reason,
        repeats=reason in (REPOST, COPY, NEAR),
        evidence=row.evidence,
        masked=row.personal_data,
    )


def told_of(event: Event) -> Told:
    """An event as an entry of the history."""
    return Told(id=event.id, kind=event.kind, at=event.at, by=event.by, words=event.words)


def case_of(
    told: Dossier,
    now: datetime,
    rules: Rules,
    contact: Verdict,
    incident: Incident | None,
    replies: Sequence[Reply],
) -> CaseView:
    """A case as it is shown."""
    ticket = told.ticket
    reasons = {fold.uid: fold.reason for fold in ticket.mentions}
    handling = ticket.handling
    return CaseView(
        row=row_of(ticket, now, rules),
        parts=ticket.parts,
        sum=tuple(explain(ticket)),
        posts=tuple(post_of(row, reasons[row.uid]) for row in told.posts),
        elsewhere=tuple(map(post_of, told.elsewhere)),
        others=tuple(row_of(one, now, rules) for one in told.other_tickets),
        history=tuple(map(told_of, told.events)),
        possible=POSSIBLE[ticket.status],
        contacted_at=handling.contacted_at,
        snoozed_until=handling.snoozed_until,
        outcome=handling.outcome,
        note=handling.note,
        answered_at=ticket.answered_at,
        customer=ticket.customer,
        contact=contact,
        incident=banner_of(incident) if incident else None,
        replies=tuple(replies),
    )


def banner_of(incident: Incident) -> Banner:
    """What a case says of its incident."""
    return Banner(
        incident=incident.incident,
        title=incident.title,
        severity=incident.severity,
        state=incident.state,
        note=incident.note,
        customers=incident.customers,
    )


def account_of(one: Identity) -> Account:
    """An entry of the vault."""
    return Account(
        customer=one.customer,
        source=one.source,
        instance=one.instance,
        handle=one.handle,
        name=one.name,
        url=safe_link(one.url),
    )


def incident_row(one: Incident) -> IncidentRow:
    """An incident as a row: the fields of the same names."""
    return IncidentRow(**{name: getattr(one, name) for name in IncidentRow.__struct_fields__})


def incident_of(one: Incident, mark: str) -> IncidentView:
    """An incident as it is shown."""
    return IncidentView(
        row=incident_row(one),
        mark=mark,
        curve=one.curve,
        words=one.words,
        series=one.series,
        chance=one.chance,
        tickets=one.tickets,
        steps=one.steps,
    )


def link_of(link: Link) -> LinkView:
    """A link as it is shown."""
    return LinkView(
        one=link.one,
        other=link.other,
        state=link.state,
        reasons=tuple(evidence.words for evidence in link.evidence),
        confidence=max((evidence.confidence for evidence in link.evidence), default=0.0),
        at=link.at,
        by=link.by,
        merged=link.merged,
    )
