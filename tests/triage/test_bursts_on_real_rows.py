"""Outages planted into real complaints are found soon, and little else is called an incident."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.incidents import alarms, background, is_the_real_one, plant
from triage.causes import IncidentRules


@pytest.mark.slow
def test_on_one_airline_of_february_2015(labelled_data: Path) -> None:
    streams = background(labelled_data, "Southwest")
    result = plant(streams, 20, IncidentRules())
    assert len(result.minutes) >= 0.8 * result.planted
    assert result.minutes[len(result.minutes) // 2] <= 40
    assert result.by_rule == 0
    found = [cause for _, cause in alarms(streams, IncidentRules())]
    assert any(map(is_the_real_one, found))
    assert sum(not is_the_real_one(cause) for cause in found) <= 2
