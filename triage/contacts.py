"""Who was contacted, who does not want to be, and how a contact ended; in the store."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from triage.policy import ContactPolicy, Person, Verdict, verdict
from triage.store.base import Store
from triage.store.shelf import Keep, Kind
from triage.ticket import Ticket

Outcome = Literal["resolved", "no answer", "wrong person", "not a complaint", "already solved"]


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody was contacted."""

    customer: str
    at: datetime
    by: str
    about: str
    """A ticket or an incident."""
    channel: str


class Preference(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer wishes: kept in the vault."""

    customer: str
    at: datetime
    by: str
    opted_out: str | None = None
    """The reason, if they do not want to be contacted."""
    zone: str | None = None
    """The time zone that they live in."""


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What a contact taught: a row to train and judge models with."""

    ticket: str
    uid: str
    """The post that made the case."""
    outcome: str
    at: datetime
    by: str
    text: str
    """Masked."""
    language: str
    source: str
    complaint: bool | None
    """What it was; None where the outcome does not say."""
    said: float | None
    """What the model had thought: the complaint's probability."""
    department: str | None
    model: str | None = None


COMPLAINED: dict[str, bool | None] = {
    "resolved": True,
    "already solved": True,
    "no answer": None,
    "wrong person": None,
    "not a complaint": False,
}


def record_contact(store: Store, contact: Contact) -> bool:
    """Keep a contact; False if it was known. The same again is harmless."""
    words = f"{contact.customer}\x1f{contact.about}\x1f{contact.at.isoformat()}"
    key = hashlib.sha256(words.encode()).hexdigest()[:32]
    keep = Keep(key=key, at=contact.at, group=contact.customer, record=contact)
    return bool(store.shelve("contact", [keep]).done)


def prefer(store: Store, preference: Preference) -> None:
    """Keep what a customer wishes; the last wish counts."""
    name = preference.customer
    _replace(store, "optout", Keep(key=name, at=preference.at, group=name, record=preference))


FORGOTTEN = "asked to be forgotten"


def never_again(store: Store, customers: Collection[str], now: datetime) -> None:
    """Keep of forgotten customers that nobody may contact them, by a hash that names nobody."""
    gone = Preference(customer="", at=now, by="", opted_out=FORGOTTEN)
    keeps = [Keep(key=_digest(customer), at=now, record=gone) for customer in sorted(customers)]
    store.shelve("optout", keeps)


def _digest(customer: str) -> str:
    return hashlib.sha256(f"forgotten\x1f{customer}".encode()).hexdigest()[:32]


def people(store: Store, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Person]:
    """What the contact policy asks about each (customer, source)."""
    customers = sorted({customer for customer, _ in wanted if customer})
    # Who was forgotten stays so, whatever is said of them later.
    names = {c: c for c in customers} | {_digest(customer): customer for customer in customers}
    kept = store.shelved("optout", list(names))
    wishes = {
        name: msgspec.json.decode(kept[key].body, type=Preference)
        for key, name in names.items()
        if key in kept
    }
    before = {
        customer: tuple(kept.at for kept in store.shelf("contact", group=customer))
        for customer in customers
    }
    return {
        (customer, source): Person(
            customer=customer,
            source=source,
            opted_out=wishes[customer].opted_out if customer in wishes else None,
            zone=wishes[customer].zone if customer in wishes else None,
            contacts=before.get(customer, ()),
        )
        for customer, source in wanted
    }


def verdicts(
    store: Store, wanted: Collection[tuple[str, str]], policy: ContactPolicy, now: datetime
) -> dict[tuple[str, str], Verdict]:
    """The policy's answer for each (customer, source)."""
    found = people(store, wanted)
    return {key: verdict(person, policy, now) for key, person in found.items()}


def learn(store: Store, ticket: Ticket, outcome: Outcome, by: str, now: datetime) -> Label:
    """Keep a label row of how a contact ended; the last word about a ticket counts."""
    uid = next((fold.uid for fold in ticket.mentions), "")
    opening = store.mentions([uid]).get(uid) if uid else None
    label = Label(
        ticket=ticket.ticket,
        uid=uid,
        outcome=outcome,
        at=now,
        by=by,
        text=opening.text if opening else ticket.excerpt,
        language=ticket.language,
        source=ticket.source,
        complaint=COMPLAINED[outcome],
        said=ticket.complaint_probability,
        department=ticket.department,
        model=opening.model if opening else None,
    )
    keep = Keep(key=ticket.ticket, at=now, group=ticket.customer, record=label)
    _replace(store, "label", keep)
    return label


def _replace(store: Store, kind: Kind, keep: Keep) -> None:
    """Keep a record in the place of whatever is kept by its key now."""
    while True:
        found = store.shelved(kind, [keep.key]).get(keep.key)
        fresh = msgspec.structs.replace(keep, version=found.version if found else None)
        if not store.shelve(kind, [fresh]).conflicts:
            return


def labels(store: Store) -> Iterator[Label]:
    """Every label row, oldest first."""
    for kept in store.shelf("label"):
        yield msgspec.json.decode(kept.body, type=Label)


def contacts_of(store: Store, customers: Sequence[str]) -> list[Contact]:
    """The contacts of these customers, oldest first."""
    found = [
        msgspec.json.decode(kept.body, type=Contact)
        for customer in sorted(set(customers))
        for kept in store.shelf("contact", group=customer)
    ]
    return sorted(found, key=lambda contact: (contact.at, contact.customer))
