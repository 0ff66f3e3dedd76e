"""A Discourse forum over real HTTP, from a local server that speaks its API."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.http import Fetcher
from listeners.sources.discourse import Discourse
from tests.listeners.sources.ear import Ear
from tests.servers.discourse import DiscourseServer, post
from tests.servers.web import Answer, serving


@pytest.fixture
def server() -> DiscourseServer:
    """A forum without posts yet."""
    return DiscourseServer([])


@pytest.fixture
def ear(tmp_path: Path, server: DiscourseServer) -> Iterator[Ear]:
    """Listens to all of it."""
    with serving(server) as url:
        yield Ear(tmp_path, Discourse(Fetcher(sleep=lambda seconds: None)), {"url": url})


def places(*numbers: int, **changes: Any) -> list[dict[str, Any]]:
    """Posts whose place in the topic is their number."""
    return [post(number, place=number, **changes) for number in numbers]


def test_a_topic_and_an_answer_become_mentions(ear: Ear, server: DiscourseServer) -> None:
    ear.params["owners"] = ["ann"]
    server.posts = [post(5), post(9, place=4, reply_to_post_number=2, version=2, username="bo")]
    assert (ear.listen().new, ear.ids()) == (2, ["7/4", "7/1"])
    reply, topic = ear.mentions()
    assert (topic.kind, topic.title, topic.text) == (
        "post",
        "The tram again",
        "Post 5 about the\ntram",
    )
    assert (topic.parent_id, topic.root_id, topic.edited_at) == (None, None, None)
    assert topic.created_at == datetime(2026, 1, 2, 0, 0, 5, 123000, tzinfo=UTC)
    assert (topic.engagement.likes, topic.engagement.replies, topic.engagement.views) == (3, 1, 9)
    assert (topic.author.id, topic.author.handle, topic.author.is_owner) == ("31", "ann", True)
    assert topic.url == f"{ear.params['url']}/t/the-tram-again/7/1"
    assert (reply.kind, reply.title, reply.parent_id, reply.root_id) == (
        "comment",
        None,
        "7/2",
        "7/1",
    )
    assert reply.edited_at == reply.created_at
    assert (reply.instance, reply.raw) == ("127.0.0.1", server.posts[1])


@pytest.mark.parametrize("older", [False, True])
def test_every_version_of_the_forum_is_walked_without_a_gap(
    ear: Ear, server: DiscourseServer, older: bool
) -> None:
    server.older = older
    server.posts = places(*range(1, 30))
    ear.listen()
    # A stretch of numbers without a public post, longer than an older version looks at.
    server.posts += places(*range(400, 520))
    assert [ear.listen(pages=2).cut_off, ear.listen().cut_off] == [True, False]
    assert sorted(int(one.partition("/")[2]) for one in ear.ids()) == [
        *range(1, 30),
        *range(400, 520),
    ]


def test_only_posts_with_the_words_are_kept(ear: Ear, server: DiscourseServer) -> None:
    ear.params["words"] = ["Metro Rail", "bus"]
    server.posts = [
        post(1, cooked="<p>The METRO rail again</p>"),
        post(2, place=2, cooked="<p>A business trip</p>"),
        post(3, place=3, topic_title="Bus 7"),
    ]
    row = ear.listen()
    assert (row.new, row.rejected) == (2, 0)
    assert [mention.matched for mention in ear.mentions()] == [("bus",), ("Metro Rail",)]


def test_what_its_author_deleted_or_the_forum_hid_is_gone(
    ear: Ear, server: DiscourseServer
) -> None:
    server.posts = places(1, 2, 3, 4)
    ear.listen()
    server.posts[0]["user_deleted"] = True
    server.posts[1]["hidden"] = True
    ear.listen()
    assert ear.deletions() == {"7/1": "deleted", "7/2": "hidden by the forum"}
    del server.posts[2]
    server.private = {"7/4"}
    assert ear.look_again().deleted == 2
    assert ear.deletions()["7/3"] == "deleted"
    assert ear.deletions()["7/4"] == "not public any more"


@pytest.mark.parametrize(("status", "outcome"), [(403, "AuthFailed"), (404, "TargetGone")])
def test_a_forum_that_refuses_as_a_whole_has_deleted_nothing(
    ear: Ear, server: DiscourseServer, status: int, outcome: str
) -> None:
    server.posts = places(1, 2)
    ear.listen()
    server.next_answers = [Answer(b"<html>Checking your browser</html>", status)]
    row = ear.look_again()
    assert (row.error_class, ear.deletions()) == (outcome, {})


def test_a_forum_behind_a_login_takes_a_key(ear: Ear, server: DiscourseServer) -> None:
    server.posts, server.key = places(1), "a-secret"
    assert ear.listen().error_class == "AuthFailed"
    ear.params |= {"api_key": "a-secret", "api_username": "us"}
    assert ear.listen().new == 1
    assert server.requests[-1].headers["api-username"] == "us"


def test_a_forum_that_ignores_before_is_noticed(ear: Ear, server: DiscourseServer) -> None:
    server.posts = places(*range(1, 120))
    answer = server.well_behaved
    server.well_behaved = lambda request: answer(type(request)(request.path, {}, {}))  # type: ignore[method-assign]
    assert ear.listen().error_class == "SchemaChanged"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "url"),
        ({"url": "ftp://x"}, "url"),
        ({"url": "x.example", "recheck": -1}, "recheck"),
        ({"url": "x.example", "words": [""]}, "words"),
        ({"url": "x.example", "category": 3}, "category"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        Discourse().check(Target(source="discourse", key="tram", params=params))
