"""The public sets, read once for all tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from models.recipe import Sets, read_sets


@cache
def public_sets(folder: Path) -> Sets:
    """The sets of a folder."""
    return read_sets(folder)
