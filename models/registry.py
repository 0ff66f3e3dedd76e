"""Where the shipped models lie, in a checkout and in an installed package alike."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from models.errors import ModelUnknown

DEFAULT: Final = "baseline-en"

_HERE = Path(__file__).resolve().parent


def names() -> tuple[str, ...]:
    """The names of the shipped models, sorted."""
    return tuple(sorted(path.parent.name for path in _HERE.glob("*/metadata.json")))


def folder(name: str = DEFAULT) -> Path:
    """The folder of a shipped model.

    Raises:
        ModelUnknown: if none has that name.
    """
    if name not in names():
        raise ModelUnknown(f"no model {name!r} is shipped; there is {', '.join(names()) or 'none'}")
    return _HERE / name
