"""What a store keeps beside mentions and tickets: small records, by kind and key.

Incidents, notices, contacts, deliveries, the vault's log and the tombstones of forgotten people
are all of this shape. The guarantees of `triage.store.base` hold here, too: a record changes by
compare-and-set only, one bad record stops no other, and lists come in a total order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

if TYPE_CHECKING:
    from triage.store.base import StoredMention, Written

Kind = Literal[
    "incident",
    "clock",
    "notice",
    "contact",
    "delivery",
    "label",
    "optout",
    "reference",
    "read",
    "erasure",
    "turn",
    "account",
    "link",
    "theme",
    "user",
    "token",
    "request",
]

SHELVES: dict[Kind, str] = {
    "incident": "incidents",
    "clock": "outreach",
    "notice": "outreach",
    "contact": "outreach",
    "delivery": "outreach",
    "label": "outreach",
    "optout": "vault",
    "reference": "vault",
    "read": "vault",
    "erasure": "vault",
    "turn": "incidents",
    "account": "vault",
    "link": "vault",
    "theme": "incidents",
    "user": "vault",
    "token": "vault",
    "request": "outreach",
}
"""Which of Elasticsearch's indices holds a kind; who may read what is decided by index."""


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """A record to keep; ``version`` None means that there must be none of its key yet."""

    key: str
    at: datetime
    """What lists are sorted by; aware."""
    record: Any
    """A struct or mapping of JSON values."""
    group: str = ""
    """What it is listed by: an incident, a customer, a system."""
    version: str | None = None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it is kept, with the version that a change must name."""

    key: str
    group: str
    at: datetime
    version: str
    body: bytes
    """The record's JSON."""


class Shelf(Protocol):
    """The part of a store that keeps these records, and the part that forgets."""

    def shelve(self, kind: Kind, keeps: Sequence[Keep]) -> Written:
        """Compare-and-set each record; the keys, by what became of them."""

    def shelved(self, kind: Kind, keys: Sequence[str]) -> dict[str, Kept]:
        """The records of those keys that are known."""

    def shelf(
        self, kind: Kind, group: str | None = None, since: datetime | None = None
    ) -> Iterator[Kept]:
        """Every record of a kind by (at, key), streamed; of one group, not before ``since``."""

    def unshelve(self, kind: Kind, keys: Sequence[str]) -> None:
        """Remove records; an unknown key is harmless."""

    def mentions_between(self, start: datetime, end: datetime) -> Iterator[StoredMention]:
        """Mentions with ``start <= created_at < end`` by (created_at, uid), streamed."""

    def erase(self, uids: Sequence[str], tickets: Sequence[str], customers: Sequence[str]) -> None:
        """Remove mentions, tickets with their history, and the vault's entries.

        A mention leaves a bare tombstone of its uid, so that it never comes back. Idempotent.
        """

    def every_document(self) -> Iterator[tuple[str, str, bytes]]:
        """(place, key, JSON) of everything that the store holds, for a proof."""

    def scrub(self) -> None:
        """Let what was removed go from the files, too, as far as the store can be told to."""
