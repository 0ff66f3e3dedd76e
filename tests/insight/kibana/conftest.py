"""One filled node for the tests of boards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.insight.kibana.filled import Filled, demonstration, filled
from tests.servers.elasticsearch import Node


@pytest.fixture(scope="session")
def _demonstrated(
    _node: Node | str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled | None]:
    if isinstance(_node, str):
        yield None
        return
    settings, rows = demonstration(tmp_path_factory.mktemp("boards"))
    with filled(_node, settings, rows) as found:
        yield found


@pytest.fixture
def demonstrated(elasticsearch: Node, _demonstrated: Filled | None) -> Filled:
    """The demonstration in a node, its agents at work, all of it published."""
    assert _demonstrated is not None
    return _demonstrated
