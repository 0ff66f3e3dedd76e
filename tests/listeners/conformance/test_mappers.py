"""Any JSON at all ends as a mention or as a reject, never as an error that takes the page."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listeners.contract import Reject, Replays
from listeners.mapping import map_items
from listeners.registry import names
from tests.listeners.conformance.desk import Desk, station_of
from tests.listeners.fakes import IN_MEMORY, NOW

Heard = tuple[Any, Any, Any]
ODD = st.sampled_from(
    ["", " ", "0", "-1", "NaN", "9" * 40, "\x00", "\ud800", "2026-13-45", "<b>", "null", "[]"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ODD | st.text(max_size=8)
GARBAGE = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module", params=names())
def source(request: pytest.FixtureRequest) -> Heard:
    """A listener, its target, and a payload that it understands."""
    station = station_of(request.param)
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder, station.open():
        desk = Desk(station, Path(folder))
        desk.world.write(2)
        desk.settle()
        return station.listener(), station.target(), desk.mentions()[-1].raw


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [here]
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            found += paths(one, (*here, key))
    return found


def changed(value: Any, path: tuple[Any, ...], new: Any, *, drop: bool) -> Any:
    """The value with something else, or nothing, at a place."""
    if not path:
        return new
    value = copy.deepcopy(value)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    if drop:
        del holder[path[-1]]
    else:
        holder[path[-1]] = new
    return value


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_garbage_is_a_mention_or_a_reject(
    source: tuple[Any, Any, Any], data: st.DataObject
) -> None:
    listener, target, raw = source
    assert isinstance(listener, Replays)
    item = raw
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths(item)))
        item = changed(item, path, data.draw(GARBAGE), drop=data.draw(st.booleans()))

    def mapper(item: Any) -> Any:
        reject = Reject(
            source=target.source, target=target.key, stage="map", error="x", raw=item, at=NOW
        )
        return listener.remap(reject, target, NOW)

    records, rejects = map_items([item], mapper, listener=listener, target=target, at=NOW)
    assert len(records) + len(rejects) == 1
    assert all(reject.error and "\n" not in reject.error for reject in rejects)
