"""API tokens: made once, shown once, kept as a digest; each with the rights that it was given.

A token is its owner's: it can never do what the owner cannot, and ends with the account.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from desk.accounts import Person, find_user
from desk.errors import NotThere, Unusable
from desk.live import Desk
from desk.rights import ALL, Right
from triage.store.base import Store
from triage.store.shelf import Keep, Kept

PREFIX = "oct_"
LONGEST_DAYS = 366


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it is kept: never the token itself."""

    id: str
    """The beginning of the digest: what it is called."""
    name: str
    """What its owner calls it."""
    owner: str
    scopes: tuple[Right, ...]
    made_at: datetime
    until: datetime


def make_token(
    store: Store, owner: str, name: str, scopes: Sequence[str], now: datetime, days: float = 90
) -> tuple[Token, str]:
    """A new token, and the words to send; they are not kept and cannot be shown again.

    Raises:
        Unusable: if there is no such account, a scope is none, or the time is too long.
    """
    user = find_user(store, owner)
    if user is None or not user.active:
        raise Unusable(f"there is no account {owner!r}: add it first")
    wrong = sorted(set(scopes) - set(ALL))
    if wrong or not scopes:
        raise Unusable(f"no scope {(wrong or [''])[0]!r}: there are {', '.join(ALL)}")
    beyond = sorted(set(scopes) - user.person().rights)
    if beyond:
        raise Unusable(f"{owner} may not {beyond[0]}: choose other scopes")
    if not 0 < days <= LONGEST_DAYS:
        raise Unusable(f"a token lasts up to {LONGEST_DAYS} days: choose fewer than {days:g}")
    words = PREFIX + secrets.token_urlsafe(32)
    key = _digest(words)
    token = Token(
        id=key[:12],
        name=name.strip()[:64] or "token",
        owner=user.name,
        scopes=tuple(scope for scope in ALL if scope in scopes),
        made_at=now,
        until=now + timedelta(days=days),
    )
    store.shelve("token", [Keep(key=key, at=now, group=user.name, record=token)])
    return token, words


def tokens_of(store: Store, owner: str) -> list[Token]:
    """The tokens of an account, oldest first."""
    return [_token(kept) for kept in store.shelf("token", group=owner)]


def end_token(store: Store, owner: str, name: str) -> None:
    """Take a token of this owner away.

    Raises:
        NotThere: if they have none of that id.
    """
    found = [kept.key for kept in store.shelf("token", group=owner) if _token(kept).id == name]
    if not found:
        raise NotThere(f"there is no token {name!r} of yours: see the list")
    store.unshelve("token", found)


def bearer_of(header: str) -> str | None:
    """The token of an ``Authorization`` header; None for anything else."""
    scheme, _, words = header.partition(" ")
    words = words.strip()
    return words if scheme.casefold() == "bearer" and words.startswith(PREFIX) else None


def person_of_token(desk: Desk, words: str, now: datetime) -> Person | None:
    """Who a token stands for now; None if it is unknown, has run out, or its owner has gone."""
    kept = desk.store.shelved("token", [_digest(words)]).get(_digest(words))
    if kept is None:
        return None
    token = _token(kept)
    user = desk.user(token.owner, now)
    if now >= token.until or user is None or not user.active:
        return None
    rights = user.person().rights & frozenset(token.scopes)
    return Person(name=user.name, roles=user.roles, rights=rights, way=f"token {token.id}")


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()


def _token(kept: Kept) -> Token:
    return msgspec.json.decode(kept.body, type=Token)
