"""What all tests share: the labelled data, a real Elasticsearch node, and an honest ending.

A test that needs a server which is not to be had is reported as not run, with the line that
says what to install. With ``OUTCRY_TEST_REQUIRE`` (a comma-separated list of markers) such a
test fails instead: that is how continuous integration calls them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.servers.elasticsearch import Node, NodeUnavailable, private_node, running_node

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# How long an example takes says nothing on a machine that does other work beside.
hypothesis.settings.register_profile("outcry", deadline=None)
hypothesis.settings.load_profile("outcry")


def _not_run(marker: str, reason: str) -> None:
    """End the calling test as not run, or as failed where its marker is required."""
    if marker in os.environ.get("OUTCRY_TEST_REQUIRE", "").split(","):
        pytest.fail(f"{marker} is required here: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def _node() -> Iterator[Node | str]:
    """The node of this session, or the line that says what is missing."""
    try:
        with running_node() as node:
            yield node
    except NodeUnavailable as missing:
        yield str(missing)


@pytest.fixture
def elasticsearch(_node: Node | str) -> Node:
    """A real Elasticsearch node; tests keep apart by index prefix."""
    if isinstance(_node, str):
        _not_run("elasticsearch", _node)
    assert isinstance(_node, Node)
    return _node


@pytest.fixture
def own_elasticsearch() -> Iterator[Node]:
    """A node of the test's own, which it may kill."""
    try:
        with private_node() as node:
            yield node
    except NodeUnavailable as missing:
        _not_run("elasticsearch", str(missing))


@pytest.fixture(scope="session")
def _browser() -> Iterator[Browser | str]:
    """The browser of this session, or the line that says what is missing."""
    # The environment that trains encoders has no Playwright, and tests no pages.
    from tests.servers.browser import BrowserUnavailable, running_browser

    try:
        with running_browser() as browser:
            yield browser
    except BrowserUnavailable as missing:
        yield str(missing)


@pytest.fixture
def browser(_browser: Browser | str) -> Browser | str:
    """A real browser; each test opens contexts of its own and closes them."""
    if isinstance(_browser, str):
        _not_run("browser", _browser)
    return _browser


@pytest.fixture
def labelled_data() -> Path:
    """The folder of labelled public data that a user's clone does not have."""
    given = os.environ.get("OUTCRY_LABELLED_DATA")
    if not given:
        _not_run("labelled_data", "set OUTCRY_LABELLED_DATA to the folder of labelled data")
    return Path(str(given))


@pytest.fixture(autouse=True)
def _no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own deployment must not leak into the tests."""
    for name in list(os.environ):
        if name.startswith("OUTCRY_") and not name.startswith(("OUTCRY_TEST_", "OUTCRY_LABELLED")):
            monkeypatch.delenv(name)
