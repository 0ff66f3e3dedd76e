"""Telling everybody affected, once each, by the channel they used: approved, and on record.

proposed ──approve──► approved ──tell──► told
    └── withheld: the contact policy forbids it; proposed again when it no longer does
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from triage import templates
from triage.contacts import Contact, record_contact, verdicts
from triage.errors import IllegalMove
from triage.incident import Incident
from triage.policy import ContactPolicy, Verdict
from triage.store.base import Store, StoredMention
from triage.store.records import batches
from triage.store.shelf import Keep, Kept

NoticeState = Literal["withheld", "proposed", "approved", "told"]


COLUMNS = ("incident", "state", "source", "handle", "link", "ticket", "text", "why")
HANDLE = "{handle}"
"""Stands in a stored notice for who it goes to: names stay in the vault."""


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One person to be told about one incident."""

    incident: str
    customer: str
    source: str
    """The network that they used last to speak of it."""
    instance: str = ""
    reply_to: str
    """Uid of the post to answer."""
    native_id: str
    """The network's own id of it."""
    link: str | None = None
    ticket: str | None = None
    text: str
    state: NoticeState
    why: str = ""
    """Why it is withheld."""
    approved_by: str | None = None
    approved_at: datetime | None = None
    told_by: str | None = None
    told_at: datetime | None = None


class NoticePlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a notice list goes by."""

    template: str
    brand: str = ""
    region: str = "US"
    policy: ContactPolicy = ContactPolicy()


def affected(store: Store, incident: Incident) -> list[StoredMention]:
    """The newest post of each person who spoke of it, by (created_at, uid).

    Whoever wrote one of its complaints, and every other customer in the threads of them: who
    answers "same here" is affected, too. Nobody whose pseudonym is not known, no reposter.
    """
    threads: set[str] = set()
    for some in batches(incident.posts, 500):
        threads |= {row.thread for row in store.mentions(some).values()}
    latest: dict[str, StoredMention] = {}
    for batch in batches(sorted(threads), 500):
        for row in store.members(batch):
            if row.customer and not (row.owner or row.repost or row.deleted):
                before = latest.get(row.customer)
                if before is None or (before.created_at, before.uid) < (row.created_at, row.uid):
                    latest[row.customer] = row
    return sorted(latest.values(), key=lambda row: (row.created_at, row.uid))


def propose(store: Store, incident: Incident, plan: NoticePlan, now: datetime) -> list[Notice]:
    """Bring the notice list up to date: everybody affected, once each; by customer.

    Who was told, or approved, stays so; the others are looked at again by the contact policy.

    Raises:
        IllegalMove: if the incident is not fixed, and not planned.
        BadRules: if the template cannot be filled or what comes out must not be sent.
    """
    if incident.state not in ("fixed", "closed") and incident.kind != "planned":
        raise IllegalMove(
            f"{incident.incident} is {incident.state}: mark it fixed before people are told"
        )
    rows = affected(store, incident)
    found = {kept.key: kept for kept in store.shelf("notice", group=incident.incident)}
    allowed = verdicts(store, {(row.customer or "", row.source) for row in rows}, plan.policy, now)
    tickets = _tickets(store, rows)
    keeps = []
    for row in rows:
        key = f"{incident.incident}/{row.customer}"
        before = found.get(key)
        if before is not None and _notice(before).state in ("approved", "told"):
            continue
        notice = _drafted(incident, row, tickets.get(row.thread), plan)
        notice = _judged(notice, allowed[row.customer or "", row.source])
        if before is None or _notice(before) != notice:
            keeps.append(_keep(notice, incident.first_at, before.version if before else None))
    store.shelve("notice", keeps)
    return notices(store, incident.incident)


def _drafted(
    incident: Incident, row: StoredMention, ticket: str | None, plan: NoticePlan
) -> Notice:
    values = {
        "brand": plan.brand,
        "about": incident.note or incident.title,
        "incident": incident.incident,
        "ticket": ticket or "",
        "link": row.url or "",
    }
    text = templates.fill(plan.template, values | {"handle": HANDLE})
    wrong = templates.faults(text, plan.region)
    if wrong:
        raise IllegalMove(
            f"the notice would hold {wrong[0].kind} ({wrong[0].words}): change the template "
            "or the incident's note"
        )
    return Notice(
        incident=incident.incident,
        customer=row.customer or "",
        source=row.source,
        instance=row.instance,
        reply_to=row.uid,
        native_id=row.native_id,
        link=row.url,
        ticket=ticket,
        text=text,
        state="proposed",
    )


def _judged(notice: Notice, verdict: Verdict) -> Notice:
    if verdict.allowed:
        return notice
    until = f"; possible from {verdict.after:%Y-%m-%d %H:%M} UTC" if verdict.after else ""
    return msgspec.structs.replace(notice, state="withheld", why=verdict.why + until)


def _tickets(store: Store, rows: Sequence[StoredMention]) -> dict[str, str]:
    found = store.tickets_of_threads(sorted({row.thread for row in rows}))
    return {thread: one.ticket.ticket for one in found for thread in one.ticket.threads}


def notices(store: Store, incident: str) -> list[Notice]:
    """The notice list of an incident, by customer."""
    return [_notice(kept) for kept in store.shelf("notice", group=incident)]


def approve(store: Store, incident: Incident, by: str, now: datetime) -> list[Notice]:
    """Approve every proposed notice of the incident; those that were approved by this call."""
    changed = []
    for kept in list(store.shelf("notice", group=incident.incident)):
        notice = _notice(kept)
        if notice.state == "proposed":
            wanted = msgspec.structs.replace(
                notice, state="approved", approved_by=by, approved_at=now
            )
            if store.shelve("notice", [_keep(wanted, kept.at, kept.version)]).done:
                changed.append(wanted)
    return changed


def tell(
    store: Store,
    incident: Incident,
    by: str,
    now: datetime,
    policy: ContactPolicy,
    only: Sequence[str] = (),
) -> Iterator[Notice]:
    """Write down that people were told, or are told now; each notice that changed.

    The policy is asked once more, because others may have contacted the person since it was
    approved: then the notice is withheld. ``only`` names customers; all approved ones if empty.
    """
    for kept in list(store.shelf("notice", group=incident.incident)):
        notice = _notice(kept)
        if notice.state != "approved" or (only and notice.customer not in only):
            continue
        key = (notice.customer, notice.source)
        answer = verdicts(store, [key], policy, now)[key]
        wanted = (
            msgspec.structs.replace(notice, state="told", told_by=by, told_at=now)
            if answer.allowed
            else _judged(notice, answer)
        )
        if not store.shelve("notice", [_keep(wanted, kept.at, kept.version)]).done:
            continue
        if wanted.state == "told":
            record_contact(
                store,
                Contact(
                    customer=notice.customer,
                    at=now,
                    by=by,
                    about=incident.incident,
                    channel=notice.source,
                ),
            )
        yield wanted


def as_row(notice: Notice, handles: Mapping[str, str]) -> dict[str, str]:
    """A notice as plain values with the keys of `COLUMNS`."""
    return {
        "incident": notice.incident,
        "state": notice.state,
        "source": notice.source,
        "handle": handles.get(notice.customer, ""),
        "link": notice.link or "",
        "ticket": notice.ticket or "",
        "text": notice.text.replace(HANDLE, handles.get(notice.customer) or "there"),
        "why": notice.why,
    }


def _notice(kept: Kept) -> Notice:
    return msgspec.json.decode(kept.body, type=Notice)


def _keep(notice: Notice, at: datetime, version: str | None) -> Keep:
    return Keep(
        key=f"{notice.incident}/{notice.customer}",
        at=at,
        group=notice.incident,
        record=notice,
        version=version,
    )
