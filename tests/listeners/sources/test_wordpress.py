"""The comments of a WordPress site, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.sources.wordpress import WordPress
from tests.listeners.conformance.desk import Desk
from tests.listeners.fakes import rejected
from tests.servers.wordpress import Station


@pytest.fixture
def station() -> Iterator[Station]:
    """A site in Berlin with pages of four comments."""
    station = Station()
    with station.open():
        yield station


@pytest.fixture
def desk(station: Station, tmp_path: Path) -> Desk:
    """Listens to it."""
    return Desk(station, tmp_path)


def test_a_comment_becomes_a_mention(station: Station, desk: Desk) -> None:
    station.params["owners"] = ["Guest"]
    station.extra = {"parent": 3, "author_url": "https://ann.example"}
    desk.world.write()
    desk.settle()
    (comment,) = desk.mentions()
    assert comment.text == desk.world.posts[0].text
    assert (comment.kind, comment.native_id, comment.parent_id) == ("comment", "1", "3")
    assert comment.instance == "127.0.0.1/blog"
    assert comment.created_at == desk.world.posts[0].at
    assert (comment.container, comment.root_id) == ("post-7", "post-7")
    assert comment.author.url == "https://ann.example"
    assert not comment.author.is_owner, "a guest may take any name"


def test_a_user_of_the_brand_is_known_and_an_answer_to_the_post_hangs_on_it(
    station: Station, desk: Desk
) -> None:
    station.params["owners"] = ["guest"]
    station.extra = {"author": 2}
    desk.world.write()
    desk.settle()
    (comment,) = desk.mentions()
    assert (comment.author.id, comment.author.is_owner) == ("2", True)
    assert comment.parent_id == "post-7"


def test_a_page_of_which_nothing_may_be_read_is_not_the_end(station: Station, desk: Desk) -> None:
    station.hidden = {1, 2, 3, 4, 5}
    desk.world.write(9)
    desk.settle()
    assert sorted(int(m.native_id) for m in desk.mentions()) == [6, 7, 8, 9]


def test_removed_comments_hide_none_within_one_run(station: Station, desk: Desk) -> None:
    desk.world.write(24)
    doomed = [desk.world.posts[number] for number in (0, 1, 6)]
    desk.world.after_page = lambda: desk.world.delete(doomed.pop(0)) if doomed else None
    assert desk.listen().outcome == "ok"
    desk.complete()


def test_a_comment_that_was_released_late_is_heard(station: Station, desk: Desk) -> None:
    desk.world.write(6)
    late = desk.world.posts[1]
    desk.world.posts.remove(late)
    desk.settle()
    desk.world.posts.append(late)
    desk.settle()
    desk.complete()


def test_an_hour_that_comes_twice_hides_nothing(station: Station, desk: Desk) -> None:
    station.params["history_days"] = 400
    desk.world.now = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # Clocks go back at one.
    for _ in range(12):
        desk.world.write()
        desk.world.now += timedelta(minutes=7)
    desk.settle()
    desk.complete()


@pytest.mark.parametrize(("fault", "error"), [("404", "TargetGone"), ("401", "AuthFailed")])
def test_a_site_without_the_interface_is_answered_with_its_feed(
    desk: Desk, fault: str, error: str
) -> None:
    desk.world.script = [fault]
    row = desk.listen()
    assert row.error_class == error
    assert "/blog/comments/feed/ with the source rss" in (row.error or "")


def test_a_rejected_comment_can_be_mapped_again(station: Station, desk: Desk) -> None:
    desk.world.write(malformed=True)
    desk.listen()
    (reject,) = rejected(desk.landing)
    with pytest.raises(ValueError, match="'content' is missing"):
        WordPress().remap(reject, station.target(), reject.at)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "site"),
        ({"site": "blog.example"}, "give http:// or https://"),
        ({"site": "https://blog.example", "tag": "x"}, "tag"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, object], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        WordPress().check(Target(source="wordpress", key="blog", params=params))
