"""What a shift begins with: how its departments stand, and who to reach out to first."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

import msgspec

from outcry.alerts import mail
from outcry.settings import Settings
from triage.deliveries import Delivery, Worked, enqueue, work
from triage.incident import LIVE
from triage.incidents import incidents
from triage.store.base import QueueFilter, Store
from triage.ticket import WAITING, Ticket

SOON = timedelta(hours=8)


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning of one shift; nobody is named."""

    departments: tuple[str | None, ...]
    """All, if empty; None is the lane that people sort by hand."""
    at: datetime
    waiting: int
    """Cases that nobody has reached out to."""
    overdue: int
    due_soon: int
    """Due within `SOON`."""
    first: tuple[Ticket, ...]
    """Whom to reach out to first, best first."""
    incidents: tuple[str, ...]

    @property
    def name(self) -> str:
        """Whose shift it is."""
        return ", ".join(one or "sort by hand" for one in self.departments) or "everybody"


def shift(
    settings: Settings,
    store: Store,
    departments: Sequence[str | None],
    now: datetime,
    size: int = 10,
) -> Shift:
    """How the queue of these departments stands at ``now``."""
    lanes = tuple(departments)
    waiting = QueueFilter(statuses=WAITING, departments=lanes)
    free = msgspec.structs.replace(waiting, free_at=now)
    overdue = store.count(msgspec.structs.replace(waiting, due_before=now))
    due = store.count(msgspec.structs.replace(waiting, due_before=now + SOON))
    return Shift(
        departments=lanes,
        at=now,
        waiting=store.count(waiting),
        overdue=overdue,
        due_soon=due - overdue,
        first=tuple(one.ticket for one in store.queue(free, size=size).tickets),
        incidents=tuple(
            f"incident {one.incident}, {one.state}: {one.note or one.title}, "
            f"{one.customers} customers"
            for one in incidents(store)
            if one.state in LIVE
        ),
    )


def lines(found: Shift, url: str) -> list[str]:
    """The beginning of a shift as people read it; ``url`` is the desk's, "" for none."""
    said = [
        f"{found.name}, {found.at:%Y-%m-%d %H:%M} UTC",
        f"{found.waiting} wait: {found.overdue} overdue, {found.due_soon} due within "
        f"{SOON.seconds // 3600} hours",
        *found.incidents,
    ]
    for ticket in found.first:
        address = f"  {url.rstrip('/')}/cases/{ticket.ticket}" if url else ""
        words = " ".join(ticket.excerpt.split())[:100]
        said.append(
            f"{ticket.tier} {ticket.priority:3}  answer by {ticket.sla_due:%m-%d %H:%M}  "
            f"{ticket.ticket}  {words}{address}"
        )
    return said


def send(
    settings: Settings, store: Store, found: Shift, to: Sequence[str], now: datetime
) -> Worked:
    """Mail it, once for these people and departments in an hour, and what still waits for them."""
    people = tuple(sorted(set(to)))
    system = f"email {','.join(people)}"
    about = f"shift/{found.name}/{now:%Y-%m-%dT%H}"
    subject = f"{found.name}: {found.waiting} wait, {found.overdue} overdue"
    payload = {"subject": subject, "text": "\n".join(lines(found, settings.desk.url))}
    key = f"shift/{hashlib.sha256(f'{about} {system}'.encode()).hexdigest()[:24]}"
    enqueue(
        store,
        [Delivery(key=key, system=system, about=about, payload=payload, made_at=now, next_at=now)],
    )
    alerts = msgspec.structs.replace(settings.alerts, email_to=people)
    return work(store, system, partial(mail, alerts), now)
