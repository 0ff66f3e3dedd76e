"""Jetstream over a real websocket, from a local server that speaks its protocol."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listeners.contract import Budget, Target
from listeners.errors import BadTarget
from listeners.run import collect
from listeners.sources.bluesky_jetstream import BlueskyJetstream
from tests.listeners.fakes import rejected
from tests.listeners.sources.ear import Ear
from tests.servers.bluesky import DID, record, uri
from tests.servers.bluesky_jetstream import JetstreamServer, account, commit, streaming

NOW = datetime(2026, 1, 2, 0, 30, tzinfo=UTC)
"""Second 1800 of the servers' day."""


@pytest.fixture
def server() -> JetstreamServer:
    """A network where nothing has happened yet."""
    return JetstreamServer()


@pytest.fixture
def ear(tmp_path: Path, server: JetstreamServer) -> Iterator[Ear]:
    """Listens to it for a word."""
    with streaming(server) as url:
        params = {"words": ["tram"], "service": url, "patience": 0.1}
        yield Ear(tmp_path, BlueskyJetstream(), params, now=NOW)


def test_a_post_is_the_same_mention_that_the_search_finds(
    ear: Ear, server: JetstreamServer
) -> None:
    ear.params["owners"] = [DID]
    server.events = [commit(5, "create", 1), commit(6, "create", 2, record=record(2, 6, text="x"))]
    row = ear.listen()
    assert (row.outcome, row.got, row.new) == ("ok", 1, 1)
    (post,) = ear.mentions()
    assert (post.source, post.native_id, post.matched) == ("bluesky", uri(1), ("tram",))
    assert post.listener == "bluesky_jetstream/1"
    assert (post.indexed_at, post.author.is_owner) == (datetime(2026, 1, 2, 0, 0, 5, tzinfo=UTC), 1)
    assert post.raw == server.events[0]
    assert server.queries[0]["collections"] == ["app.bsky.feed.post"]


def test_a_run_ends_at_its_own_time_and_the_next_goes_on_there(
    ear: Ear, server: JetstreamServer
) -> None:
    server.events = [commit(n, "create", n) for n in range(1_780, 1_820)]
    ear.params["patience"] = 30.0
    row = ear.listen()
    assert (row.outcome, row.new) == ("ok", 21)
    ear.params["patience"] = 0.1
    ear.now = datetime(2026, 1, 2, 1, tzinfo=UTC)
    assert (ear.listen().new, server.queries[1]["cursor"]) == (19, ["1800"])


def test_edits_deletions_and_accounts_that_go_are_passed_on_for_what_was_kept(
    ear: Ear, server: JetstreamServer
) -> None:
    other = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb"
    server.events = [
        commit(1, "create", 1),
        commit(2, "create", 2),
        commit(3, "create", 3, did=other),
        commit(4, "update", 1, record=record(1, 1, text="It came, the other thing")),
        commit(5, "delete", 2),
        commit(6, "delete", 99),
        account(7, "deactivated"),
        account(8, "deleted", other),
    ]
    row = ear.listen()
    assert (row.new, row.changed, row.deleted) == (3, 1, 2)
    assert ear.deletions().keys() == {uri(2), uri(3, other)}
    edited = ear.mentions()[-1]
    assert (edited.native_id, edited.text) == (uri(1), "It came, the other thing")
    assert edited.edited_at == datetime(2026, 1, 2, 0, 0, 4, tzinfo=UTC)


def test_a_connection_that_breaks_is_made_again_where_it_broke(
    ear: Ear, server: JetstreamServer
) -> None:
    server.events = [commit(n, "create", n) for n in range(1, 11)]
    server.break_after = [3, 4]
    row = ear.listen()
    assert (row.outcome, row.new) == ("ok", 10)
    assert [query["cursor"] for query in server.queries[1:]] == [["3"], ["6"]]
    server.break_after = [0, 0, 0]
    assert ear.listen().error_class == "Transient"


def test_events_that_the_server_has_forgotten_are_a_gap(ear: Ear, server: JetstreamServer) -> None:
    server.events = [commit(5, "create", 5)]
    ear.listen()
    server.floor = 900
    server.events = [commit(n, "create", n) for n in (800, 950, 960)]
    row = ear.listen()
    assert (row.outcome, row.new) == ("ok", 2)
    assert [gap for gap in row.gaps if "after 2026-01-02T00:00:05" in gap]
    assert ear.listen().gaps == ()


def test_the_number_of_another_server_is_replaced_by_a_time(
    ear: Ear, server: JetstreamServer
) -> None:
    server.events = [commit(n, "create", n) for n in (100, 700)]
    ear.listen()
    server.events = [commit(n, "create", n, time=_at(700 + n)) for n in range(1, 4)]
    for event in server.events:
        event["witnessedAt"] = event["time"]
    row = ear.listen()
    assert (row.new, row.gaps) == (3, ())
    with streaming(server) as elsewhere:
        ear.params["service"] = elsewhere
        assert ear.listen().error is None
    assert int(server.queries[-1]["cursor"][0]) > 10**15


def test_a_frame_that_cannot_be_read_is_kept(ear: Ear, server: JetstreamServer) -> None:
    server.events = [commit(n, "create", n) for n in range(1, 4)]
    well = server.frames
    server.frames = lambda event: '{"$type": "mess' if event["seq"] == 2 else well(event)
    row = ear.listen()
    assert (row.outcome, row.new, row.rejected) == ("ok", 2, 1)
    (bad,) = rejected(ear.landing)
    assert (bad.stage, bad.raw) == ("decode", '{"$type": "mess')


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        ((503, b"", {"Retry-After": "60"}), "RateLimited"),
        ((502, b"", {}), "Transient"),
        ((404, b"", {}), "TargetGone"),
        ((400, b'{"error": "InvalidRequest"}', {}), "SchemaChanged"),
    ],
)
def test_a_refusal_has_the_class_of_its_status(
    ear: Ear, server: JetstreamServer, refusal: Any, outcome: str
) -> None:
    server.refusals = [refusal]
    assert ear.listen().error_class == outcome


def test_a_private_address_is_not_connected_to(ear: Ear, server: JetstreamServer) -> None:
    budget = Budget(max_pages=1, now=NOW)
    row = collect(ear.listener, ear.target, ear.landing, "w1", budget)
    assert (row.error_class, server.queries) == ("BadTarget", [])


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "words"),
        ({"words": [" "]}, "give words"),
        ({"words": ["tram"], "patience": 0}, "patience"),
        ({"words": ["tram"], "service": "https://x.example"}, "wss://"),
        ({"words": ["tram"], "cursor": 5}, "cursor"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        BlueskyJetstream().check(Target(source="bluesky_jetstream", key="x", params=params))


def _at(second: int) -> str:
    return f"2026-01-02T00:{second // 60:02}:{second % 60:02}.000000Z"
