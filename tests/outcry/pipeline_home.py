"""A deployment for tests of the whole pipeline, and what is compared between two of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from outcry.importing import import_file
from outcry.pipeline import score, triage
from outcry.settings import Settings, load_settings
from outcry.storing import Triaged
from triage.store.base import QueueFilter, Store

HISTORIES = 10
AS_OF = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def run_file(home: Path, file: Path, preset: str) -> Triaged:
    """Import, score and triage a file into the deployment of a home, as one process does it."""
    settings = load_settings(home)
    import_file(settings, file, preset=preset, now=AS_OF)
    score(settings)
    store = settings.open_store()
    try:
        return triage(settings, store, now=AS_OF)
    finally:
        store.close()


def landed(home: Path) -> dict[str, str]:
    """Digest of each part of the landing zone, by path."""
    zone = home / "landing"
    return {
        str(path.relative_to(zone)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(zone.rglob("part-*"))
        if not path.name.startswith(".")
    }


def kept(settings: Settings) -> list[bytes]:
    """What the store holds, line by line: all tickets, the queue's order, and of every
    tenth ticket the history and the mentions."""
    store = settings.open_store()
    try:
        return list(_lines(store))
    finally:
        store.close()


def queued(store: Store) -> list[str]:
    """All ticket ids, best first, page by page."""
    found: list[str] = []
    after: str | None = None
    while True:
        page = store.queue(QueueFilter(), after, 200)
        found += [one.ticket.ticket for one in page.tickets]
        if page.next is None:
            return found
        after = page.next


def _lines(store: Store) -> Iterator[bytes]:
    encode = msgspec.json.Encoder(order="deterministic").encode
    for number, ticket in enumerate(store.all_tickets()):
        yield encode(ticket)
        if number % HISTORIES == 0:
            yield from map(encode, store.events(ticket.ticket))
            rows = store.mentions([fold.uid for fold in ticket.mentions])
            yield from (encode(row) for _, row in sorted(rows.items()))
    for name in queued(store):
        yield name.encode()
