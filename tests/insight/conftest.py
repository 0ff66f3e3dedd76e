"""What the tests for analysts share: the demonstration, worked on by its agents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.report_pictures import work
from insight.frames import Frames
from outcry.analysts import frames
from outcry.demo import Demo, run_demo


@pytest.fixture(scope="session")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demonstration as it is, before anybody worked on it."""
    return run_demo(tmp_path_factory.mktemp("heard") / "home")


@pytest.fixture(scope="session")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a demonstration in which some customers were reached; nobody changes it."""
    home = run_demo(tmp_path_factory.mktemp("worked") / "home").home
    work(home)
    return home


@pytest.fixture
def data(worked: Path) -> Iterator[Frames]:
    """The frames of the worked demonstration."""
    with frames(worked) as found:
        yield found
