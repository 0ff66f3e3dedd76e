"""Bursts beyond what a run may take, and months of bad luck: nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bench.losses import History
from tests.listeners.conformance.desk import Desk
from tests.servers.mastodon import Station

RUN = 500
"""Posts that a run may take."""


def test_nine_hundred_posts_in_five_minutes_are_all_heard_once(in_memory: Path) -> None:
    station = Station()
    station.page_size = 40
    with station.open():
        desk = Desk(station, in_memory)
        desk.world.write()
        desk.settle()
        start = desk.world.now
        for number in range(900):
            desk.world.write(at=start + timedelta(seconds=number / 3))
        taken = []
        for _ in range(4):
            row = desk.listen(pages=RUN // 40)
            taken.append(row.new)
            if not row.cut_off:
                break
        assert max(taken) <= RUN
        assert sum(taken) == 900
        assert len(desk.mentions()) == 901
        desk.complete()


@pytest.mark.parametrize("seed", range(6))
def test_ten_days_of_arrivals_deaths_and_caps_lose_nothing(seed: int, in_memory: Path) -> None:
    history = History(seed, in_memory, days=10)
    assert history.play() == (0, 0)
    assert history.deaths
    assert history.capped
