"""Reading who somebody is: every read is written down first, with who and why."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, cast

import msgspec

from triage.errors import StoreRefused
from triage.store.base import Identity, Store
from triage.store.shelf import Keep


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """One read of the vault."""

    at: datetime
    by: str
    reason: str
    customers: tuple[str, ...]
    """Pseudonyms that were asked for."""


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """What a post says that analysts do not see and an agent needs."""

    uid: str
    customer: str
    items: tuple[tuple[str, str], ...]
    """(kind, words) as they were written: order number, e-mail, telephone."""


class _Watched:
    """A store whose vault cannot be read unseen; everything else goes straight through."""

    def __init__(self, store: Store, by: str, reason: str, now: datetime) -> None:
        self._store = store
        self._by, self._reason, self._now = by, reason, now

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def identities(self, customers: Sequence[str]) -> dict[str, Identity]:
        asked = tuple(sorted({customer for customer in customers if customer}))
        if asked:
            log(self._store, Read(at=self._now, by=self._by, reason=self._reason, customers=asked))
        return self._store.identities(customers)


def watched(store: Store, by: str, reason: str, now: datetime) -> Store:
    """The store, with every call of `Store.identities` logged before it is answered.

    A read that cannot be logged is not answered: the store's error is raised.
    """
    return cast("Store", _Watched(store, by, reason, now))


def log(store: Store, read: Read) -> None:
    """Write down that somebody reads.

    Raises:
        StoreRefused: if the store does not take it.
    """
    try:
        body = msgspec.json.encode(read)
    except UnicodeEncodeError:
        raise StoreRefused("the vault's log takes no half letter: mend the reason") from None
    key = f"{read.at.isoformat()}-{hashlib.sha256(body).hexdigest()[:16]}"
    refused = store.shelve("read", [Keep(key=key, at=read.at, group=read.by, record=read)]).refused
    if refused:
        raise StoreRefused(f"the vault's log refuses the entry: {refused[0].reason}")


def reads(store: Store, since: datetime | None = None) -> Iterator[Read]:
    """The log, oldest first."""
    for kept in store.shelf("read", since=since):
        yield msgspec.json.decode(kept.body, type=Read)


def keep_references(store: Store, found: Sequence[tuple[Reference, datetime]]) -> None:
    """Keep or replace the references of posts; a post without any has none."""
    if not found:
        return
    known = store.shelved("reference", [one.uid for one, _ in found])
    store.shelve(
        "reference",
        [
            Keep(
                key=one.uid,
                at=at,
                group=one.customer,
                record=one,
                version=known[one.uid].version if one.uid in known else None,
            )
            for one, at in found
        ],
    )


def references(
    store: Store, uids: Sequence[str], by: str, reason: str, now: datetime
) -> dict[str, Reference]:
    """What these posts say that analysts do not see; logged like every read of the vault."""
    found = {
        uid: msgspec.json.decode(kept.body, type=Reference)
        for uid, kept in store.shelved("reference", uids).items()
    }
    asked = tuple(sorted({one.customer for one in found.values()}))
    if asked:
        log(store, Read(at=now, by=by, reason=f"{reason}: references", customers=asked))
    return found
