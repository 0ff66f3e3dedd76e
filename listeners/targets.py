"""A target's settings as the record of its source."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from listeners.contract import Target
from listeners.errors import BadTarget

T = TypeVar("T")


def settings(target: Target, kind: type[T]) -> T:
    """The target's params as a ``kind``, a struct of the source's own.

    Raises:
        BadTarget: if they do not fit; names the setting.
    """
    try:
        return msgspec.convert(target.params, kind)
    except msgspec.ValidationError as error:
        raise wrong(target, f"{error}: correct its settings") from error


def wrong(target: Target, words: str) -> BadTarget:
    """The error of a target whose settings cannot be used, by its name."""
    return BadTarget(f"{target.source} target {target.key}: {words}")


def web_address(target: Target, name: str, value: str) -> str:
    """``value`` without a slash at its end; a bare host means https.

    Raises:
        BadTarget: if it is not an address of the web.
    """
    address = (value if "://" in value else f"https://{value}").rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong(
            target,
            f"{name} {value!r} is not an address of the web: give a host, or http:// or https://",
        )
    return address
