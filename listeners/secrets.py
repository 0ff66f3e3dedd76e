"""Secrets of a target: which they are, and texts without them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from listeners.contract import Target
from listeners.registry import secrets_of

HIDDEN = "•••"
_SHORTEST = 4
"""A shorter one would hide half of every text."""


def secrets_in(target: Target) -> tuple[str, ...]:
    """The secret values that a target carries, the longest first.

    The parameters that the registry calls secret, and what addresses among the parameters
    carry as password or in their query.
    """
    named = secrets_of(target.source)
    found = {str(value) for param, value in target.params.items() if param in named and value}
    for value in target.params.values():
        if isinstance(value, str) and "://" in value:
            found.update(_in_address(value))
    return tuple(sorted((s for s in found if len(s) >= _SHORTEST), key=lambda s: (-len(s), s)))


def without_secrets(text: str, target: Target) -> str:
    """The text with every secret of the target made unreadable."""
    for secret in secrets_in(target):
        text = text.replace(secret, HIDDEN)
    return text


def public(target: Target) -> Target:
    """The target as it may be written down: without the parameters that are secrets."""
    named = secrets_of(target.source)
    params = {param: value for param, value in target.params.items() if param not in named}
    return msgspec.structs.replace(target, params=params)


def _in_address(address: str) -> Iterator[str]:
    try:
        parts = urlsplit(address)
    except ValueError:
        return
    if parts.password:
        yield parts.password
        yield unquote(parts.password)
    for name, value in parse_qsl(parts.query):
        if any(word in name.lower() for word in ("key", "token", "secret", "auth", "sig", "pass")):
            yield value
