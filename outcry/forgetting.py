"""Forgets one person everywhere, and proves it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from listeners.erase import erase
from listeners.landing import RAW, Landing
from listeners.mention import Author, Deletion, Mention, Record, make_uid
from outcry.exits import InputError
from outcry.proof import Place, proof
from outcry.settings import Settings
from triage.casework import fold_cases
from triage.contacts import never_again
from triage.customers import accounts
from triage.customers import forget as forget_accounts
from triage.erasure import GONE, Erasure, Needles, Tombstones
from triage.likeness import sketch
from triage.publishing import teams_of
from triage.rows import RowMaker, own_words
from triage.store.base import Identity, Store, StoredMention, Write
from triage.store.records import EPOCH, batches
from triage.store.shelf import Keep, Kind
from triage.ticket import Event, Ticket
from triage.turns import Turn
from triage.vault import Read

BATCH = 500
BY_CUSTOMER: tuple[Kind, ...] = ("contact", "optout", "label", "reference")


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What forgetting somebody did, and the proof that nothing is left."""

    accounts: int
    mentions: int
    tickets: int
    files: int
    places: tuple[Place, ...]

    @property
    def found(self) -> int:
        return sum(place.found for place in self.places)


class _Person:
    """Who is to be forgotten, as the landing zone and the store know them."""

    def __init__(self, settings: Settings, account: str) -> None:
        self.maker = RowMaker(settings.rules)
        self.needles = Needles()
        self.customers: set[str] = set()
        self.named: set[str] = set()
        """Of these, the account that was given."""
        self.uids: set[str] = set()
        self.tombstones: set[str] = set()
        self.families: set[str] = set()
        """Of words that they used, now or before an edit."""
        place, _, handle = account.partition(":")
        self.source, _, self.instance = place.strip().casefold().partition("@")
        self.handle = handle.strip().casefold().removeprefix("@")
        if not self.source or not self.handle:
            raise InputError(f"{account!r} is no account: write source:handle, or a ticket's id")

    def is_named_by(self, mention: Mention) -> bool:
        """Whether the account that was given wrote this."""
        if mention.source.casefold() != self.source:
            return False
        if self.instance and mention.instance.casefold() != self.instance:
            return False
        names = (mention.author.handle, mention.author.id)
        return self.handle in {(name or "").casefold().removeprefix("@") for name in names}

    def is_in_the_vault_as(self, who: Identity) -> bool:
        """Whether an entry of the vault has the account that was given."""
        return any(self.is_named_by(stub) for stub in _posts_by(who))

    def take_up(self, mention: Mention, tombstones: Tombstones) -> None:
        """Learn from one of their posts how else they would be found."""
        self.uids |= {mention.uid, make_uid(mention.source, mention.instance, mention.native_id)}
        self.needles.add_author(mention)
        self.needles.add_text(mention.text)
        self.take_up_words(own_words(mention))
        self.tombstones.update(tombstones.keys(mention, self.maker.customer(mention)))

    def take_up_words(self, words: str) -> None:
        """Learn by which family of copies their words would be known."""
        made = sketch(words)
        if made is not None:
            self.families.add(made.fingerprint)

    def is_theirs(self, record: Record) -> bool:
        """Whether a record of the landing zone has to go: their posts, and reposts of them."""
        if isinstance(record, Deletion):
            return record.uid in self.uids
        if record.uid in self.uids or self.maker.customer(record) in self.customers:
            return True
        if record.repost_of is None:
            return False
        return make_uid(record.source, record.instance, record.repost_of) in self.uids


def forget(
    settings: Settings, store: Store, account: str, *, by: str, reason: str, now: datetime
) -> Forgotten:
    """Erase one person from the landing zone and the store, and search for what is left.

    ``account`` is ``source:handle`` or a ticket's id. Killed anywhere, the same call again goes
    on; the tombstone is written first, so that no run in between brings anything back.

    Raises:
        InputError: if nobody of that name is known.
        Busy: if a target is being collected, or analysts' rows are written; run it again later.
    """
    person = _recognised(settings, store, account)
    record = Erasure(at=now.isoformat(), by=by, reason=reason)
    store.shelve("erasure", [Keep(key=key, at=now, record=record) for key in person.tombstones])
    done = erase(settings.landing, person.is_theirs, person.needles.clean)
    tickets = _forget_in_store(settings, store, person, now)
    with Turn(store, "publish"):
        store.publish(teams_of(settings.rules))
    store.scrub()
    return Forgotten(
        accounts=len(person.customers),
        mentions=len(person.uids),
        tickets=tickets,
        files=done.files,
        places=tuple(proof(settings, store, person.needles)),
    )


def _recognised(settings: Settings, store: Store, account: str) -> _Person:
    """The person with all their accounts, posts and names."""
    account = _account_of(store, account)
    person = _Person(settings, account)
    person.needles.add_handle(person.handle)
    tombstones = Tombstones(settings.rules)
    for mention in _mentions(settings.landing):
        if person.is_named_by(mention) and (customer := person.maker.customer(mention)):
            person.customers.add(customer)
    vault = [who for who in _vault(store) if person.is_in_the_vault_as(who)]
    person.customers |= {who.customer for who in vault}
    person.named = set(person.customers)
    person.customers |= {one for name in person.named for one in accounts(store, name)}
    if not person.customers:
        raise InputError(
            f"nobody is known as {account}: see 'outcry show TICKET' for how the source writes it"
        )
    for mention in _mentions(settings.landing):
        if person.maker.customer(mention) in person.customers:
            person.take_up(mention, tombstones)
    for who in store.identities(sorted(person.customers)).values():
        for stub in _posts_by(who):
            person.needles.add_author(stub)
            person.tombstones.update(tombstones.keys(stub, who.customer))
    for customer in person.customers:
        person.needles.add_pseudonym(customer)
    for row in store.posts_of_customers(sorted(person.customers), limit=1_000_000):
        person.uids.add(row.uid)
        person.needles.add_text(row.text)
        person.families.add(row.fingerprint)
    _leave_shared_families(store, person)
    return person


def _leave_shared_families(store: Store, person: _Person) -> None:
    """Words that others use, too, are not theirs alone: they keep their family."""
    person.families.discard("")
    shared = {
        row.fingerprint
        for row in store.copies(sorted(person.families))
        if row.uid not in person.uids and not row.deleted
    }
    person.families -= shared
    for family in person.families:
        person.needles.add_pseudonym(family)


def _vault(store: Store) -> Iterator[Identity]:
    """Every entry of the vault; forgetting is the only one who reads them all."""
    for place, _, body in store.every_document():
        if place.endswith("identities"):
            values = msgspec.json.decode(body[body.find(b"{") :])
            values.pop("@timestamp", None)
            yield msgspec.convert(values, Identity)


def _posts_by(who: Identity) -> Iterator[Mention]:
    """An empty post of each of their accounts, for what is asked of posts."""
    for one in who.accounts or (who,):
        yield Mention(
            source=one.source,
            instance=one.instance,
            native_id="-",
            text="",
            created_at=EPOCH,
            collected_at=EPOCH,
            listener="-",
            author=Author(id=one.native_id, handle=one.handle, name=one.name, url=one.url),
        )


def _account_of(store: Store, given: str) -> str:
    """The account that a ticket's id stands for; anything else is one already."""
    if ":" in given:
        return given
    from triage.outreach import find

    customer = find(store, given).ticket.customer
    who = store.identities([customer]).get(customer) if customer else None
    name = who and (who.handle or who.native_id)
    if who is None or not name:
        raise InputError(f"nobody knows who wrote {given}: there is nothing to forget but the case")
    return f"{who.source}{'@' + who.instance if who.instance else ''}:{name}"


def _mentions(landing: Landing) -> Iterator[Mention]:
    for part in landing.parts(RAW):
        for record in landing.records(part):
            if isinstance(record, Mention):
                yield record


def _forget_in_store(settings: Settings, store: Store, person: _Person, now: datetime) -> int:
    customers = sorted(person.customers)
    own = store.tickets_of_customers(customers)
    near = store.tickets_of_threads(
        sorted({row.thread for row in store.mentions(sorted(person.uids)).values()})
    )
    tickets = sorted({one.ticket.ticket for one in own})
    others = sorted({one.ticket.ticket for one in near} - set(tickets))
    neighbours = {fold.uid for one in [*own, *near] for fold in one.ticket.mentions}
    for kind in BY_CUSTOMER:
        for customer in customers:
            store.unshelve(kind, [kept.key for kept in store.shelf(kind, group=customer)])
    never_again(store, person.customers, now)
    store.drop_families(sorted(person.families))
    _unshelve_where(store, "notice", "customer", customers)
    _unshelve_where(store, "delivery", "about", tickets)
    # Answers that the desk keeps for a day may hold words of a case.
    store.unshelve("request", [kept.key for kept in store.shelf("request")])
    _rewrite_reads(store, set(customers))
    store.erase(sorted(person.uids), tickets, [])
    left = sorted((neighbours - person.uids) | _cleaned_rows(store, person.needles))
    for some in batches(left, BATCH):
        fold_cases(store, some, settings.rules, now)
    _rewrite_tickets(store, others, person.needles)
    # By the account that was named a run that was killed finds the others again: it goes last.
    store.erase([], [], sorted(person.customers - person.named))
    forget_accounts(store, person.customers)
    store.erase([], [], sorted(person.named))
    return len(tickets)


def _unshelve_where(store: Store, kind: Kind, field: str, values: Sequence[str]) -> None:
    wanted = set(values)
    gone = [
        kept.key
        for kept in store.shelf(kind)
        if msgspec.json.decode(kept.body).get(field) in wanted
    ]
    store.unshelve(kind, gone)


def _rewrite_reads(store: Store, customers: set[str]) -> None:
    """The vault's log stays; who was read of goes."""
    for kept in list(store.shelf("read")):
        read = msgspec.json.decode(kept.body, type=Read)
        if customers & set(read.customers):
            names = tuple(GONE if one in customers else one for one in read.customers)
            read = msgspec.structs.replace(read, customers=names)
            store.shelve(
                "read",
                [
                    Keep(
                        key=kept.key,
                        at=kept.at,
                        group=kept.group,
                        record=read,
                        version=kept.version,
                    )
                ],
            )


def _cleaned_rows(store: Store, needles: Needles) -> set[str]:
    """Take the person out of what others wrote; the uids of what changed."""
    changed: set[str] = set()
    rows: list[StoredMention] = []
    for place, _, body in store.every_document():
        if "mentions" in place and needles.found_in(body):
            row = _row_of(body)
            if row is not None and not row.deleted:
                clean = needles.clean(msgspec.json.encode(row))
                rows.append(msgspec.json.decode(clean, type=StoredMention))
    for some in batches(rows, BATCH):
        changed |= set(store.save_mentions(some).changed)
    return changed


def _row_of(body: bytes) -> StoredMention | None:
    """A mention out of a document of any store: SQLite shows its columns first."""
    start = body.find(b"{")
    try:
        return msgspec.json.decode(body[start:], type=StoredMention)
    except msgspec.MsgspecError:
        return None


def _rewrite_tickets(store: Store, tickets: Sequence[str], needles: Needles) -> None:
    """Take the person out of what agents wrote about other people's tickets."""
    for entry in store.tickets(tickets).values():
        ticket, events = entry.ticket, store.events(entry.ticket.ticket)
        body = msgspec.json.encode((ticket, events))
        clean = needles.clean(body)
        if clean is body:
            continue
        wanted, history = msgspec.json.decode(clean, type=tuple[Ticket, list[Event]])
        # History is append-only: the ticket goes, and comes back with a clean one.
        store.erase([], [ticket.ticket], [])
        store.write_tickets([Write(ticket=wanted, version=None, events=tuple(history))])
