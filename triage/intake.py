"""The first half of triage: what was heard and read becomes rows in the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from listeners.mention import Deletion, Mention, make_uid
from nlp.assessment import Assessment
from triage import customers
from triage.erasure import Tombstones
from triage.evidence import marks
from triage.families import settle_families
from triage.private import references_of, without_references
from triage.rows import OWNER_REPLY, RowMaker, own_words
from triage.rules import Rules
from triage.store.base import Account, Identity, Refusal, Store
from triage.threads import settle
from triage.vault import keep_references

Pair = tuple[Mention | Deletion, Assessment | None]


class StoreReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `store_records` did."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    """Mentions that became tombstones by this call."""
    uids: tuple[str, ...] = ()
    """What `triage.casework.fold_cases` has to look at, sorted: everything that was named."""
    refused: tuple[Refusal, ...] = ()
    forgotten: frozenset[str] = frozenset()
    """Uids of mentions by people who were forgotten: nothing of them is stored."""


def store_records(store: Store, pairs: Sequence[Pair], rules: Rules) -> StoreReport:
    """Store a chunk of records (a thousand or so) and settle their threads.

    Idempotent, and killed at any moment it is made good by running it again. Of several states
    of one item the one collected last wins, within the chunk and in the store; deletions come
    after all mentions. Texts are masked and authors replaced by pseudonyms before anything is
    written; a mention without an assessment cannot be masked and is refused.

    Raises:
        StoreError: if the store does not answer.
    """
    maker = RowMaker(rules)
    heard: dict[str, tuple[Mention, Assessment]] = {}
    gone: set[str] = set()
    refused: list[Refusal] = []
    for record, assessment in pairs:
        if isinstance(record, Deletion):
            gone |= {record.uid, _reply_uid(record)}
        elif assessment is None or assessment.uid != record.uid:
            refused.append(Refusal(id=record.uid, reason="not assessed: score it first"))
        else:
            before = heard.get(record.uid)
            if before is None or before[0].collected_at <= record.collected_at:
                heard[record.uid] = (record, assessment)
    said = [(mention, maker.customer(mention)) for mention, _ in heard.values()]
    forgotten = Tombstones(rules).forgotten(store, said)
    heard = {uid: pair for uid, pair in heard.items() if uid not in forgotten}
    _save_identities(store, maker, [mention for mention, _ in heard.values()])
    made = [(mention, read, maker.rows(mention, read)) for mention, read in heard.values()]
    keep_references(store, references_of((m, read, rows[0]) for m, read, rows in made))
    rows = [without_references(row) for _, _, some in made for row in some]
    words = {mention.uid: own_words(mention) for mention, _ in heard.values()}
    rows = settle_families(store, rows, words, rules)
    _note_marks(store, maker, [mention for mention, _ in heard.values()], rules)
    saved = store.save_mentions(rows)
    deletions = {record.uid for record, _ in pairs if isinstance(record, Deletion)}
    replies = store.mentions(sorted(gone - deletions)) if gone else {}
    tombstones = store.delete_mentions(sorted(deletions | replies.keys())) if deletions else ()
    uids = sorted({row.uid for row in rows} | deletions | replies.keys())
    settle(store, uids)
    return StoreReport(
        new=len(saved.new),
        changed=len(saved.changed),
        unchanged=len(saved.unchanged),
        deleted=len(tombstones),
        uids=tuple(uids),
        refused=(*refused, *saved.refused),
        forgotten=forgotten,
    )


def _reply_uid(record: Deletion) -> str:
    return make_uid(record.source, record.instance, record.native_id + OWNER_REPLY)


def _save_identities(store: Store, maker: RowMaker, mentions: Iterable[Mention]) -> None:
    """One entry a customer, with each of their accounts as last seen."""
    fresh: dict[str, dict[Place, Account]] = {}
    for mention in sorted(mentions, key=lambda mention: mention.collected_at):
        identity = maker.identity(mention)
        if identity is not None:
            account = _account(identity)
            fresh.setdefault(identity.customer, {})[_place(account)] = account
    known = store.identities(sorted(fresh)) if fresh else {}
    changed = []
    for customer, accounts in sorted(fresh.items()):
        before = known.get(customer)
        found = {_place(one): one for one in _accounts(before)} | accounts
        identity = _identity(customer, [found[place] for place in sorted(found)])
        if identity != before:
            changed.append(identity)
    if changed:
        store.save_identities(changed)


Place = tuple[str, str, str]


def _place(account: Account) -> Place:
    return account.source, account.instance, account.native_id or account.handle or ""


def _accounts(identity: Identity | None) -> Sequence[Account]:
    if identity is None:
        return ()
    return identity.accounts or (_account(identity),)


def _account(identity: Identity) -> Account:
    fields = {name: getattr(identity, name) for name in Account.__struct_fields__}
    return Account(**fields)


def _identity(customer: str, accounts: Sequence[Account]) -> Identity:
    first = msgspec.structs.asdict(accounts[0])
    several = tuple(accounts) if len(accounts) > 1 else ()
    return Identity(customer=customer, accounts=several, **first)


def _note_marks(store: Store, maker: RowMaker, mentions: Iterable[Mention], rules: Rules) -> None:
    seen = []
    for mention in mentions:
        if maker.identity(mention) is not None and (found := marks(mention, rules)):
            seen.append((maker.customer(mention) or "", found, mention.created_at))
    customers.note(store, seen, rules)
