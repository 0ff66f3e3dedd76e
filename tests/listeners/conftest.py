"""What the tests of this room share."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from listeners.places import place
from tests.listeners.fakes import IN_MEMORY
from tests.servers import s3 as server


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A folder for landing zones that are flushed thousands of times."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """How a client finds an S3-compatible server."""
    with server.serving(tmp_path_factory.mktemp("s3") / "buckets") as options:
        yield options


@pytest.fixture(params=["folder", "memory", "s3"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An empty place for a landing zone: a folder, or one in an object store."""
    if request.param == "folder":
        return tmp_path / "landing"
    name = secrets.token_hex(8)
    if request.param == "memory":
        return place(f"memory://{name}/landing")
    return place(f"s3://{server.BUCKET}/{name}", **request.getfixturevalue("s3"))
