"""Lemmy over real HTTP, from a local server that speaks its API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.http import Fetcher
from listeners.sources.lemmy import Lemmy
from tests.listeners.fakes import NOW
from tests.listeners.sources.ear import Ear
from tests.servers.lemmy import LemmyServer, comment_view, post_view, too_many
from tests.servers.station import json_answer
from tests.servers.web import serving


@pytest.fixture
def server() -> LemmyServer:
    """Without posts yet."""
    return LemmyServer([])


@pytest.fixture
def ear(tmp_path: Path, server: LemmyServer) -> Iterator[Ear]:
    """Listens to a search on it."""
    with serving(server) as url:
        params = {"server": url, "query": "tram"}
        yield Ear(tmp_path, Lemmy(Fetcher(sleep=lambda seconds: None)), params)


def test_a_post_and_a_comment_become_mentions(ear: Ear, server: LemmyServer) -> None:
    ear.params["owners"] = ["@Ann@lemmy.example"]
    server.views = [
        post_view(1, 60, nsfw=True, updated="2026-01-02T05:00:00"),
        comment_view(2, 90, on=1),
    ]
    assert ear.listen().new == 2
    post, comment = sorted(ear.mentions(), key=lambda mention: mention.created_at)
    assert (post.instance, post.native_id) == ("", "https://lemmy.example/post/1")
    assert (post.title, post.text) == ("Tram 1", "It was late.\n\n* and wet: 1")
    assert post.created_at == datetime(2026, 1, 2, 0, 1, 0, 123456, tzinfo=UTC)
    assert post.edited_at == datetime(2026, 1, 2, 5, tzinfo=UTC)
    assert (post.container, post.flags) == ("trams@other.example", ("nsfw",))
    assert (post.author.handle, post.author.name) == ("ann@lemmy.example", "Ann")
    assert post.author.is_owner
    assert (post.engagement.score, post.engagement.likes, post.engagement.replies) == (4, 5, 2)
    assert (comment.kind, comment.title, comment.engagement.replies) == ("comment", None, 1)
    assert (comment.root_id, comment.raw) == (post.native_id, server.views[1])


def test_posts_and_comments_of_different_depth_all_come(ear: Ear, server: LemmyServer) -> None:
    server.views = [post_view(n, n * 60) for n in range(1, 131)]
    server.views += [comment_view(n, 30_000 + n) for n in range(200, 420)]
    row = ear.listen()
    assert (row.cut_off, len(set(ear.ids())), row.gaps) == (False, 350, ())


def test_nothing_slips_through_when_posts_are_deleted_between_two_pages(
    ear: Ear, server: LemmyServer
) -> None:
    server.views = [post_view(n, n) for n in range(1, 201)]

    def deletes() -> None:
        server.purged.add(200 - len(server.purged))  # Those that the first page showed.

    server.after_each = deletes
    ear.listen(pages=5)
    assert {one.rpartition("/")[2] for one in ear.ids()} == {str(n) for n in range(1, 201)}


def test_a_limit_that_is_said_with_status_400_is_a_limit(ear: Ear, server: LemmyServer) -> None:
    server.views = [post_view(1, 60)]
    server.next_answers = [too_many()]
    row = ear.listen()
    assert (row.error_class, row.retry_at) == ("RateLimited", NOW + timedelta(minutes=10))
    assert ear.listen().new == 1


def test_a_flag_in_the_listing_is_a_deletion(ear: Ear, server: LemmyServer) -> None:
    server.views = [post_view(1, 60)]
    ear.listen()
    view = post_view(1, 60, removed=True)
    body = {"posts": [view], "comments": []}
    server.well_behaved = lambda request: json_answer(body)  # type: ignore[method-assign]
    ear.listen()
    assert ear.deletions() == {"https://lemmy.example/post/1": "removed by moderators"}


def test_the_server_that_an_item_is_from_knows_what_became_of_it(
    ear: Ear, server: LemmyServer
) -> None:
    url = ear.params["server"]
    here = [post_view(n, 60 + n, ap_id=f"{url}/post/{n}") for n in range(1, 4)]
    comment = comment_view(4, 90, ap_id=f"{url}/comment/4")
    away = [
        post_view(5, 70, ap_id="http://127.0.0.1:9/post/5"),
        post_view(6, 80, ap_id="https://social.example/users/ann/statuses/6"),
    ]
    server.views = [*here, comment, *away]
    ear.listen()
    here[0]["post"]["deleted"] = True
    comment["comment"]["removed"] = True
    server.purged.add(2)
    row = ear.look_again()
    assert (row.error, row.deleted) == (None, 3)
    assert ear.deletions() == {
        f"{url}/post/1": "deleted",
        f"{url}/post/2": "deleted",
        f"{url}/comment/4": "removed by moderators",
    }


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"server": "lemmy.example"}, "query"),
        ({"server": "lemmy.example", "query": " "}, "query is empty"),
        ({"server": "gopher://x", "query": "tram"}, "server"),
        ({"server": "lemmy.example", "query": "tram", "sort": "Old"}, "sort"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        Lemmy().check(Target(source="lemmy", key="tram", params=params))
