"""Tickets without a history, for measuring stores."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import islice

from triage.departments import DEPARTMENTS
from triage.store.base import Store, Write, Written
from triage.ticket import Fold, Part, Ticket, Tier, make_ticket_id

CHUNK = 2000
AT_ONCE = 3
"""Chunks on the way to a cluster: one is made while others are stored."""
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
    """Write so many tickets; a cluster is given several chunks at once."""
    chunks = batched((Write(ticket=one, version=None) for one in tickets(count, start)), CHUNK)
    if store.name != "elasticsearch":
        for chunk in chunks:
            store.write_tickets(chunk)
        return
    with ThreadPoolExecutor(AT_ONCE) as threads:
        waiting: deque[Future[Written]] = deque()
        for chunk in chunks:
            waiting.append(threads.submit(store.write_tickets, chunk))
            if len(waiting) > AT_ONCE:
                waiting.popleft().result()
        for one in waiting:
            one.result()


def batched(writes: Iterator[Write], size: int) -> Iterator[list[Write]]:
    """The writes in lists of that size."""
    while chunk := list(islice(writes, size)):
        yield chunk
