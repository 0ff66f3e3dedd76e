"""One person's accounts across networks: links with their evidence, and a way to undo each.

A link joins two accounts (by pseudonym) and says why. Links that are certain join by themselves,
the others wait for an agent. The accounts that joined links connect are one *person*, named by
the smallest pseudonym; casework takes them for one customer. What an agent has decided about a
link stands: the same evidence never joins again what was undone, nor proposes what was refused.

Everything is kept on the store's shelf: ``link`` records by the pair, ``account`` records for who
belongs to which person, and for the digests of marks (see `triage.evidence`) who has them.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from triage.errors import Conflict, IllegalMove, NoSuchTicket
from triage.evidence import CERTAIN, CONFIDENCE, Kind, Mark
from triage.rules import Rules
from triage.store.base import Identity, Store
from triage.store.shelf import Keep, Kept
from triage.store.shelf import Kind as ShelfKind

State = Literal["proposed", "joined", "refused", "undone"]
ATTEMPTS = 5
FRESH = "fresh"
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
MOST_OF_MARK = 20
"""A mark that more accounts share (a call centre's number) is no evidence any more."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One reason to take two accounts for one person."""

    kind: Kind
    confidence: float
    words: str


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """Two accounts and what is thought of them; ``one`` before ``other``."""

    one: str
    other: str
    state: State
    evidence: tuple[Evidence, ...]
    at: datetime
    by: str
    merged: tuple[str, ...] = ()
    """Tickets that were merged because of it, to be given back by an undo."""
    settled: bool = False
    """The tickets have been looked at since it was joined or undone."""

    @property
    def key(self) -> str:
        return f"{self.one}~{self.other}"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """An account's person; ``marked`` instead for the record of a mark."""

    person: str = ""
    joined: tuple[str, ...] = ()
    """The accounts that links join it with directly."""
    marked: tuple[tuple[str, bool], ...] = ()
    """Pseudonyms that have the mark, and whether it is their own."""


def note(store: Store, seen: Iterable[tuple[str, Sequence[Mark], datetime]], rules: Rules) -> None:
    """Remember the marks of these accounts, and link those that share one.

    ``seen`` are (pseudonym, marks, time). Idempotent.
    """
    by_mark: dict[str, tuple[Mark, dict[str, tuple[bool, datetime]]]] = {}
    for customer, found, at in seen:
        for mark in found:
            holders = by_mark.setdefault(_digest(mark, rules), (mark, {}))[1]
            own = holders[customer][0] if customer in holders else False
            holders[customer] = (own or mark.own, at)
    known = store.shelved("account", sorted(by_mark)) if by_mark else {}
    keeps = []
    pairs: dict[tuple[str, str], list[tuple[Evidence, datetime]]] = {}
    for key, (mark, fresh) in sorted(by_mark.items()):
        before = dict(_member(known[key]).marked) if key in known else {}
        after = dict(before)
        for customer, (own, _) in sorted(fresh.items()):
            after[customer] = after.get(customer, False) or own
        if after != before:
            at = min(at for _, at in fresh.values())
            record = Member(marked=tuple(sorted(after.items())))
            version = known[key].version if key in known else None
            keeps.append(Keep(key=key, at=at, record=record, version=version))
        if len(after) <= MOST_OF_MARK:
            for customer, (_, at) in fresh.items():
                _pair(pairs, customer, after, mark, at)
    _shelve(store, "account", keeps)
    _link(store, pairs)


def join(store: Store, one: str, other: str, agent: str, now: datetime) -> Link:
    """An agent says that two accounts are one person."""
    given = Evidence(kind="agent", confidence=CONFIDENCE["agent"], words=f"{agent} says so")
    return _decide(store, one, other, "joined", agent, now, given)


def refuse(store: Store, one: str, other: str, agent: str, now: datetime) -> Link:
    """An agent says that two accounts are not one person; undoes a link that has joined them."""
    link = link_of(store, one, other)
    state: State = "undone" if link is not None and link.state == "joined" else "refused"
    return _decide(store, one, other, state, agent, now, None)


def link_of(store: Store, one: str, other: str) -> Link | None:
    """What is known of two accounts."""
    key = "~".join(sorted((one, other)))
    kept = store.shelved("link", [key]).get(key)
    return _read(kept) if kept is not None else None


def links(store: Store, state: State | None = None) -> list[Link]:
    """Every link by time; of one state."""
    # Links that were joined or undone may be kept as `FRESH`; the others by their state.
    group = state if state in ("proposed", "refused") else None
    every = map(_read, store.shelf("link", group))
    return [link for link in every if state in (None, link.state)]


def links_of(store: Store, names: Sequence[str]) -> list[Link]:
    """The links that any of these accounts is in, by time: decided ones, then proposed ones."""
    wanted = set(names)
    return [link for link in links(store) if wanted & {link.one, link.other}]


def unsettled(store: Store) -> list[Link]:
    """Links that were joined or undone, and whose tickets have not been looked at since."""
    return [_read(kept) for kept in store.shelf("link", FRESH)]


def settled(store: Store, link: Link, merged: Sequence[str]) -> None:
    """The tickets of a link have been looked at."""
    kept = store.shelved("link", [link.key])[link.key]
    done = msgspec.structs.replace(_read(kept), merged=tuple(merged), settled=True)
    _put(store, done, kept)


def persons(store: Store, customers: Iterable[str]) -> dict[str, str]:
    """The person of each of these accounts that is one of several."""
    wanted = sorted(set(customers))
    found = store.shelved("account", [_account(name) for name in wanted]) if wanted else {}
    return {
        name: _member(found[_account(name)]).person
        for name in wanted
        if _account(name) in found and _member(found[_account(name)]).person
    }


def accounts(store: Store, person: str) -> list[str]:
    """All accounts of a person, or of the person that an account belongs to; sorted."""
    name = persons(store, [person]).get(person, person)
    members = [kept.key.removeprefix("a/") for kept in store.shelf("account", name)]
    return sorted({name, *members})


def identities(store: Store, customer: str) -> list[Identity]:
    """Who they are on every network that is known, by source."""
    found = store.identities(accounts(store, customer)).values()
    return sorted(found, key=lambda one: (one.source, one.instance, one.handle or ""))


def forget(store: Store, gone: Iterable[str]) -> None:
    """Take these accounts out of every link and mark; who is left keeps theirs. Idempotent."""
    names = set(gone)
    kept = [one for one in store.shelf("link") if names & set(one.key.split("~"))]
    pairs = [one.key.split("~") for one in kept]
    if pairs:
        _settle(store, [(one, other, False) for one, other in pairs])
    for known in list(store.shelf("account")):
        member = _member(known)
        marked = tuple(entry for entry in member.marked if entry[0] not in names)
        if known.key.removeprefix("a/") in names or (member.marked and not marked):
            store.unshelve("account", [known.key])
        elif marked != member.marked:
            record = msgspec.structs.replace(member, marked=marked)
            keep = Keep(key=known.key, at=known.at, record=record, version=known.version)
            _shelve(store, "account", [keep])
    # Last: by the links a run that was killed finds the others again.
    store.unshelve("link", [one.key for one in kept])


def _pair(
    pairs: dict[tuple[str, str], list[tuple[Evidence, datetime]]],
    customer: str,
    holders: dict[str, bool],
    mark: Mark,
    at: datetime,
) -> None:
    """Evidence between one account and the others that share the mark.

    A mark that somebody only names counts if the other has it itself.
    """
    words = {
        "address": "wrote from the same verified address",
        "given": "gave an address that the other is verified by",
        "statement": "says which other account is theirs",
        "name": "has the same handle on another network",
    }
    for other, own in holders.items():
        both, none = own and holders[customer], not (own or holders[customer])
        if other == customer or none or (both and mark.kind == "statement"):
            continue
        kind: Kind = "given" if mark.kind == "address" and not both else mark.kind
        evidence = Evidence(kind=kind, confidence=CONFIDENCE[kind], words=words[kind])
        one, two = sorted((customer, other))
        pairs.setdefault((one, two), []).append((evidence, at))


def _link(store: Store, pairs: dict[tuple[str, str], list[tuple[Evidence, datetime]]]) -> None:
    keys = {f"{one}~{other}": (one, other) for one, other in pairs}
    known = store.shelved("link", sorted(keys)) if keys else {}
    keeps, joined = [], []
    for key, (one, other) in sorted(keys.items()):
        before = _read(known[key]) if key in known else None
        found = {e.kind: e for e in (before.evidence if before else ())}
        found |= {e.kind: e for e, _ in pairs[one, other]}
        evidence = tuple(found[kind] for kind in sorted(found))
        state: State = before.state if before else "proposed"
        if state == "proposed" and any(e.confidence >= CERTAIN for e in evidence):
            state = "joined"
        at = before.at if before else min(at for _, at in pairs[one, other])
        by = before.by if before else "triage"
        link = Link(one=one, other=other, state=state, evidence=evidence, at=at, by=by)
        if before is not None:
            link = msgspec.structs.replace(
                link, merged=before.merged, settled=before.settled and before.state == state
            )
        if link.state == "joined":
            joined.append(link)
        if link != before:
            keeps.append(_keep(link, known.get(key)))
    _shelve(store, "link", keeps)
    if joined:
        _settle(store, [(link.one, link.other, True) for link in joined])


def _decide(
    store: Store,
    one: str,
    other: str,
    state: State,
    agent: str,
    now: datetime,
    given: Evidence | None,
) -> Link:
    if one == other:
        raise IllegalMove("an account cannot be linked to itself: name two")
    missing = {one, other} - store.identities([one, other]).keys()
    if missing:
        raise NoSuchTicket(f"no account is known as {min(missing)}: see the customer's accounts")
    one, other = sorted((one, other))
    for _ in range(ATTEMPTS):
        kept = store.shelved("link", [f"{one}~{other}"]).get(f"{one}~{other}")
        before = _read(kept) if kept is not None else None
        evidence = before.evidence if before else ()
        if given is not None:
            evidence = (*(e for e in evidence if e.kind != given.kind), given)
        link = Link(
            one=one,
            other=other,
            state=state,
            evidence=evidence,
            at=now,
            by=agent,
            merged=before.merged if before else (),
        )
        if store.shelve("link", [_keep(link, kept)]).done:
            _settle(store, [(one, other, state == "joined")])
            return link
    raise Conflict(f"the link was changed by others {ATTEMPTS} times: try again")


def _settle(store: Store, changes: Iterable[tuple[str, str, bool]]) -> None:
    """Connect or part these accounts, and write whose person everybody around them now is."""
    changes = list(changes)
    kept = _around(store, {name for one, other, _ in changes for name in (one, other)})
    joined = {name: set(_member(one).joined) if one else set() for name, one in kept.items()}
    for one, other, together in changes:
        for name, partner in ((one, other), (other, one)):
            (joined[name].add if together else joined[name].discard)(partner)
    groups = components((name, other) for name, others in joined.items() for other in others)
    keeps, gone = [], []
    for name, known in sorted(kept.items()):
        group = groups.get(name, {name})
        member = Member(person=min(group), joined=tuple(sorted(joined[name])))
        if len(group) == 1:
            gone += [_account(name)] if known is not None else []
        elif known is None or _member(known) != member:
            version = known.version if known is not None else None
            keeps.append(
                Keep(
                    key=_account(name),
                    group=member.person,
                    at=_EPOCH,
                    record=member,
                    version=version,
                )
            )
    _shelve(store, "account", keeps)
    if gone:
        store.unshelve("account", gone)


def _around(store: Store, names: set[str]) -> dict[str, Kept | None]:
    """What is kept of these accounts and of everybody connected with them."""
    kept: dict[str, Kept | None] = {}
    while fresh := sorted(names - kept.keys()):
        found = store.shelved("account", [_account(name) for name in fresh])
        kept |= {name: found.get(_account(name)) for name in fresh}
        names = names | {other for one in found.values() for other in _member(one).joined}
    return kept


def components(edges: Iterable[tuple[str, str]]) -> dict[str, set[str]]:
    """Everybody who is connected with each name."""
    groups: dict[str, set[str]] = {}
    for one, other in edges:
        group = groups.get(one, {one}) | groups.get(other, {other})
        groups |= dict.fromkeys(group, group)
    return groups


def _keep(link: Link, kept: Kept | None) -> Keep:
    fresh = link.state in ("joined", "undone") and not link.settled
    return Keep(
        key=link.key,
        group=FRESH if fresh else link.state,
        at=link.at,
        record=link,
        version=kept.version if kept is not None else None,
    )


def _shelve(store: Store, kind: ShelfKind, keeps: Sequence[Keep]) -> None:
    if keeps and store.shelve(kind, keeps).conflicts:
        raise Conflict(f"{kind}s were changed by another process: run it again")


def _put(store: Store, link: Link, kept: Kept) -> None:
    if not store.shelve("link", [_keep(link, kept)]).done:
        raise Conflict("links were changed by another process: run it again")


def _account(customer: str) -> str:
    return f"a/{customer}"


def _digest(mark: Mark, rules: Rules) -> str:
    """Marks are personal data: only a keyed digest of each is kept."""
    # An address that is given in public is looked for among the verified ones.
    kind = "address" if mark.kind == "given" else mark.kind
    words = f"{kind}\x1f{mark.value}".encode()
    key = (rules.pseudonym_key or "").encode()
    return "m/" + hmac.digest(key, words, "sha256").hex()[:32]


def _member(kept: Kept) -> Member:
    return msgspec.json.decode(kept.body, type=Member)


def _read(kept: Kept) -> Link:
    return msgspec.json.decode(kept.body, type=Link)
