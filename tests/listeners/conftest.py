"""What the tests of this room share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.listeners.fakes import IN_MEMORY


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A folder for landing zones that are flushed thousands of times."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        yield Path(folder)
