"""A challenger for the routing, from agents' corrections; the better one stays champion.

It starts from the settings' examples each time, never from last week's challenger: what has to be
forgotten is gone with the next one. It needs numpy alone, and so no environment of its own.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from models.decided import Split, digest, split
from models.groups import near_duplicates
from nlp.topics import learn
from nlp.topics_file import load_topics, save_topics
from outcry.champions import Routers
from outcry.retraining import Retrained
from outcry.routing_contest import Routed, Send, routing_cards, routing_contest
from outcry.settings import Settings
from triage.contacts import Label, labels
from triage.folds import opening_of
from triage.routing import Router
from triage.rules import Rules
from triage.store.base import Store, StoredMention
from triage.ticket import Ticket

LEAST_TAUGHT = 30
"""Corrections that a challenger learns from."""
LEAST_JUDGED = 10
"""Corrections that it is judged on."""
MOST = 20_000
"""Rows that are looked at, the newest: learning takes time that grows with them."""
_PAGE = 500


def routed(store: Store, rules: Rules) -> Iterator[Routed]:
    """Where cases belonged, by ticket, as far as agents have said so.

    A case belongs where an agent has sent it; one that nobody sent elsewhere, where it was closed
    as a complaint. Lanes of praise and questions are not the router's to learn.
    """
    names = {one.name for one in rules.departments} - {rules.praise, rules.questions}
    told = {label.ticket: label for label in labels(store)}
    page: list[tuple[Ticket, str, datetime]] = []
    for ticket in store.all_tickets():
        if (found := _said(store, ticket, told.get(ticket.ticket))) and found[0] in names:
            page.append((ticket, *found))
        if len(page) == _PAGE:
            yield from _rows(store, page)
            page = []
    yield from _rows(store, page)


def _said(store: Store, ticket: Ticket, label: Label | None) -> tuple[str, datetime] | None:
    """The department by an agent's word, and when it was said."""
    if label is not None and label.complaint is False:
        return None
    if ticket.handling.department:
        sent = [event.at for event in store.events(ticket.ticket) if event.kind == "routed"]
        return ticket.handling.department, max(sent, default=ticket.opened_at)
    if label is not None and label.complaint and ticket.department:
        return ticket.department, label.at
    return None


def _rows(store: Store, page: Sequence[tuple[Ticket, str, datetime]]) -> Iterator[Routed]:
    uids = {ticket.ticket: opening_of(ticket) or "" for ticket, _, _ in page}
    known: dict[str, StoredMention] = store.mentions(sorted({*uids.values()} - {""}))
    for ticket, department, at in page:
        row = known.get(uids[ticket.ticket])
        if row is None or not row.text.strip():
            continue  # Deleted, or by somebody who was forgotten.
        yield Routed(
            ticket=ticket.ticket,
            text=f"{row.title} {row.text}" if row.title else row.text,
            cues=row.cues,
            department=department,
            corrected=row.department != department,
            at=at,
        )


def challenge(settings: Settings, store: Store, now: datetime) -> Retrained:
    """Learn from agents' corrections until today, and compare it with the routing in use.

    The same rows on the same day are not learnt twice. Whoever wins, nothing is in use yet: that
    is `Routers.promote`.

    Raises:
        NlpError: if what is in use cannot be read.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    routers, rules = settings.routers, settings.rules
    rows = sorted(routed(store, rules), key=lambda row: (row.at, row.ticket))[-MOST:]
    parts = split(rows, today)
    if (lacking := _shortage(parts)) is not None:
        return Retrained(rows=len(rows), words=lacking)
    told = f"{routers.in_use} {today.isoformat()} {digest(rows)}".encode()
    told += msgspec.json.encode(rules.departments)
    inputs = hashlib.sha256(told).hexdigest()
    name = routers.trained_from(inputs) or _train(routers, rules, parts, inputs)
    if name is None:
        words = "fewer than two departments have examples enough: add some, or go on correcting"
        return Retrained(rows=len(rows), words=words)
    routers.remove_losers()
    found = routers.contest(name)
    return Retrained(challenger=name, won=found.won, rows=len(rows), words="; ".join(found.why))


def _shortage(parts: Split[Routed]) -> str | None:
    for what, rows, least in (
        ("to learn from", parts.taught, LEAST_TAUGHT),
        ("to be judged on", parts.judged, LEAST_JUDGED),
    ):
        corrected = sum(row.corrected for row in rows)
        if corrected < least:
            return (
                f"too few corrections {what}: {corrected}, {least} are needed; "
                "go on sending cases where they belong"
            )
    return None


def _train(routers: Routers, rules: Rules, parts: Split[Routed], inputs: str) -> str | None:
    """The folder of a new challenger, which appears whole or not at all; None if none can be."""
    examples: dict[str, list[str]] = defaultdict(list)
    for department in rules.departments:
        examples[department.name] += department.examples
    for row in parts.taught:
        examples[row.department].append(row.text)
    topics = learn(examples, groups=near_duplicates)
    if topics is None:
        return None
    name = f"{routers.first}-own~{routers.next_version()}"
    fresh = routers.folder / f".{name}"
    shutil.rmtree(fresh, ignore_errors=True)
    save_topics(topics, fresh, len(parts.taught), digest(parts.taught))
    # Judged as it will be used: from the file.
    challenger = Router(rules.departments, topics=load_topics(fresh))
    held = routers.champion
    champion = Router(rules.departments, topics=load_topics(held) if held else None)
    names = (routers.in_use, name)
    found = routing_contest(names, (_sender(champion), _sender(challenger)), parts, inputs)
    (fresh / "contest.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    (fresh / "cards.md").write_text(routing_cards(found), "utf-8")
    fresh.rename(routers.folder / name)
    return name


def _sender(router: Router) -> Send:
    return lambda rows: [router.route(row.text, row.cues).department for row in rows]
