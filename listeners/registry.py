"""Which listeners there are. A new one is a module in `listeners.sources` and a line here.

What must be known of a source before its client is imported stands here; the rest is in
its traits.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

import msgspec

from listeners.contract import Listener
from listeners.errors import BadTarget, Unsupported


class Source(msgspec.Struct, frozen=True):
    """Where a source's listener is, and what it needs."""

    module: str
    """Below `listeners.sources`."""
    cls: str
    extra: str | None = None
    """Brings its client, as in ``outcry-triage[mastodon]``; None for the base install."""
    secrets: Mapping[str, str] = {}
    """Environment variable by the target's parameter that it fills."""
    open: bool = True
    """Works without its secrets too."""
    family: str | None = None
    """Of its rate limits, as in its traits; None: its own name."""


SOURCES: Mapping[str, Source] = {
    "app_store": Source(
        "app_store",
        "AppStore",
        "app-store",
        {
            "key_id": "OUTCRY_APP_STORE_KEY_ID",
            "issuer_id": "OUTCRY_APP_STORE_ISSUER_ID",
            "private_key": "OUTCRY_APP_STORE_PRIVATE_KEY",
        },
    ),
    "bluesky": Source(
        "bluesky", "Bluesky", None, {"app_password": "OUTCRY_BLUESKY_APP_PASSWORD"}, open=False
    ),
    "bluesky_jetstream": Source(
        "bluesky_jetstream", "BlueskyJetstream", "jetstream", family="jetstream"
    ),
    "discourse": Source("discourse", "Discourse", None, {"api_key": "OUTCRY_DISCOURSE_API_KEY"}),
    "email": Source("mail", "Email", None, {"password": "OUTCRY_EMAIL_PASSWORD"}),
    "google_play": Source(
        "google_play",
        "GooglePlay",
        "google-play",
        {"service_account": "OUTCRY_GOOGLE_PLAY_SERVICE_ACCOUNT"},
    ),
    "hackernews": Source("hackernews", "HackerNews"),
    "hellopeter": Source("hellopeter", "HelloPeter", None, {"api_key": "OUTCRY_HELLOPETER_KEY"}),
    "import": Source("import_file", "ImportFile", family="default"),
    "lemmy": Source("lemmy", "Lemmy"),
    "mastodon": Source(
        "mastodon", "Mastodon", "mastodon", {"access_token": "OUTCRY_MASTODON_TOKEN"}
    ),
    "reddit": Source(
        "reddit",
        "Reddit",
        "reddit",
        {
            "client_id": "OUTCRY_REDDIT_CLIENT_ID",
            "client_secret": "OUTCRY_REDDIT_CLIENT_SECRET",
        },
        open=False,
    ),
    "rss": Source("rss", "Rss", family="default"),
    "stackexchange": Source(
        "stackexchange", "StackExchange", None, {"key": "OUTCRY_STACKEXCHANGE_KEY"}
    ),
    "telegram": Source("telegram", "Telegram", "telegram"),
    "trustpilot": Source(
        "trustpilot", "Trustpilot", None, {"api_key": "OUTCRY_TRUSTPILOT_KEY"}, open=False
    ),
    "wordpress": Source("wordpress", "WordPress", family="default"),
    "x": Source("x", "X", None, {"bearer_token": "OUTCRY_X_TOKEN"}, open=False),
    "youtube": Source(
        "youtube", "YouTube", None, {"api_key": "OUTCRY_YOUTUBE_API_KEY"}, open=False
    ),
}
"""By name, sorted."""


def names() -> tuple[str, ...]:
    """The names of all listeners, sorted; whether a client is installed is not asked."""
    return tuple(sorted(SOURCES))


def secrets_of(name: str) -> Mapping[str, str]:
    """Environment variable by parameter, of the source of that name; empty if there is none."""
    return SOURCES[name].secrets if name in SOURCES else {}


def family_of(name: str) -> str:
    """The rate-limit family of a source; nothing is imported. Of an unknown one, its name."""
    return (SOURCES[name].family or name) if name in SOURCES else name


def listener(name: str) -> Listener:
    """The listener of that name; its module is imported now.

    Raises:
        BadTarget: if there is none.
        Unsupported: if the network's client is not installed; says which extra has it.
    """
    if name not in SOURCES:
        raise BadTarget(f"there is no listener {name!r}: use one of {', '.join(names())}")
    source = SOURCES[name]
    return load(f"listeners.sources.{source.module}", source.cls, source.extra)


def load(module_name: str, class_name: str, extra: str | None = None) -> Listener:
    """An instance of a listener's class.

    Raises:
        Unsupported: if the module needs a package that is not installed.
    """
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("listeners"):
            raise
        wanted = f"outcry-triage[{extra}]" if extra else str(error.name)
        raise Unsupported(f'{error.name} is not installed: pip install "{wanted}"') from error
    return cast(Listener, getattr(module, class_name)())
