"""The derived half of a ticket, from its case: pure, the same arguments give the same ticket."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from triage import community, virality
from triage.cases import Case, is_by
from triage.folds import shown
from triage.priority import Facts, score
from triage.rules import Rules
from triage.store.base import StoredMention
from triage.ticket import Handling, Ticket

UNTOUCHED = Handling()

EXCERPT = 200
"""Characters of a ticket's excerpt."""


def derive(
    ticket: str,
    case: Case,
    handling: Handling,
    rules: Rules,
    now: datetime,
    incident: str | None = None,
) -> Ticket:
    """The ticket of a case; its derived half follows from nothing but the arguments."""
    opening = case.openers[0]
    customers_own = [row for row in case.openers if is_by(row, opening)]
    own = [*customers_own, *(row for row in case.posts if is_by(row, opening))]
    last_at = max(row.created_at for row in own)
    answers = sorted(row.created_at for row in case.answers)
    helped = community.answered(case, rules)
    sayers = [*case.openers, *case.copies, *case.reposts]
    people = {row.customer or row.uid for row in sayers}
    spreading = virality.spread(sayers, now)
    probabilities = [row.complaint_probability for row in case.openers]
    severities = [row.severity for row in case.openers if row.severity is not None]
    negative = any(row.sentiment == "negative" for row in case.openers)
    routed = next((row.department for row in case.openers if row.department), None)
    department = routed if handling.department is None else handling.department or None
    facts = Facts(
        source=opening.source,
        language=opening.language,
        department=department,
        pauses=_pauses(handling, helped, rules),
        read=any(row.complaint is not None or row.rating is not None for row in case.openers),
        probability=max((p for p in probabilities if p is not None), default=None),
        rating=_lowest_rating(case.openers),
        severity=max(severities, default=None),
        cues=tuple(sorted({cue for row in case.openers for cue in row.cues})),
        reach=spreading.now if spreading else None,
        gained=spreading.gained if spreading else 0,
        forecast=spreading.forecast if spreading else 0,
        changes_at=spreading.changes_at if spreading else None,
        value=max((row.value for row in customers_own if row.value is not None), default=None),
        voices=len(people),
        complaints=len(customers_own),
        threads=len({row.thread for row in customers_own}),
        community=helped is not None,
        start=handling.reopened_at or opening.created_at,
        stopped=handling.contacted_at or handling.closed_at,
        last_at=last_at,
        last_answer_at=answers[-1] if answers else None,
    )
    place = score(facts, rules, now)
    return Ticket(
        ticket=ticket,
        handling=handling,
        priority=place.priority,
        tier=place.tier,
        parts=place.parts,
        department=department,
        opened_at=opening.created_at,
        last_at=last_at,
        sla_due=place.sla_due,
        answered_at=next((at for at in answers if at > opening.created_at), None),
        refresh_at=place.refresh_at,
        source=opening.source,
        instance=opening.instance,
        link=opening.url,
        excerpt=excerpt(opening),
        language=opening.language,
        customer=opening.customer or "",
        container=opening.container,
        matched=tuple(sorted({brand for row in case.openers for brand in row.matched})),
        threads=case.threads,
        mentions=shown(case, helped.uid if helped else None),
        posts=len(case.openers) + len(case.posts),
        voices=facts.voices,
        reach=facts.reach,
        gained=facts.gained or None,
        complaint_probability=facts.probability,
        sentiment="negative" if negative else opening.sentiment,
        severity=facts.severity,
        cues=facts.cues,
        incident=incident,
        community_at=helped.at if helped else None,
        rest_until=helped.rest_until if helped else None,
    )


def excerpt(row: StoredMention, longest: int = EXCERPT) -> str:
    """The masked text on one line, cut at a word's end."""
    text = " ".join(f"{row.title}: {row.text}".split() if row.title else row.text.split())
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    whole = cut.rpartition(" ")[0]
    return (whole if len(whole) > longest // 2 else cut) + "…"


def _pauses(
    handling: Handling, helped: community.Help | None, rules: Rules
) -> tuple[tuple[datetime, datetime], ...]:
    found = []
    if "snoozed" in rules.pauses:
        found += [(pause.start, pause.end) for pause in handling.pauses]
    if "community" in rules.pauses and helped and helped.rest_until:
        found.append((helped.at, helped.rest_until))
    return tuple(found)


def _lowest_rating(rows: Iterable[StoredMention]) -> str | None:
    rated = [
        (row.rating / row.rating_max, f"{row.rating:g} of {row.rating_max:g}")
        for row in rows
        if row.rating is not None and row.rating_max
    ]
    return min(rated)[1] if rated else None
