"""Who may sign in: local accounts with argon2, kept in the store like everything else.

A wrong password counts against the account; after `DeskSettings.failures` of them it is locked
for a while. What a stranger is told does not depend on whether the name exists.
"""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from desk.errors import SignInFailed, Unusable
from desk.rights import ROLES, Right, Role, rights_of
from triage.errors import Conflict
from triage.store.base import Store
from triage.store.shelf import Keep, Kept

ATTEMPTS = 5
SHORTEST_PASSWORD = 12
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""OWASP's password storage cheat sheet: 19 MiB, two iterations, one lane."""
_THREADS = ThreadPoolExecutor(2, thread_name_prefix="password")
"""A thread keeps the memory of a hash for the next one: only these hash, so that many who sign in
at once do not take it many times."""
_NOBODY = _HASHER.hash(secrets.token_hex(16))


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has signed in, and what they may do now."""

    name: str
    roles: tuple[Role, ...]
    rights: frozenset[Right]
    way: str = "session"
    """``session``, or ``token NAME``."""

    def may(self, right: Right) -> bool:
        """Whether they have the right."""
        return right in self.rights


class User(msgspec.Struct, frozen=True, kw_only=True):
    """An account."""

    name: str
    roles: tuple[Role, ...]
    password: str = ""
    """Argon2's encoded hash; "" for people who sign in elsewhere."""
    stamp: str
    """Changes when every session of the account is to end."""
    active: bool = True
    failures: int = 0
    locked_until: datetime | None = None
    issuer: str = ""
    """Where they sign in, if not here."""
    subject: str = ""
    """Who they are there; a name may be given to somebody else, this is not."""

    def person(self) -> Person:
        """What the account may do."""
        return Person(name=self.name, roles=self.roles, rights=rights_of(self.roles))


def add_user(
    store: Store, name: str, roles: tuple[Role, ...], password: str, now: datetime
) -> User:
    """Add a local account, or give one that is there new roles and a new password.

    Raises:
        Unusable: if the name or password will not do, or a role is none.
    """
    name = checked_name(name)
    if len(password) < SHORTEST_PASSWORD:
        raise Unusable(f"the password is too short: give {SHORTEST_PASSWORD} characters or more")
    checked_roles(roles)
    user = User(name=name, roles=roles, password=_HASHER.hash(password), stamp=secrets.token_hex(8))
    return _put(store, user, now)


class Claimed(Protocol):
    """Who somebody is, as an identity provider says: see `desk.oidc`."""

    @property
    def name(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def roles(self) -> tuple[Role, ...]: ...


def remember(store: Store, claimed: Claimed, issuer: str, now: datetime) -> User:
    """Keep who has signed in at an identity provider, with the roles that it says.

    Raises:
        SignInFailed: if the name is another's here, or the account was switched off.
    """
    name, subject = claimed.name, claimed.subject
    before = find_user(store, name)
    if before is not None and (before.issuer, before.subject) != (issuer, subject):
        raise SignInFailed(f"{name} is somebody else's account here: ask the operator")
    if before is not None and not before.active:
        raise SignInFailed(f"the account {name} is switched off: ask the operator")
    if before is not None and before.roles == claimed.roles:
        return before
    stamp = secrets.token_hex(8)
    user = User(name=name, roles=claimed.roles, stamp=stamp, issuer=issuer, subject=subject)
    return _put(store, user, now)


def switch_off(store: Store, name: str, now: datetime) -> User:
    """End an account and its sessions; its history stays.

    Raises:
        Unusable: if there is none.
    """
    user = find_user(store, name)
    if user is None:
        raise Unusable(f"there is no account {name!r}: see 'outcry desk users'")
    off = msgspec.structs.replace(user, active=False, stamp=secrets.token_hex(8))
    return _put(store, off, now)


def checked_name(name: str) -> str:
    """The name as it is kept: trimmed, in small letters.

    Raises:
        Unusable: if it is empty, longer than 64 characters or not printable.
    """
    name = name.strip().casefold()
    if not name or len(name) > 64 or not name.isprintable() or " " in name:
        raise Unusable("a name has 1 to 64 printable characters and no blanks: choose another")
    return name


def checked_roles(roles: tuple[str, ...]) -> None:
    """Return if each is a role.

    Raises:
        Unusable: if one is none, or there are none.
    """
    wrong = sorted(set(roles) - set(ROLES))
    if wrong or not roles:
        raise Unusable(f"no role {(wrong or [''])[0]!r}: there are {', '.join(ROLES)}")


def find_user(store: Store, name: str) -> User | None:
    """The account of that name."""
    kept = store.shelved("user", [name]).get(name)
    return _user(kept) if kept is not None else None


def users(store: Store) -> list[User]:
    """Every account, by name."""
    return sorted((_user(kept) for kept in store.shelf("user")), key=lambda one: one.name)


def sign_in(
    store: Store, name: str, password: str, now: datetime, failures: int, locked: timedelta
) -> User:
    """The account, if the password is its.

    Raises:
        SignInFailed: if not, or if the account is locked or switched off.
    """
    name = name.strip().casefold()
    for _ in range(ATTEMPTS):
        kept = store.shelved("user", [name]).get(name) if 0 < len(name) <= 64 else None
        user = _user(kept) if kept is not None else None
        right = _verifies(user, password)
        if user is None or kept is None:
            break
        if user.locked_until is not None and now < user.locked_until:
            minutes = int(locked.total_seconds() // 60) or 1
            raise SignInFailed(f"too many wrong passwords: try again in {minutes} minutes")
        after = _counted(user, right, now, failures, locked)
        if after == user or store.shelve("user", [_keep(after, kept.at, kept.version)]).done:
            if right and user.active:
                return after
            break
    raise SignInFailed("name or password is wrong: try again, or ask the operator")


def _counted(user: User, right: bool, now: datetime, failures: int, locked: timedelta) -> User:
    if right:
        return msgspec.structs.replace(user, failures=0, locked_until=None)
    count = user.failures + 1
    if count < failures:
        return msgspec.structs.replace(user, failures=count)
    return msgspec.structs.replace(user, failures=0, locked_until=now + locked)


def _verifies(user: User | None, password: str) -> bool:
    known = user.password if user and user.password else _NOBODY
    try:
        return _THREADS.submit(_HASHER.verify, known, password).result()
    except VerificationError:
        return False


def _put(store: Store, user: User, now: datetime) -> User:
    for _ in range(ATTEMPTS):
        kept = store.shelved("user", [user.name]).get(user.name)
        version = kept.version if kept is not None else None
        if store.shelve("user", [_keep(user, kept.at if kept else now, version)]).done:
            return user
    raise Conflict(f"the account {user.name} was changed by others: try again")


def _user(kept: Kept) -> User:
    return msgspec.json.decode(kept.body, type=User)


def _keep(user: User, at: datetime, version: str | None) -> Keep:
    return Keep(key=user.name, at=at, group="user", record=user, version=version)
