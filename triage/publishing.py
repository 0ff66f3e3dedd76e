"""From what the store keeps to what analysts read: pure, and the turn to do it in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from triage.contacts import COMPLAINED, Label
from triage.errors import Busy
from triage.facts import (
    BY_HAND,
    EventFact,
    IncidentFact,
    LedgerFact,
    MentionFact,
    OutcomeFact,
    TicketFact,
)
from triage.incident import LIVE, Incident
from triage.rules import Rules
from triage.sla import clock_of
from triage.store.base import Identity, Store, StoredMention
from triage.ticket import OPEN, Event, Ticket
from triage.turns import Turn

SEVERITIES = (
    "0 no complaint",
    "1 no open reproach",
    "2 disapproval",
    "3 accusation",
    "4 blame",
)
NOT_READ = "not read"
NO_TEAM = "no team"
HIDDEN = "[author]"
_HOUR = timedelta(hours=1)
_PERSONAL_PATH = re.compile(r"/(@|~|(u|user|users|people|profile|profiles|member|members)/)", re.I)


def publish(store: Store, rules: Rules) -> int:
    """Bring what analysts read up to date; 0 if another process is at it, which does it as well.

    Raises:
        StoreError: if the store does not answer; what was done is kept, call it again.
    """
    try:
        with Turn(store, "publish"):
            return store.publish(teams_of(rules))
    except Busy:
        return 0


def teams_of(rules: Rules) -> dict[str, str]:
    """The team of each agent of the settings: the first of their departments."""
    return {
        name: entry.departments[0] if entry.departments else "all departments"
        for name, entry in rules.agents.items()
    }


class Hidden:
    """What says who a person is, and how to keep it out of words and addresses."""

    def __init__(self, person: Identity | None) -> None:
        accounts: Iterable[Any] = (person, *person.accounts) if person else ()
        found = {
            word.casefold()
            for one in accounts
            for value in (one.handle, one.name, one.native_id, one.url)
            if value and (word := value.strip().removeprefix("@"))
        }
        longest_first = sorted(found, key=lambda word: (-len(word), word))
        either = "|".join(re.escape(word) for word in longest_first)
        self._words = re.compile(rf"(?<!\w)@?(?:{either})(?!\w)", re.I) if found else None

    def text(self, words: str) -> str:
        """The words with each of these replaced."""
        return self._words.sub(HIDDEN, words) if self._words else words

    def link(self, address: str | None) -> str | None:
        """The address, unless it names them or leads through somebody's page."""
        if address is None or _PERSONAL_PATH.search(urlsplit(address).path + "/"):
            return None
        return self.word(address)

    def word(self, value: str | None) -> str | None:
        """The value, unless it names them."""
        if value is None or (self._words and self._words.search(unquote(value))):
            return None
        return value

    def words(self, values: Iterable[str]) -> tuple[str, ...]:
        """Those that do not name them."""
        return tuple(value for value in values if self.word(value) is not None)


def severity_of(level: int | None) -> str:
    """The severity in words that sort by weight."""
    return SEVERITIES[level] if level is not None and 0 <= level <= 4 else NOT_READ


def mention_fact(row: StoredMention, hidden: Hidden) -> MentionFact | None:
    """None for a mention that was deleted."""
    if row.deleted:
        return None
    share = None if row.complaint is None else int(row.complaint)
    return MentionFact(
        at=min(row.created_at, row.collected_at),
        mention=row.uid,
        source=row.source,
        instance=row.instance,
        kind=row.kind,
        said_by="brand" if row.owner else "customer",
        repost=row.repost,
        counted="no" if row.owner or row.repost or row.private or row.namesake else "yes",
        title=hidden.text(row.title) if row.title else None,
        text=hidden.text(row.text),
        link=hidden.link(row.url),
        customer=row.customer,
        thread=row.thread,
        container=hidden.word(row.container),
        matched=hidden.words(row.matched),
        language=row.language,
        model=row.model,
        reading=NOT_READ if share is None else ("other", "complaint")[share],
        complaint_share=share,
        not_read_share=int(share is None),
        complaint_probability=row.complaint_probability,
        sentiment=row.sentiment,
        severity=severity_of(row.severity),
        severity_level=row.severity,
        department=row.department or BY_HAND,
        by_hand_share=int(not row.department),
        department_probability=row.department_probability,
        cues=row.cues,
        products=row.products,
        words=hidden.words(word.casefold() for word in row.evidence),
        personal_data=row.personal_data,
        rating=row.rating,
        followers=row.followers,
        views=row.views,
        likes=row.likes,
        replies=row.replies,
        shares=row.shares,
        heard_at=row.collected_at,
        lag_minutes=_minutes(row.created_at, row.collected_at),
    )


def ticket_fact(ticket: Ticket, teams: Mapping[str, str], hidden: Hidden) -> TicketFact:
    handling = ticket.handling
    clock = clock_of(ticket)
    kept = None if clock.stopped is None else int(clock.stopped <= clock.due)
    contacted = handling.contacted_at
    closed = handling.closed_at if handling.status in ("resolved", "dismissed") else None
    return TicketFact(
        at=ticket.opened_at,
        ticket=ticket.ticket,
        status=handling.status,
        open=handling.status in OPEN,
        tier=ticket.tier,
        priority=ticket.priority,
        department=ticket.department or BY_HAND,
        team=teams.get(handling.agent, NO_TEAM) if handling.agent else None,
        source=ticket.source,
        language=ticket.language,
        severity=severity_of(ticket.severity),
        severity_level=ticket.severity,
        sentiment=ticket.sentiment,
        cues=ticket.cues,
        complaint_probability=ticket.complaint_probability,
        customer=ticket.customer or None,
        excerpt=hidden.text(ticket.excerpt),
        link=hidden.link(ticket.link),
        incident=ticket.incident,
        posts=ticket.posts,
        voices=ticket.voices,
        reach=ticket.reach,
        reach_gained=ticket.gained,
        last_at=ticket.last_at,
        sla_due=ticket.sla_due,
        sla="running" if kept is None else ("breached", "kept")[kept],
        sla_kept_share=kept,
        claimed_at=handling.claimed_at,
        first_response_minutes=_minutes(clock.start, contacted) if contacted else None,
        resolution_minutes=_minutes(ticket.opened_at, closed) if closed else None,
        reopened=handling.reopened_at is not None,
        outcome=handling.outcome if handling.outcome in COMPLAINED else None,
    )


def event_fact(event: Event, ticket: Ticket, teams: Mapping[str, str]) -> EventFact:
    return EventFact(
        at=event.at,
        ticket=event.ticket,
        event=event.kind,
        team="triage" if event.by == "triage" else teams.get(event.by, NO_TEAM),
        customer=ticket.customer or None,
        source=ticket.source,
        language=ticket.language,
        department=ticket.department or BY_HAND,
        severity=severity_of(ticket.severity),
    )


def incident_fact(incident: Incident, tickets: Iterable[Ticket]) -> IncidentFact:
    cases = list(tickets)
    last = sum(p.posts for p in incident.curve if p.at > incident.last_at - _HOUR)
    both = sum(p.posts for p in incident.curve if p.at > incident.last_at - 2 * _HOUR)
    return IncidentFact(
        at=incident.first_at,
        incident=incident.incident,
        title=incident.title,
        kind=incident.kind,
        state=incident.state,
        live=incident.state in LIVE,
        impact=incident.severity,
        department=incident.department or BY_HAND,
        source=incident.sources,
        language=tuple(sorted({case.language for case in cases})),
        severity=tuple(sorted({severity_of(case.severity) for case in cases})),
        words=tuple(word.word for word in incident.words),
        customers=incident.customers,
        posts=len(incident.posts),
        tickets=len(incident.tickets),
        peak=incident.peak,
        peak_at=incident.peak_at,
        last_at=incident.last_at,
        detected_at=incident.detected_at,
        reports=incident.reports,
        expected=incident.expected,
        growth=last - (both - last),
        minutes_to_detect=_minutes(incident.first_at, incident.detected_at),
    )


def ledger_fact(row: Mapping[str, Any]) -> LedgerFact:
    """Of a row as `Store.save_ledger` takes it."""
    counts = ("got", "new", "changed", "deleted", "duplicate", "rejected", "pages")
    newest = row.get("newest")
    return LedgerFact(
        at=datetime.fromisoformat(row["@timestamp"]),
        source=row["source"],
        target=row["target"],
        window=row["window"],
        result=row["outcome"],
        failed_share=int(row["outcome"] == "failed"),
        cut_off=bool(row.get("cut_off")),
        error_class=row.get("error_class"),
        gaps=len(row.get("gaps") or ()),
        newest=datetime.fromisoformat(newest) if newest else None,
        **{name: row.get(name) or 0 for name in counts},
    )


def outcome_fact(label: Label, customer: str, ticket: Ticket | None) -> OutcomeFact:
    right = label.complaint
    return OutcomeFact(
        at=label.at,
        ticket=label.ticket,
        outcome=label.outcome if label.outcome in COMPLAINED else "other",
        truth="not known" if right is None else ("other", "complaint")[right],
        right_share=None if right is None else int(right),
        complaint_probability=label.said,
        model=label.model,
        customer=customer or None,
        source=label.source,
        language=label.language,
        department=label.department or BY_HAND,
        severity=severity_of(ticket.severity if ticket else None),
    )


def _minutes(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds() / 60, 3)
