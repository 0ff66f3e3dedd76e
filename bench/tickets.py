"""Tickets without a history, for measuring stores."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

from triage.departments import DEPARTMENTS
from triage.store.base import Store, Write
from triage.ticket import Fold, Part, Ticket, Tier, make_ticket_id

CHUNK = 2000
_HOURS: dict[Tier, int] = {"P1": 1, "P2": 4, "P3": 24, "P4": 72}


def tickets(count: int, start: datetime, seed: int = 3) -> Iterator[Ticket]:
    """So many new tickets, one a second; the same arguments give the same tickets."""
    rng = random.Random(seed)
    departments = [None, *(department.name for department in DEPARTMENTS)]
    for number in range(count):
        priority = rng.randrange(100)
        tier: Tier = "P1" if priority >= 75 else "P2" if priority >= 55 else "P3"
        at = start + timedelta(seconds=number)
        uid = f"{number:032x}"
        yield Ticket(
            ticket=make_ticket_id(uid),
            priority=priority,
            tier=tier,
            parts=(Part(name="certainty", points=priority, words="as sure as that"),),
            department=rng.choice(departments),
            opened_at=at,
            last_at=at,
            sla_due=at + timedelta(hours=_HOURS[tier]),
            source=rng.choice(("mastodon", "reddit", "rss")),
            excerpt=f"Parcel {rng.randrange(10**6)} was due a week ago and nobody answers.",
            language="en",
            customer=f"{rng.randrange(count):032x}",
            threads=(uid,),
            mentions=(Fold(uid=uid, reason="opened the case"),),
            posts=1,
            voices=1,
        )


def fill(store: Store, count: int, start: datetime) -> None:
    """Write so many tickets."""
    chunk: list[Write] = []
    for ticket in tickets(count, start):
        chunk.append(Write(ticket=ticket, version=None))
        if len(chunk) == CHUNK:
            store.write_tickets(chunk)
            chunk = []
    store.write_tickets(chunk)
