"""What people do at the desk beside single cases: incidents, customers, the team, the books."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from desk import views
from desk.actions import find
from desk.context import Here
from desk.errors import NotThere, Unusable
from triage import customers, joining, notices, vault
from triage.customers import links_of, persons
from triage.errors import NoSuchTicket
from triage.incident import Incident, IncidentAction
from triage.incidents import act_on, find_incident, incidents, mark_of
from triage.notices import Notice, NoticePlan
from triage.store.base import QueueFilter, pages
from triage.ticket import WAITING, Status

PERIOD = {"day": r"\d{4}-\d\d-\d\d", "month": r"\d{4}-\d\d"}
MOST_HELD = 2000
"""Claimed cases that the page of the team looks at."""
SHOWN_LINKS = 500
SOON = timedelta(hours=1)


class NoticeList(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody affected by an incident, once each; ``{handle}`` stands for who it goes to."""

    incident: str
    notices: tuple[Notice, ...]


class CustomerView(msgspec.Struct, frozen=True, kw_only=True):
    """One person by pseudonyms: accounts, what joins them, cases."""

    person: str
    accounts: tuple[str, ...]
    links: tuple[views.LinkView, ...]
    cases: tuple[views.Row, ...]


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """How a department stands."""

    department: str | None
    waiting: int
    free: int
    """Of those, what the queue would hand out now."""
    overdue: int
    due_soon: int
    """Within the hour."""


class Hand(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent holds."""

    agent: str
    capacity: int
    """0: as many as they like."""
    held: int
    run_out: int
    """Claims that nobody keeps alive any more."""
    overdue: int
    tickets: tuple[str, ...]


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """Load, clocks, and who holds what."""

    at: datetime
    lanes: tuple[Lane, ...]
    hands: tuple[Hand, ...]


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger of a day or month."""

    period: str
    lines: tuple[Any, ...]
    """A line for each target: asked, answered, new, rejected, cut off, missing."""
    alerts: tuple[Any, ...]
    """Targets that used to be heard and are silent."""


def all_incidents(here: Here, *, over: bool = False) -> tuple[views.IncidentRow, ...]:
    """Incidents, the newest first; ``over`` for those that are closed or dismissed, too."""
    found = [
        views.incident_row(one)
        for one in incidents(here.store)
        if over or one.state not in ("closed", "dismissed")
    ]
    return tuple(reversed(found))


def incident(here: Here, name: str) -> views.IncidentView:
    """One incident."""
    return _shown(find_incident(here.store, name)[0])


def act_on_incident(
    here: Here, name: str, action: IncidentAction, words: str = "", seen: str | None = None
) -> views.IncidentView:
    """Confirm, fix, close, dismiss, own or note an incident."""
    by, now = here.person.name, here.now
    return _shown(act_on(here.store, name, action, by, now, words, seen))


def notice_list(here: Here, name: str) -> NoticeList:
    """The notice list as it stands."""
    found = find_incident(here.store, name)[0].incident
    return NoticeList(incident=found, notices=tuple(notices.notices(here.store, found)))


def propose(here: Here, name: str, template: str | None = None) -> NoticeList:
    """Bring the notice list of a fixed incident or planned change up to date."""
    found = find_incident(here.store, name)[0]
    template = template or ("planned" if found.kind == "planned" else "fixed")
    known = here.deployment.templates
    if template not in known:
        raise Unusable(f"there is no template {template!r}: there are {', '.join(sorted(known))}")
    plan = NoticePlan(
        template=known[template],
        brand=here.deployment.brand,
        region=here.deployment.region,
        policy=here.deployment.policy,
    )
    made = notices.propose(here.store, found, plan, here.now)
    return NoticeList(incident=found.incident, notices=tuple(made))


def approve(here: Here, name: str) -> NoticeList:
    """Let everything that is proposed go out."""
    found = find_incident(here.store, name)[0]
    notices.approve(here.store, found, here.person.name, here.now)
    return notice_list(here, found.incident)


def told(here: Here, name: str, only: Sequence[str] = ()) -> NoticeList:
    """Write down that the approved ones have been told; ``only`` names customers."""
    found = find_incident(here.store, name)[0]
    by, policy = here.person.name, here.deployment.policy
    for _ in notices.tell(here.store, found, by, here.now, policy, only):
        pass
    return notice_list(here, found.incident)


def notice_rows(here: Here, name: str, reason: str) -> list[dict[str, str]]:
    """The notice list with who each goes to; the read is recorded."""
    listed = notice_list(here, name)
    names = sorted({one.customer for one in listed.notices})
    store = here.vault(f"{listed.incident}: {reason.strip()}" if reason.strip() else "")
    handles = {one: who.handle or who.name or "" for one, who in store.identities(names).items()}
    return [notices.as_row(one, handles) for one in listed.notices]


def customer(here: Here, name: str) -> CustomerView:
    """One person by any of their pseudonyms."""
    _check_pseudonym(name)
    accounts = customers.accounts(here.store, name)
    tickets = here.store.tickets_of_customers(accounts)
    links = links_of(here.store, accounts)
    if not tickets and not links and len(accounts) < 2:
        raise NoSuchTicket(f"nobody is known as {name!r}: see a case for its customer")
    return CustomerView(
        person=persons(here.store, [name]).get(name, name),
        accounts=tuple(accounts),
        links=tuple(map(views.link_of, links)),
        cases=tuple(views.row_of(one.ticket, here.now, here.rules) for one in tickets),
    )


def customer_of(here: Here, ticket: str) -> CustomerView:
    """The customer of a case."""
    found = find(here, ticket).ticket
    if not found.customer:
        raise NoSuchTicket(f"nobody knows who wrote {found.ticket}: its source does not say")
    return customer(here, found.customer)


def customer_who(here: Here, name: str, reason: str) -> views.WhoView:
    """Who a customer is on every network; the read is recorded."""
    _check_pseudonym(name)
    store = here.vault(f"customer: {reason.strip()}" if reason.strip() else "")
    found = customers.identities(store, name)
    accounts = tuple(map(views.account_of, found))
    return views.WhoView(
        person=next((one for one in accounts if one.customer == name), None),
        accounts=accounts,
        references=(),
    )


def proposed_links(here: Here) -> tuple[views.LinkView, ...]:
    """Links that wait for somebody to decide, oldest first."""
    found = customers.links(here.store, "proposed")[:SHOWN_LINKS]
    return tuple(map(views.link_of, found))


def decide_link(here: Here, one: str, other: str, reason: str, *, together: bool) -> views.LinkView:
    """Say that two accounts are one person, or that they are not, which undoes it.

    Whether the networks allow it is looked up in the vault, which is recorded.
    """
    _check_pseudonym(one)
    _check_pseudonym(other)
    store = here.vault(f"link: {reason.strip()}" if reason.strip() else "")
    decide = joining.join if together else joining.part
    return views.link_of(decide(store, one, other, here.person.name, here.now, here.rules))


def erase(here: Here, account: str, reason: str) -> Any:
    """Erase somebody everywhere; ``account`` is ``source:handle`` or a ticket's id."""
    forget = here.deployment.forget
    if forget is None:
        raise Unusable("this desk cannot erase: use 'outcry forget'")
    if not account.isprintable() or not reason.strip():
        raise Unusable("say who, as source:handle or a ticket's id, and why")
    store = here.vault(f"forget: {reason.strip()}")
    return forget(store, account, here.person.name, reason.strip(), here.now)


def vault_reads(here: Here, since: datetime | None = None) -> tuple[vault.Read, ...]:
    """Who has read who somebody is; of the last week, if no time is given."""
    since = since or here.now - timedelta(days=7)
    if since.tzinfo is None:
        raise Unusable("since has no time zone: write it like 2026-11-20T12:00Z")
    return tuple(vault.reads(here.store, since))


def coverage(here: Here, unit: Literal["day", "month"], period: str | None = None) -> Books:
    """What was asked and heard of each target in a day or month; today, if none is given."""
    period = period or f"{here.now:%Y-%m-%d}"[: 10 if unit == "day" else 7]
    if not re.fullmatch(PERIOD[unit], period):
        raise Unusable(f"{period!r} is no {unit}: write it like 2026-11{'-20' * (unit == 'day')}")
    found = here.deployment.coverage(unit, period, here.now)
    return Books(period=period, lines=tuple(found["lines"]), alerts=tuple(found["alerts"]))


def team(here: Here) -> Team:
    """How each department stands, and what each agent holds; at most ten seconds old."""
    names = [department.name for department in here.rules.departments]

    def count() -> Team:
        return Team(
            at=here.now,
            lanes=tuple(_lane(here, name) for name in (*names, None)),
            hands=tuple(_hands(here)),
        )

    return here.desk.shared("team", here.now, count)


def _lane(here: Here, name: str | None) -> Lane:
    now = here.now

    def count(**more: Any) -> int:
        wanted = QueueFilter(statuses=WAITING, departments=(name,), **more)
        return here.store.count(wanted)

    overdue = count(due_before=now)
    return Lane(
        department=name,
        waiting=count(),
        free=count(free_at=now),
        overdue=overdue,
        due_soon=count(due_before=now + SOON) - overdue,
    )


def _hands(here: Here) -> list[Hand]:
    held: dict[str, list[Any]] = {name: [] for name in here.rules.agents}
    claimed: tuple[Status, ...] = ("claimed",)
    seen = 0
    for page in pages(here.store, QueueFilter(statuses=claimed), 200):
        for entry in page:
            held.setdefault(entry.ticket.handling.agent or "", []).append(entry.ticket)
        seen += len(page)
        if seen >= MOST_HELD:
            break
    return [
        Hand(
            agent=name,
            capacity=here.rules.agents[name].capacity if name in here.rules.agents else 0,
            held=len(tickets),
            run_out=sum((one.handling.lease_until or here.now) <= here.now for one in tickets),
            overdue=sum(one.sla_due <= here.now for one in tickets),
            tickets=tuple(one.ticket for one in tickets),
        )
        for name, tickets in sorted(held.items())
    ]


def _shown(found: Incident) -> views.IncidentView:
    return views.incident_of(found, mark_of(found))


def _check_pseudonym(name: str) -> None:
    if not name or len(name.encode(errors="replace")) > 400 or not name.isprintable():
        raise NotThere("nobody is called so: see a case for its customer")
