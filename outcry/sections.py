"""The sections of ``outcry.toml`` that belong to no other room; `outcry.settings` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec

from listeners.contract import Rate
from listeners.reach import Reach


class Secret(str):
    """A word of the environment that no ``repr`` shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"


class Brand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose complaints these are."""

    name: str = ""
    accounts: tuple[str, ...] = ()
    """The brand's own accounts, as ``source:handle``, or ``*:handle`` for every source."""
    about: tuple[str, ...] = ()
    """Words of what the brand does, to tell it from others of its name."""
    not_about: tuple[str, ...] = ()
    """Words of others who bear the name; see `nlp.brand`."""


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where tickets live."""

    kind: Literal["sqlite", "elasticsearch"] = "sqlite"
    url: str | None = None
    prefix: str = "outcry"
    snapshots: str | None = None
    """Where a snapshot is kept every night: a folder for SQLite, a registered repository."""
    snapshots_kept: Annotated[int, msgspec.Meta(ge=1)] = 7
    """How many of them stay, the newest."""
    ca: str | None = None
    """Path of a certificate authority's file, for https with a private one."""


class LandingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where what was heard lies; without an address, in the home."""

    url: str | None = None
    """A folder, or an object store's address as ``s3://bucket/outcry``."""
    options: dict[str, Any] = {}
    """What the store's client takes, as ``endpoint_url``; never secrets, which it finds itself."""


class ListenSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much one window takes from one target."""

    every_minutes: int = 15
    max_pages: int = 50
    deadline_minutes: int = 10
    allow_networks: tuple[str, ...] = ()
    """Networks that targets may lead to though they are not public, as ``10.0.0.0/8``."""
    rates: dict[str, dict[str, str]] = {}
    """By source: what a credential may use in a time, as ``calls = "450/15m"``."""

    def __post_init__(self) -> None:
        Reach(allow=self.allow_networks)
        for source, given in self.rates.items():
            for what, words in given.items():
                _rate(f"rates.{source}.{what}", what, words)

    def rates_of(self, source: str, otherwise: Sequence[Rate]) -> tuple[Rate, ...]:
        """A source's rates; what the settings name replaces what the source says of itself."""
        given = self.rates.get(source, {})
        own = [_rate(source, what, words) for what, words in given.items()]
        return (*own, *(rate for rate in otherwise if rate.what not in given))


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sender of posts: how its rows are read, as for an import."""

    preset: str | None = None
    fields: dict[str, Any] | None = None
    timezone: str | None = None
    source: str | None = None
    """The network that its mentions are of; the channel's name if not given."""
    max_mb_per_window: float = 64.0
    """Packed megabytes that it may bring in one window; then it is asked to come back."""


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be sent to us."""

    channels: dict[str, Channel] = {}
    max_mb: float = 8.0
    """Megabytes of one request."""


class NlpSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How texts are read."""

    model: str = "baseline-en"
    phone_region: str = "US"
    """ISO 3166 code of the country whose telephone numbers have no country code."""
    cues: str | None = None
    """Path of a file of cues instead of, or added to, ``nlp/cues.toml``, in its format."""
    processes: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Processes that read a large number of texts; 0 is one a core."""


class RetrainingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a challenger of the model is trained."""

    python: str | None = None
    """Interpreter of an environment that has ``outcry-triage[train]``; None trains nothing."""
    minutes: Annotated[float, msgspec.Meta(gt=0)] = 60


class HelpdeskSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The help desk that tickets are pushed to."""

    kind: Literal["zammad", "chatwoot", "zendesk"] | None = None
    url: str = ""
    user: str = ""
    """Zendesk: the e-mail address that the token belongs to."""
    account: str = ""
    """Chatwoot: the number of the account."""
    inbox: str = ""
    """Chatwoot: the number of an API inbox; Zammad: the name of a group."""
    token: str | None = None


_SECONDS = {"s": 1, "m": 60, "h": 3600}


def _rate(name: str, what: str, words: str) -> Rate:
    """The rate that is written ``100/60s``, ``450/15m``, ``10000/day`` or ``50/month``."""
    amount, _, per = words.partition("/")
    try:
        if per in ("day", "month"):
            return Rate(amount=float(amount), per=per, what=what)  # type: ignore[arg-type]
        seconds = float(per[:-1]) * _SECONDS[per[-1:]]
        if seconds > 0 and float(amount) > 0:
            return Rate(amount=float(amount), per=seconds, what=what)
    except (ValueError, KeyError):
        pass
    raise ValueError(f"{name} {words!r} is no rate: write it like 450/15m, 10000/day or 50/month")
