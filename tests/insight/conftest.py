"""What the tests for analysts share: the demonstration, worked on by its agents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from insight.frames import Frames
from outcry.analysts import frames
from outcry.demo import AS_OF, Demo, run_demo
from outcry.settings import load_settings
from triage.claims import act, claim_next
from triage.contacts import learn


@pytest.fixture(scope="session")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demonstration as it is, before anybody worked on it."""
    return run_demo(tmp_path_factory.mktemp("heard") / "home")


@pytest.fixture(scope="session")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a demonstration in which some customers were reached; nobody changes it."""
    home = run_demo(tmp_path_factory.mktemp("worked") / "home").home
    settings = load_settings(home)
    store = settings.open_store()
    try:
        for number in range(6):
            now = AS_OF + timedelta(minutes=20 * number)
            ticket = claim_next(store, "lindiwe", now, settings.rules)
            assert ticket is not None
            reached = act(
                store,
                ticket.ticket,
                "contact",
                "lindiwe",
                now + timedelta(minutes=10),
                settings.rules,
            )
            if number < 4:
                outcome = "not a complaint" if number == 3 else "resolved"
                learn(store, reached, outcome, "lindiwe", now + timedelta(minutes=15))
                act(
                    store,
                    ticket.ticket,
                    "resolve",
                    "lindiwe",
                    now + timedelta(minutes=15),
                    settings.rules,
                    outcome,
                )
    finally:
        store.close()
    return home


@pytest.fixture
def data(worked: Path) -> Iterator[Frames]:
    """The frames of the worked demonstration."""
    with frames(worked) as found:
        yield found
