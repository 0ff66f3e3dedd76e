"""Which listeners there are. A new one is a module in `listeners.sources` and a line here."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from listeners.contract import Listener
from listeners.errors import BadTarget, Unsupported

_SOURCES: dict[str, tuple[str, str]] = {
    "import": ("import_file", "ImportFile"),
    "mastodon": ("mastodon", "Mastodon"),
    "rss": ("rss", "Rss"),
}
"""Module below `listeners.sources` and class, by name."""


def names() -> tuple[str, ...]:
    """The names of all listeners, sorted; whether a client is installed is not asked."""
    return tuple(sorted(_SOURCES))


def listener(name: str) -> Listener:
    """The listener of that name; its module is imported now.

    Raises:
        BadTarget: if there is none.
        Unsupported: if the network's client is not installed; says which extra has it.
    """
    if name not in _SOURCES:
        raise BadTarget(f"there is no listener {name!r}: use one of {', '.join(names())}")
    module_name, class_name = _SOURCES[name]
    return load(f"listeners.sources.{module_name}", class_name)


def load(module_name: str, class_name: str) -> Listener:
    """An instance of a listener's class.

    Raises:
        Unsupported: if the module needs a package that is not installed.
    """
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("listeners"):
            raise
        raise Unsupported(
            f'{error.name} is not installed: pip install "outcry-triage[sources]"'
        ) from error
    return cast(Listener, getattr(module, class_name)())
