"""What the tests of the command line share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from outcry.demo import Demo, run_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demonstration, run once; nobody changes its home."""
    return run_demo(tmp_path_factory.mktemp("demo") / "home")


@pytest.fixture
def desk(demo: Demo, tmp_path: Path) -> Path:
    """A home of one's own with the demonstration's tickets."""
    home = tmp_path / "desk"
    shutil.copytree(demo.home, home)
    return home
