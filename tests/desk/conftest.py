"""What the tests of the desk share: the demonstration, a desk on it, and people of each role."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from outcry.demo import Demo, run_demo
from tests.desk.board import Board
from tests.desk.seats import Room, opened


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demonstration, run once; nobody changes its home."""
    return run_demo(tmp_path_factory.mktemp("demo") / "home")


@pytest.fixture
def board(demo: Demo, tmp_path: Path) -> Iterator[Board]:
    """A desk of one's own on a copy of the demonstration."""
    home = tmp_path / "desk"
    shutil.copytree(demo.home, home)
    with Board(home) as made:
        yield made


@pytest.fixture
def room(board: Board, browser: Browser) -> Iterator[Room]:
    """A desk that really listens, on a copy of the demonstration, with seats in real browsers."""
    with opened(board, browser) as made:
        yield made
