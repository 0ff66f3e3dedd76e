"""What people do at the desk, once for pages and API: each a call into triage.

Nothing is decided here. Every function takes the request (`desk.context.Here`) and plain words,
and returns a view of `desk.views`; errors are triage's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from desk import views
from desk.context import Here
from desk.errors import Unusable
from desk.hooks import announce
from triage import claims, regroup
from triage.contacts import Outcome, Preference, prefer, verdicts
from triage.dossier import Reader, dossier
from triage.dossier import who as who_it_is
from triage.errors import NoSuchTicket, StoreRefused
from triage.incident import Incident
from triage.life import Action
from triage.policy import ContactPolicy, Verdict
from triage.results import finish as finish_contact
from triage.store.base import QueueFilter, Versioned
from triage.store.records import queue_key
from triage.templates import Fault, faults, fill
from triage.ticket import OPEN, WAITING, Status, Ticket

BY_HAND = "none"
"""How an address names the lane that people sort by hand."""
MOST = 200
"""Rows of a page."""
BOUNDS = 2**62


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a list is filtered by; an empty field does not restrict."""

    departments: tuple[str, ...] = ()
    """``none`` is the lane that people sort by hand."""
    sources: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    statuses: tuple[Status, ...] = ()
    """Those that wait for somebody to reach out, if empty."""
    agent: str | None = None
    due_before: datetime | None = None
    free: bool = True
    """Leave out what somebody holds or has put off."""


def filter_of(here: Here, wanted: Wanted) -> QueueFilter:
    """The filter as the store knows it.

    Raises:
        Unusable: for a department that there is not, or a time without a zone.
    """
    known = {department.name for department in here.rules.departments} | {BY_HAND}
    for name in wanted.departments:
        if name not in known:
            raise Unusable(f"no department {name!r}: there are {', '.join(sorted(known))}")
    if wanted.due_before is not None and wanted.due_before.tzinfo is None:
        raise Unusable("due_before has no time zone: write it like 2026-11-20T12:00Z")
    return QueueFilter(
        statuses=wanted.statuses or WAITING,
        departments=tuple(None if name == BY_HAND else name for name in wanted.departments),
        sources=wanted.sources,
        tiers=wanted.tiers,
        languages=wanted.languages,
        agent=wanted.agent,
        due_before=wanted.due_before,
        free_at=here.now if wanted.free else None,
    )


def queue(here: Here, wanted: Wanted, cursor: str | None = None, size: int = 50) -> views.QueuePage:
    """A page of the queue, best first; ``cursor`` is what the page before gave as ``next``."""
    _check_cursor(cursor)
    page = here.store.queue(filter_of(here, wanted), cursor, min(size, MOST))
    items = tuple(_row(here, one.ticket) for one in page.tickets)
    return views.QueuePage(items=items, next=page.next)


def mine(here: Here) -> tuple[views.Row, ...]:
    """What the person has on the desk: claimed, contacted or waiting for an answer."""
    wanted = QueueFilter(statuses=OPEN, agent=here.person.name)
    page = here.store.queue(wanted, size=MOST)
    return tuple(_row(here, one.ticket) for one in page.tickets)


def case(here: Here, name: str) -> views.CaseView:
    """One case with everything but who it is."""
    return _case(here, find(here, name).ticket)


def find(here: Here, name: str) -> Versioned:
    """The ticket of this id, or the only one whose id begins so."""
    if not name.isprintable():
        raise NoSuchTicket("no ticket is called so: see the queue for its id")
    return claims.find(here.store, name)


def who(here: Here, name: str, reason: str) -> views.WhoView:
    """Who the customer is; the read is recorded with the person and the reason.

    Raises:
        NotAllowed: without the right, or without a reason.
    """
    ticket = find(here, name).ticket
    said = f"{ticket.ticket}: {reason.strip()}" if reason.strip() else ""
    reader = Reader(here.person.name, said, here.now)
    found = who_it_is(here.vault(said), ticket, reader)
    return views.WhoView(
        person=views.account_of(found.person) if found.person else None,
        accounts=tuple(map(views.account_of, found.accounts)),
        references=tuple(
            views.Reference(kind=kind, words=words) for kind, words in found.references
        ),
    )


def claim_next(here: Here, departments: Sequence[str] = ()) -> views.Row | None:
    """Hand the best free case to the person; None if nobody is waiting."""
    lanes = filter_of(here, Wanted(departments=tuple(departments))).departments
    ticket = claims.claim_next(here.store, here.person.name, here.now, here.rules, lanes)
    if ticket is None:
        return None
    # Which case it is is known only now: of all that people do, this alone is told afterwards.
    announce(here.desk, here.store, ticket.ticket, here.person.name, here.now)
    return _row(here, ticket)


def act(
    here: Here,
    name: str,
    action: Action,
    words: str = "",
    *,
    to: str = "",
    until: datetime | None = None,
    seen: str | None = None,
) -> views.Row:
    """One of the moves of `triage.life`; ``seen`` is the mark of the case that was read."""
    if until is not None and until.tzinfo is None:
        raise Unusable("until has no time zone: write it like 2026-11-23T08:00+02:00")
    _check_words(words)
    ticket = announced(here, name).ticket
    by, now = here.person.name, here.now
    done = claims.act(
        here.store, ticket, action, by, now, here.rules, words, to=to, until=until, seen=seen
    )
    return _row(here, done)


def heartbeat(here: Here, name: str) -> views.Row:
    """The person is still at work on it: the lease runs from now again."""
    ticket = find(here, name).ticket.ticket
    done = claims.heartbeat(here.store, ticket, here.person.name, here.now, here.rules)
    return _row(here, done)


def send(here: Here, name: str, to: str, seen: str | None = None) -> views.Row:
    """To another department, for good; ``none`` is the lane that people sort by hand."""
    ticket = announced(here, name).ticket
    lane = None if to == BY_HAND else to
    done = claims.route(here.store, ticket, lane, here.person.name, here.now, here.rules, seen)
    return _row(here, done)


def finish(
    here: Here, name: str, outcome: Outcome, words: str = "", seen: str | None = None
) -> views.Row:
    """How a contact ended: the case moves, the contact counts, a label row is kept."""
    _check_words(words)
    ticket = announced(here, name).ticket
    by, now = here.person.name, here.now
    if words:
        noted = claims.act(here.store, ticket, "note", by, now, here.rules, words, seen=seen)
        seen = claims.mark_of(noted) if seen is not None else None
    finish_contact(here.store, ticket, outcome, by, now, here.rules, seen)
    return _row(here, find(here, ticket).ticket)


def split(
    here: Here, name: str, posts: Sequence[str], words: str = "", seen: str | None = None
) -> tuple[views.Row, ...]:
    """Make each of these posts a case of its own; the new cases."""
    _check_words(words)
    ticket = announced(here, name)
    claims.check_mark(ticket, seen)
    made = regroup.split(
        here.store, ticket.ticket, list(posts), here.person.name, here.now, here.rules, words
    )
    return tuple(_row(here, one) for one in made)


def merge(here: Here, name: str, into: str, words: str = "", seen: str | None = None) -> views.Row:
    """Make one case of two; ``into`` stays."""
    _check_words(words)
    ticket, taker = announced(here, name), announced(here, into)
    claims.check_mark(ticket, seen)
    by, now = here.person.name, here.now
    done = regroup.merge(here.store, ticket.ticket, taker.ticket, by, now, here.rules, words)
    return _row(here, done)


def unmerge(here: Here, name: str, seen: str | None = None) -> views.Row:
    """Undo a merge: the case is back in the queue with what it held."""
    ticket = announced(here, name)
    claims.check_mark(ticket, seen)
    done = regroup.unmerge(here.store, ticket.ticket, here.person.name, here.now, here.rules)
    return _row(here, done)


def wish(here: Here, name: str, reason: str | None, zone: str | None) -> Verdict:
    """Write down that the customer wants no contact, or where they live."""
    if not (reason or zone):
        raise Unusable("say what they wish: a reason for no contact, or a zone")
    if zone:
        ContactPolicy(zone=zone).check()
    _check_words(reason or "")
    ticket = find(here, name).ticket
    if not ticket.customer:
        raise Unusable(f"nobody knows who wrote {ticket.ticket}: there is nobody to note it of")
    by = here.person.name
    prefer(
        here.store,
        Preference(customer=ticket.customer, at=here.now, by=by, opted_out=reason, zone=zone),
    )
    return _verdict(here, ticket)


def tone(here: Here, text: str) -> list[Fault]:
    """What must not stand in a public text; empty if it may go out."""
    _check_words(text)
    return faults(text, here.deployment.region)


def announced(here: Here, name: str) -> Ticket:
    """The ticket of that name; what the person does with it now is told to the hooks."""
    ticket = find(here, name).ticket
    announce(here.desk, here.store, ticket.ticket, here.person.name, here.now)
    return ticket


def _row(here: Here, ticket: Ticket) -> views.Row:
    return views.row_of(ticket, here.now, here.rules)


def _case(here: Here, ticket: Ticket) -> views.CaseView:
    incident = _incident(here, ticket.incident) if here.person.may("incident.read") else None
    told = dossier(here.store, ticket)
    contact = _verdict(here, ticket)
    return views.case_of(told, here.now, here.rules, contact, incident, _replies(here, ticket))


def _verdict(here: Here, ticket: Ticket) -> Verdict:
    key = (ticket.customer, ticket.source)
    return verdicts(here.store, [key], here.deployment.policy, here.now)[key]


def _incident(here: Here, name: str | None) -> Incident | None:
    kept = here.store.shelved("incident", [name]).get(name) if name else None
    return msgspec.json.decode(kept.body, type=Incident) if kept is not None else None


def _replies(here: Here, ticket: Ticket) -> list[views.Reply]:
    """The operator's templates but those of incidents, with the case's own words filled in."""
    values = {
        "handle": "{handle}",
        "brand": here.deployment.brand,
        "about": "your post",
        "ticket": ticket.ticket,
        "incident": ticket.incident or "",
        "link": ticket.link or "",
    }
    return [
        views.Reply(name=name, text=fill(text, values))
        for name, text in sorted(here.deployment.templates.items())
        if name not in ("fixed", "planned")
    ]


def _check_cursor(cursor: str | None) -> None:
    if cursor is None:
        return
    try:
        priority, due, _ = queue_key(cursor)
    except StoreRefused as error:
        raise Unusable(str(error)) from None
    if max(abs(priority), abs(due)) > BOUNDS:
        raise Unusable("this is no cursor of a queue page: start again from the first page")


def _check_words(words: str) -> None:
    """Return if a store can hold these words.

    Raises:
        Unusable: for half a surrogate pair.
    """
    try:
        words.encode()
    except UnicodeEncodeError:
        raise Unusable("half a letter stands in the text: write it again") from None
