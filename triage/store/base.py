"""The narrow protocol that triage and the desk need from a store.

Guarantees of every implementation, proven by one set of contract tests:

* A read sees every earlier write made through the same object.
* Writing the same thing twice is writing it once.
* A ticket changes only by compare-and-set: the writer names the version it has read.
* One bad document never stops the good ones of the same call: it comes back as a `Refusal`.
* Lists come in the stated order, which is total: two stores answer alike.

Errors are `triage.errors.StoreError` and its subclasses, whatever the client raised.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from triage.likeness import Sketch
from triage.store.analysis import Analysis
from triage.store.shelf import Shelf
from triage.ticket import Event, Status, Ticket

MOST_OF_KEY = 20
"""Families that are looked at for one key: see `Store.families`."""


# Millions of these are made and none holds another that holds it: nothing for the collector.
class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Counts of a post as one collection found them."""

    at: datetime
    views: int | None = None
    shares: int | None = None
    likes: int | None = None
    replies: int | None = None


class StoredMention(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A mention as analysts see it: masked text, pseudonymous author, the assessment beside it."""

    uid: str
    source: str
    instance: str = ""
    native_id: str
    kind: str
    text: str
    """Personal data masked; empty when ``deleted``."""
    title: str | None = None
    url: str | None = None
    created_at: datetime
    collected_at: datetime
    edited_at: datetime | None = None
    content_hash: str
    customer: str | None = None
    """Pseudonym of the author; None when the source does not say who."""
    owner: bool = False
    """Written by one of the brand's own accounts."""
    value: float | None = None
    """How much the customer matters to the operator, 0 to 1; None when nobody says."""
    followers: int | None = None
    container: str | None = None
    matched: tuple[str, ...] = ()
    parent: str | None = None
    """Uid of the mention that this one answers, in the store or not."""
    thread: str
    """Uid of the thread's first known item; triage moves it when an earlier one turns up."""
    repost: bool = False
    private: bool = False
    """Said to us alone, as in an e-mail: part of the history, never a case to answer in public."""
    namesake: bool = False
    """About another brand of that name, as the operator's words tell."""
    fingerprint: str
    """Of the family of copies it is in: see `triage.families`; equal for copies and reposts."""
    likeness: float | None = None
    """How like the family's first text it is, where the words are not the same."""
    alone: bool = False
    """An agent took it out of its thread and its family: it is a case of its own."""
    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    views: int | None = None
    seen: tuple[Seen, ...] = ()
    """What the counts were at earlier collections, oldest first, at most 12."""
    rating: float | None = None
    rating_max: float | None = None
    deleted: bool = False

    model: str | None = None
    language: str = "und"
    sentiment: str | None = None
    complaint: bool | None = None
    complaint_probability: float | None = None
    severity: int | None = None
    department: str | None = None
    department_probability: float | None = None
    cues: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    personal_data: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    """The operator's products that it names."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account of a person who has several under one pseudonym."""

    source: str
    instance: str = ""
    native_id: str | None = None
    handle: str | None = None
    name: str | None = None
    url: str | None = None


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a pseudonym is and how to reach them: the vault's only record.

    The fields are those of the first account by source and id.
    """

    customer: str
    source: str
    instance: str = ""
    native_id: str | None = None
    handle: str | None = None
    name: str | None = None
    url: str | None = None
    accounts: tuple[Account, ...] = ()
    """All of them, where the operator has named several, by source and id."""

    def on(self, source: str, instance: str = "") -> Identity:
        """The person as this network knows them; else as any does."""
        fitting = [one for one in self.accounts if one.source == source]
        fitting.sort(key=lambda one: one.instance != instance)
        if not fitting:
            return self
        return Identity(customer=self.customer, **msgspec.structs.asdict(fitting[0]))


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A document that the store would not take, and why, in one line."""

    id: str
    reason: str


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What a call of `Store.save_mentions` did; uids, in the order given."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    refused: tuple[Refusal, ...] = ()


class Versioned(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket with the version that a change must name."""

    ticket: Ticket
    version: str


class Write(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket to write; ``version`` None means that it must not exist yet."""

    ticket: Ticket
    version: str | None
    events: tuple[Event, ...] = ()
    """The history entries of this change; the same id again is harmless."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """Ticket ids by what became of them, in the order given."""

    done: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    """Changed by somebody else meanwhile: read again, decide again."""
    refused: tuple[Refusal, ...] = ()


class QueueFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which tickets; an empty field does not restrict."""

    statuses: tuple[Status, ...] = ()
    departments: tuple[str | None, ...] = ()
    """None stands for the lane that people sort by hand."""
    sources: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    agent: str | None = None
    """Only tickets that this agent has."""
    due_before: datetime | None = None
    """Only tickets whose deadline is before this time: what is breaching, or soon will."""
    free_at: datetime | None = None
    """Only tickets that are free at this time: see `triage.ticket.Ticket.free_from`."""


class QueuePage(msgspec.Struct, frozen=True, kw_only=True):
    """Tickets best first: by priority (highest first), then deadline, then id."""

    tickets: tuple[Versioned, ...]
    next: str | None = None
    """Opaque cursor of the following page; None at the end."""


Stage = Literal["stored", "folded"]


def pages(store: Store, wanted: QueueFilter, size: int) -> Iterator[tuple[Versioned, ...]]:
    """The queue, page by page, best first; the next one is asked for when it is wanted."""
    cursor: str | None = None
    while True:
        page = store.queue(wanted, after=cursor, size=size)
        yield page.tickets
        cursor = page.next
        if cursor is None:
            return


class Store(Shelf, Analysis, Protocol):
    """See the module's docstring for what every method guarantees."""

    name: str
    """``sqlite`` or ``elasticsearch``."""

    def setup(self) -> None:
        """Create or upgrade tables, templates and indices. Idempotent."""

    def check(self) -> str:
        """One line about the store (kind, version, address) if it can be used.

        Raises:
            StoreUnavailable, StoreRefused: if it cannot.
        """

    def close(self) -> None: ...

    def together(self) -> AbstractContextManager[None]:
        """What is written within may become durable, and seen by others, at the end at once.

        For a second's worth of writing: meanwhile others may have to wait. An error within
        may undo all of it.
        """

    # mentions

    def save_mentions(self, rows: Sequence[StoredMention]) -> Saved:
        """Insert or update by uid; within one call the last row of a uid wins.

        A row is left alone (``unchanged``) when the stored one is a tombstone
        (``deleted``), was collected later, or is equal except for what is kept: the thread
        of a stored row only changes by `set_threads`, ``alone`` by `set_alone`, and its
        family stays while its words do.
        """

    def delete_mentions(self, uids: Sequence[str]) -> tuple[str, ...]:
        """Turn stored mentions into tombstones: text, title, url, author, evidence gone.

        What places it among others stays: parent, thread, owner, repost, fingerprint, times.
        An unknown uid leaves a tombstone too, so that a late replay does not bring it back.
        Returns the uids that had not been tombstones.
        """

    def mentions(self, uids: Sequence[str]) -> dict[str, StoredMention]:
        """The stored rows of those uids that are known."""

    def set_threads(self, threads: Mapping[str, str]) -> None:
        """Set ``thread`` of each known uid."""

    def set_alone(self, uids: Sequence[str], alone: bool) -> None:
        """Set ``alone`` of each known uid."""

    def members(self, threads: Sequence[str], limit: int = 5000) -> list[StoredMention]:
        """All mentions of these threads by (created_at, uid), the first ``limit`` of each."""

    def copies(self, fingerprints: Sequence[str], limit: int = 20_000) -> list[StoredMention]:
        """Mentions with these fingerprints by (created_at, uid), the first ``limit`` of each."""

    def posts_of_customers(self, customers: Sequence[str], limit: int = 500) -> list[StoredMention]:
        """Mentions of these customers by (created_at, uid), the newest ``limit`` of each."""

    def families(self, keys: Sequence[str]) -> list[Sketch]:
        """First texts of the families that have any of these keys, by fingerprint.

        Of a key that more than `MOST_OF_KEY` families have, so many of them: what so many
        begin or end with tells little, and the memory of a run must not grow with the store.
        """

    def save_families(self, founded: Sequence[Sketch]) -> None:
        """Insert by fingerprint; one that is there stays as it is."""

    def drop_families(self, fingerprints: Sequence[str]) -> None:
        """Remove these families; an unknown one is harmless."""

    # who

    def save_identities(self, identities: Sequence[Identity]) -> None:
        """Insert or replace by ``customer``."""

    def identities(self, customers: Sequence[str]) -> dict[str, Identity]:
        """The vault's entries of those customers that are known."""

    # tickets

    def tickets(self, ids: Sequence[str]) -> dict[str, Versioned]: ...

    def tickets_starting(self, prefix: str, limit: int = 10) -> list[Versioned]:
        """Tickets whose id starts with ``prefix``, by id."""

    def tickets_of_threads(self, threads: Sequence[str]) -> list[Versioned]:
        """Tickets that hold any of these threads, by id."""

    def tickets_of_customers(self, customers: Sequence[str]) -> list[Versioned]:
        """Tickets of these customers, by (opened_at, id)."""

    def write_tickets(self, writes: Sequence[Write]) -> Written:
        """Compare-and-set each ticket, with its events.

        An event is in `events` if and only if its ticket's change is stored: a lost
        compare-and-set leaves none, and a crash right after the change loses none.
        """

    def queue(self, wanted: QueueFilter, after: str | None = None, size: int = 50) -> QueuePage: ...

    def count(self, wanted: QueueFilter) -> int:
        """How many tickets the queue of this filter has."""

    def due_for_refresh(self, now: datetime, size: int = 500) -> list[Versioned]:
        """Tickets whose ``refresh_at`` is not after ``now`` and whose status is open, by id."""

    def longest_waiting(self) -> Ticket | None:
        """Of the tickets that wait for a first answer, public or not, the one opened first."""

    def events(self, ticket: str) -> list[Event]:
        """History of a ticket by (at, id)."""

    def all_tickets(self) -> Iterator[Ticket]:
        """Every ticket by id, streamed: for exports and comparisons."""

    # bookkeeping

    def save_ledger(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace ledger rows by (source, target, window)."""

    def save_rejects(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert or replace rejects by their ``id``; no payload, only where and why."""

    def done(self, stage: Stage, parts: Sequence[str]) -> set[str]:
        """Those of the named parts that have passed ``stage`` in this store."""

    def mark(self, stage: Stage, parts: Sequence[str]) -> None: ...

    def unmark(self, parts: Sequence[str]) -> None:
        """Forget that these parts were stored and folded, so that they are read again."""

    def prepare(self, at: datetime) -> str:
        """Make room for the mentions of the month of ``at`` and see that they can be written.

        Returns a line that says so. Leaves nothing behind but an empty index, where there is one
        for each month.

        Raises:
            StoreUnavailable, StoreRefused: if they cannot, with what to do about it.
        """

    def snapshot(self, to: str, name: str, keep: int) -> None:
        """Keep all that is stored under a name; the same name again changes nothing.

        ``to`` is a registered snapshot repository of Elasticsearch, or a folder for SQLite. Of
        those whose names differ in their last eight digits only, the newest ``keep`` stay. The
        vault is in them, too.

        Raises:
            StoreUnavailable, StoreRefused: if it cannot be kept.
        """

    def publish(self, teams: Mapping[str, str]) -> int:
        """Bring what analysts read up to date; how many rows of theirs were written or removed.

        ``teams`` is the team of each agent. Only what has changed since the last call is looked
        at; killed at any moment it is made good by calling it again. One process at a time: see
        `triage.publishing.publish`. Where analysts read the store itself there is nothing to do.
        """

    def counts(self) -> dict[str, int]:
        """How many mentions, tickets, open tickets, ... there are, by name."""
