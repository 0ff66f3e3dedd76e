"""The invented brand's feeds, as Airflow's demonstration hears them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from outcry.demo import stream
from outcry.demo.town import Town, open_town

OPENED = datetime(2026, 11, 20, 8, tzinfo=UTC)


def _items(town: Town, at: datetime) -> int:
    return sum(town.feed(network, at).count("<item>") for network in town.networks)


def test_most_is_there_at_once_and_the_rest_arrives_post_by_post() -> None:
    town = Town(OPENED)
    at_once = _items(town, OPENED)
    everything = len(list(stream()))
    assert 0 < at_once < everything
    later = [_items(town, OPENED + timedelta(seconds=30 * step)) for step in range(40)]
    assert later == sorted(later)
    assert later[-1] == everything


def test_a_feed_is_served_on_this_machine_with_its_posts_escaped() -> None:
    town = Town(datetime.now(UTC))
    with open_town(town) as address:
        answer = httpx.get(f"{address}/{town.networks[0]}")
    assert address.startswith("http://127.0.0.1:")
    assert answer.headers["content-type"].startswith("application/rss+xml")
    assert answer.text == town.feed(town.networks[0], datetime.now(UTC))
