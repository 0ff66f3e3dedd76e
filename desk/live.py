"""One running desk: its deployment, its store once it answers, its secrets, who it knows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from desk.accounts import User, find_user
from desk.deployment import Deployment
from desk.errors import Unusable
from desk.limits import Limits
from desk.oidc import Provider, check_settings
from desk.sessions import Sessions, desk_secret
from triage.store.base import Store

REMEMBERED = timedelta(seconds=10)
"""So long an account is believed to be as it was read."""

SHARED = timedelta(seconds=10)
T = TypeVar("T")
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class Desk:
    """What all requests share. Safe to use from several threads."""

    def __init__(self, deployment: Deployment, clock: Clock = utc_now) -> None:
        settings = deployment.settings
        self.deployment = deployment
        self.clock = clock
        secret = desk_secret(deployment.home, settings.secret)
        self.sessions = Sessions(secret, settings.session_hours, secure=settings.secure)
        self.limits = Limits(settings.calls_per_minute)
        self.secret = secret
        check_settings(settings)
        if settings.hooks and not settings.hook_secret:
            raise Unusable("webhooks are signed: set OUTCRY_DESK_HOOK_SECRET to a long random text")
        self.provider = Provider(settings) if settings.oidc.issuer else None
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._making = threading.Lock()
        self._shared: dict[str, tuple[Any, datetime]] = {}
        self._users: dict[str, tuple[User | None, datetime]] = {}

    @property
    def store(self) -> Store:
        """The deployment's store.

        Raises:
            StoreError: if it cannot be used; the next call tries again.
        """
        if self._store is None:
            with self._lock:
                if self._store is None:
                    self._store = self.deployment.open_store()
        return self._store

    def user(self, name: str, now: datetime) -> User | None:
        """The account of that name as it was at most `REMEMBERED` ago."""
        known = self._users.get(name)
        if known is not None and timedelta(0) <= now - known[1] < REMEMBERED:
            return known[0]
        found = find_user(self.store, name)
        if len(self._users) > 10_000:
            self._users.clear()
        self._users[name] = (found, now)
        return found

    def forget_user(self, name: str) -> None:
        """Read the account anew when it is next asked for."""
        self._users.pop(name, None)

    def shared(self, name: str, now: datetime, make: Callable[[], T]) -> T:
        """What ``make`` makes, at most `SHARED` old: dear, and the same for everybody."""
        with self._making:
            found = self._shared.get(name)
            if found is None or not timedelta(0) <= now - found[1] < SHARED:
                found = (make(), now)
                self._shared[name] = found
            value: T = found[0]
            return value

    def close(self) -> None:
        """Let go of the store."""
        if self._store is not None:
            self._store.close()
