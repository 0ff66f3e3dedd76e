"""Bluesky over real HTTP, from a local server that speaks its methods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.http import Fetcher
from listeners.sources.bluesky import Bluesky
from tests.listeners.fakes import rejected
from tests.listeners.sources.ear import Ear
from tests.servers.bluesky import DID, BlueskyServer, post_view, record, uri
from tests.servers.station import json_answer
from tests.servers.web import serving


@pytest.fixture
def server() -> BlueskyServer:
    """A network without posts yet."""
    return BlueskyServer([])


@pytest.fixture
def ear(tmp_path: Path, server: BlueskyServer) -> Iterator[Ear]:
    """Listens to a search."""
    with serving(server) as url:
        params = {"query": "tram", "handle": "us.example", "service": url}
        listener = Bluesky(Fetcher(sleep=lambda seconds: None))
        yield Ear(tmp_path, listener, {**params, "app_password": "a-secret"})


def test_a_post_becomes_a_mention(ear: Ear, server: BlueskyServer) -> None:
    ear.params |= {"owners": ["@ann.example"], "lang": "en"}
    reply = {"root": {"uri": uri(1), "cid": "x"}, "parent": {"uri": uri(2), "cid": "y"}}
    said = record(3, 50, reply=reply, createdAt="2027-05-01T00:00:00Z")
    server.posts = [post_view(3, 60, record=said, labels=[{"val": "porn"}])]
    assert (ear.listen().outcome, ear.ids()) == ("ok", [uri(3)])
    (post,) = ear.mentions()
    assert (post.source, post.instance, post.text) == ("bluesky", "", "Post 3 about the tram")
    assert (post.parent_id, post.root_id, post.lang) == (uri(2), uri(1), "en")
    assert post.indexed_at == datetime(2026, 1, 2, 0, 1, tzinfo=UTC)
    assert (post.created_at, post.time_quality) == (post.indexed_at, "client")
    assert (post.author.id, post.author.handle, post.author.name) == (DID, "ann.example", "Ann")
    assert (post.author.is_owner, post.flags) == (True, ("nsfw",))
    assert (post.engagement.likes, post.engagement.replies, post.engagement.shares) == (3, 1, 2)
    assert post.url == f"https://bsky.app/profile/{DID}/post/{uri(3).rpartition('/')[2]}"
    assert post.raw == server.posts[0]
    assert server.requests[-1].query["lang"] == "en"


def test_one_session_serves_all_targets_until_it_is_over(
    ear: Ear, server: BlueskyServer, tmp_path: Path
) -> None:
    server.posts = [post_view(n, n) for n in range(1, 300)]
    ear.listen()
    other = Ear(tmp_path / "other", Bluesky(), {**ear.params, "query": "train"})
    other.listen()
    assert server.sessions == 1
    server.expired.add("token-1")
    assert (ear.listen().error, server.sessions) == (None, 2)


def test_a_wrong_password_is_said_once_and_never_shown(ear: Ear, server: BlueskyServer) -> None:
    ear.params["app_password"] = "wrong-secret"
    row = ear.listen()
    assert (row.error_class, len(server.requests)) == ("AuthFailed", 1)
    assert "us.example" in (row.error or "")
    assert "wrong-secret" not in (row.error or "")
    del ear.params["app_password"]
    assert ear.listen().error_class == "AuthFailed"
    assert len(server.requests) == 1


def test_the_account_s_own_server_is_asked(ear: Ear, server: BlueskyServer) -> None:
    own = BlueskyServer([post_view(1, 5)])
    with serving(own) as url:
        server.own_server = url
        assert ear.listen().new == 1
    assert [request.path.rpartition(".")[2] for request in own.requests] == ["searchPosts"]


def test_a_listing_that_the_search_cuts_off_goes_on_by_time(
    ear: Ear, server: BlueskyServer
) -> None:
    ear.listener = Bluesky(capped=300)
    server.cap = 300
    server.posts = [post_view(n, n // 3) for n in range(1, 700)]
    assert ear.listen().outcome == "ok"
    assert set(ear.ids()) == {uri(n) for n in range(1, 700)}


def test_a_cursor_that_has_grown_old_is_replaced_by_a_time(ear: Ear, server: BlueskyServer) -> None:
    server.posts = [post_view(n, n // 3) for n in range(1, 260)]
    assert ear.listen(pages=1).cut_off
    too_old = json_answer({"error": "InvalidRequest", "message": "bad cursor"}, 400)
    server.next_answers = [too_old]
    assert ear.listen().outcome == "ok"
    assert set(ear.ids()) == {uri(n) for n in range(1, 260)}
    server.next_answers = [too_old]
    assert ear.listen().error_class == "BadTarget"


def test_one_post_that_lacks_a_field_costs_itself_only(ear: Ear, server: BlueskyServer) -> None:
    server.posts = [post_view(1, 1), post_view(2, 2, record={"text": "tram"}), post_view(3, 3)]
    row = ear.listen()
    assert (row.outcome, row.new, row.rejected) == ("ok", 2, 1)
    (bad,) = rejected(ear.landing)
    assert (bad.raw, bad.error) == (server.posts[1], "'createdAt' is missing")


def test_a_post_that_the_network_no_longer_shows_is_gone(ear: Ear, server: BlueskyServer) -> None:
    server.posts = [post_view(n, n) for n in range(1, 40)]
    ear.listen()
    del server.posts[7]
    assert (ear.look_again().deleted, ear.deletions()) == (1, {uri(8): "deleted"})
    server.posts = []
    assert ear.look_again().deleted == 0


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"query": "tram"}, "handle"),
        ({"query": "", "handle": "us.example"}, "give a query"),
        ({"query": "tram", "handle": "us.example", "service": "x://y"}, "service"),
        ({"query": "tram", "handle": "us.example", "sort": "top"}, "sort"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        Bluesky().check(Target(source="bluesky", key="tram", params=params))
