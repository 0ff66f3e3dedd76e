"""The smallest store that keeps the protocol's promises, in dictionaries: the model for tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any

import msgspec

from tests.triage.dict_shelf import DictShelf
from triage.likeness import Sketch
from triage.store.base import (
    Identity,
    QueueFilter,
    QueuePage,
    Saved,
    Stage,
    StoredMention,
    Versioned,
    Write,
    Written,
)
from triage.store.records import merge
from triage.ticket import OPEN, Event, Ticket


class CrashError(Exception):
    """The process dies here."""


class DictStore(DictShelf):
    """Dies before its n-th write when ``writes_left`` is n; single documents, as a real one may."""

    name = "dictionary"

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, StoredMention] = {}
        self.vault: dict[str, Identity] = {}
        self.kept: dict[str, tuple[Ticket, int]] = {}
        self.history: dict[str, Event] = {}
        self.family_shelf: dict[str, Sketch] = {}
        self.writes = 0
        self.writes_left: int | None = None

    def setup(self) -> None: ...

    def check(self) -> str:
        return "dictionaries"

    def close(self) -> None: ...

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()

    def save_mentions(self, rows: Sequence[StoredMention]) -> Saved:
        new: list[str] = []
        changed: list[str] = []
        unchanged: list[str] = []
        for row in {row.uid: row for row in rows}.values():
            known = self.rows.get(row.uid)
            made = merge(known, row)
            if made is None:
                unchanged.append(row.uid)
                continue
            row = made
            self._write()
            self.rows[row.uid] = row
            (new if known is None else changed).append(row.uid)
        return Saved(new=tuple(new), changed=tuple(changed), unchanged=tuple(unchanged))

    def delete_mentions(self, uids: Sequence[str]) -> tuple[str, ...]:
        done = []
        for uid in uids:
            known = self.rows.get(uid)
            if known is not None and known.deleted:
                continue
            self._write()
            done.append(uid)
            if known is None:
                epoch = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
                self.rows[uid] = StoredMention(
                    uid=uid,
                    source="",
                    native_id="",
                    kind="post",
                    text="",
                    created_at=epoch,
                    collected_at=epoch,
                    content_hash="",
                    thread=uid,
                    fingerprint="",
                    deleted=True,
                )
            else:
                self.rows[uid] = msgspec.structs.replace(
                    known, text="", title=None, url=None, customer=None, evidence=(), deleted=True
                )
        return tuple(done)

    def mentions(self, uids: Sequence[str]) -> dict[str, StoredMention]:
        return {uid: self.rows[uid] for uid in uids if uid in self.rows}

    def set_threads(self, threads: Mapping[str, str]) -> None:
        for uid, thread in threads.items():
            if uid in self.rows:
                self._write()
                self.rows[uid] = msgspec.structs.replace(self.rows[uid], thread=thread)

    def set_alone(self, uids: Sequence[str], alone: bool) -> None:
        for uid in uids:
            if uid in self.rows:
                self._write()
                self.rows[uid] = msgspec.structs.replace(self.rows[uid], alone=alone)

    def members(self, threads: Sequence[str], limit: int = 5000) -> list[StoredMention]:
        return self._by("thread", threads, limit)

    def copies(self, fingerprints: Sequence[str], limit: int = 20_000) -> list[StoredMention]:
        return self._by("fingerprint", fingerprints, limit)

    def posts_of_customers(self, customers: Sequence[str], limit: int = 500) -> list[StoredMention]:
        return self._by("customer", customers, -limit)

    def families(self, keys: Sequence[str]) -> list[Sketch]:
        wanted = set(keys)
        return [one for _, one in sorted(self.family_shelf.items()) if wanted & set(one.keys)]

    def save_families(self, founded: Sequence[Sketch]) -> None:
        for one in founded:
            self._write()
            self.family_shelf.setdefault(one.fingerprint, one)

    def drop_families(self, fingerprints: Sequence[str]) -> None:
        for one in fingerprints:
            self.family_shelf.pop(one, None)

    def save_identities(self, identities: Sequence[Identity]) -> None:
        for identity in identities:
            self._write()
            self.vault[identity.customer] = identity

    def identities(self, customers: Sequence[str]) -> dict[str, Identity]:
        return {key: self.vault[key] for key in customers if key in self.vault}

    def tickets(self, ids: Sequence[str]) -> dict[str, Versioned]:
        return {key: self._versioned(key) for key in ids if key in self.kept}

    def tickets_starting(self, prefix: str, limit: int = 10) -> list[Versioned]:
        found = sorted(key for key in self.kept if key.startswith(prefix))
        return [self._versioned(key) for key in found[:limit]]

    def tickets_of_threads(self, threads: Sequence[str]) -> list[Versioned]:
        wanted = set(threads)
        found = (key for key, (t, _) in sorted(self.kept.items()) if wanted & set(t.threads))
        return [self._versioned(key) for key in found]

    def tickets_of_customers(self, customers: Sequence[str]) -> list[Versioned]:
        found = [t for t, _ in self.kept.values() if t.customer in customers]
        found.sort(key=lambda ticket: (ticket.opened_at, ticket.ticket))
        return [self._versioned(ticket.ticket) for ticket in found]

    def write_tickets(self, writes: Sequence[Write]) -> Written:
        done, conflicts = [], []
        for write in writes:
            key = write.ticket.ticket
            known = self.kept.get(key)
            version = str(known[1]) if known is not None else None
            if version != write.version:
                conflicts.append(key)
                continue
            self._write()
            self.kept[key] = (write.ticket, (known[1] if known is not None else 0) + 1)
            for event in write.events:
                self.history.setdefault(event.id, event)
            done.append(key)
        return Written(done=tuple(done), conflicts=tuple(conflicts))

    def queue(self, wanted: QueueFilter, after: str | None = None, size: int = 50) -> QueuePage:
        found = [ticket for ticket, _ in self.kept.values() if _fits(ticket, wanted)]
        found.sort(key=lambda t: (-t.priority, t.sla_due, t.ticket))
        start = int(after or 0)
        page = tuple(self._versioned(ticket.ticket) for ticket in found[start : start + size])
        end = start + size
        return QueuePage(tickets=page, next=str(end) if end < len(found) else None)

    def count(self, wanted: QueueFilter) -> int:
        return sum(_fits(ticket, wanted) for ticket, _ in self.kept.values())

    def due_for_refresh(self, now: datetime, size: int = 500) -> list[Versioned]:
        found = [
            key
            for key, (ticket, _) in sorted(self.kept.items())
            if ticket.refresh_at is not None and ticket.refresh_at <= now and ticket.status in OPEN
        ]
        return [self._versioned(key) for key in found[:size]]

    def events(self, ticket: str) -> list[Event]:
        found = [event for event in self.history.values() if event.ticket == ticket]
        return sorted(found, key=lambda event: (event.at, event.id))

    def all_tickets(self) -> Iterator[Ticket]:
        return (self.kept[key][0] for key in sorted(self.kept))

    def save_ledger(self, rows: Sequence[Mapping[str, Any]]) -> None: ...

    def save_rejects(self, rows: Sequence[Mapping[str, Any]]) -> None: ...

    def done(self, stage: Stage, parts: Sequence[str]) -> set[str]:
        return set()

    def mark(self, stage: Stage, parts: Sequence[str]) -> None: ...

    def unmark(self, parts: Sequence[str]) -> None: ...

    def publish(self, teams: Mapping[str, str]) -> int:
        return 0

    def counts(self) -> dict[str, int]:
        return {"mentions": len(self.rows), "tickets": len(self.kept)}

    def _versioned(self, key: str) -> Versioned:
        ticket, version = self.kept[key]
        return Versioned(ticket=ticket, version=str(version))

    def _by(self, field: str, values: Iterable[str], limit: int) -> list[StoredMention]:
        found: list[StoredMention] = []
        for value in sorted(set(values)):
            rows = [row for row in self.rows.values() if getattr(row, field) == value]
            rows.sort(key=lambda row: (row.created_at, row.uid))
            found += rows[:limit] if limit >= 0 else rows[limit:]
        return sorted(found, key=lambda row: (row.created_at, row.uid))

    def _write(self) -> None:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise CrashError
            self.writes_left -= 1
        self.writes += 1


def _fits(ticket: Ticket, wanted: QueueFilter) -> bool:
    free = ticket.free_from
    return (
        (not wanted.statuses or ticket.status in wanted.statuses)
        and (not wanted.departments or ticket.department in wanted.departments)
        and (not wanted.sources or ticket.source in wanted.sources)
        and (not wanted.tiers or ticket.tier in wanted.tiers)
        and (not wanted.languages or ticket.language in wanted.languages)
        and (wanted.agent is None or ticket.handling.agent == wanted.agent)
        and (wanted.due_before is None or ticket.sla_due < wanted.due_before)
        and (wanted.free_at is None or free is None or free <= wanted.free_at)
    )
