"""Every registered source stands every fault that can befall it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from listeners.registry import names
from tests.listeners.conformance.desk import Desk, station_of
from tests.listeners.conformance.faults import FAULTS

CELLS = [
    (source, fault)
    for source in names()
    for fault in FAULTS
    if fault not in station_of(source).not_applicable
]


@pytest.mark.parametrize(("source", "fault"), CELLS)
def test_a_source_stands_a_fault(
    source: str, fault: str, in_memory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    desk = Desk(station_of(source), in_memory)
    with desk.station.open():
        FAULTS[fault](desk)
        desk.keeps_secrets(caplog.text)


@pytest.mark.parametrize("source", names())
def test_a_station_leaves_out_known_faults_only_and_says_why(source: str) -> None:
    station = station_of(source)
    assert station.not_applicable.keys() | station.meanings.keys() <= FAULTS.keys()
    assert all(len(reason) > 10 for reason in station.not_applicable.values())
