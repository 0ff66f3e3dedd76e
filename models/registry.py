"""Where the shipped models lie, in a checkout and in an installed package alike."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from models.errors import ModelUnknown

DEFAULT: Final = "baseline-en"

HERE: Final = Path(__file__).resolve().parent
"""The folder that holds a folder a shipped model."""


def names() -> tuple[str, ...]:
    """The names of the shipped models, sorted."""
    return tuple(sorted(path.parent.name for path in HERE.glob("*/metadata.json")))


def folder(name: str = DEFAULT) -> Path:
    """The folder of a shipped model.

    Raises:
        ModelUnknown: if none has that name.
    """
    if name not in names():
        raise ModelUnknown(f"no model {name!r} is shipped; there is {', '.join(names()) or 'none'}")
    return HERE / name
