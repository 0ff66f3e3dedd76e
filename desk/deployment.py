"""What the desk is given by whoever starts it, and the operator's ``[desk]``; imports little."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from triage.policy import ContactPolicy
from triage.rules import Rules
from triage.store.base import Store
from triage.templates import NOTICES

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class OidcSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The operator's ``[desk.oidc]``: signing in at the organisation's own identity provider."""

    issuer: str = ""
    """Address under which ``/.well-known/openid-configuration`` is found; "" for none."""
    client_id: str = ""
    name_claim: str = "email"
    """What a person is called at the desk."""
    role_claim: str = "groups"
    roles: Mapping[str, str] = {}
    """Values of ``role_claim`` to roles of ours; who has none of them is not let in."""


class HookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One receiver of webhooks, ``[desk.hooks.NAME]``."""

    url: str
    events: tuple[str, ...] = ()
    """Kinds of a ticket's events, as ``resolved``; empty for all."""


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The operator's ``[desk]``; its secrets come from the environment."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8321
    url: str = ""
    """How people reach it, as ``https://desk.example.com``; needed behind a proxy."""
    session_hours: Annotated[float, msgspec.Meta(gt=0, le=720)] = 12
    calls_per_minute: Annotated[int, msgspec.Meta(ge=1)] = 600
    """Of one person or token."""
    failures: Annotated[int, msgspec.Meta(ge=1)] = 5
    """Wrong passwords after which an account is locked."""
    locked_minutes: Annotated[float, msgspec.Meta(gt=0)] = 15
    oidc: OidcSettings = OidcSettings()
    hooks: Mapping[str, HookSettings] = {}
    secret: str | None = None
    """Signs cookies; made and kept in the home where none is given."""
    oidc_secret: str | None = None
    hook_secret: str | None = None

    @property
    def locked(self) -> timedelta:
        """How long an account is locked."""
        return timedelta(minutes=self.locked_minutes)

    @property
    def secure(self) -> bool:
        """Whether people reach it by https."""
        return self.url.startswith("https://")


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment as the desk knows it: values, and functions for what lies above the desk."""

    home: Path
    open_store: Callable[[], Store]
    """A store, set up; called until it succeeds, and never again."""
    settings: DeskSettings = DeskSettings()
    rules: Rules = Rules()
    policy: ContactPolicy = ContactPolicy()
    templates: Mapping[str, str] = msgspec.field(default_factory=lambda: dict(NOTICES))
    brand: str = ""
    region: str = "US"
    coverage: Callable[[Literal["day", "month"], str, datetime], Mapping[str, Sequence[Any]]] = (
        lambda unit, period, now: {"lines": (), "alerts": ()}
    )
    """The ledger of a day (``2026-11-20``) or month: ``lines`` and ``alerts``."""
    forget: Callable[[Store, str, str, str, datetime], Any] | None = None
    """Erase (account or ticket, by, reason, now) everywhere; None where there is no way to."""
    shown: Mapping[str, Any] = {}
    """Sections of the settings that people may see, as plain values."""
