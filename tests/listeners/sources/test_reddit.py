"""A search and a comment listing of a local Reddit, with the real praw over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listeners.contract import Budget, Known, Target
from listeners.errors import BadTarget, SchemaChanged
from listeners.mention import Deletion
from listeners.recheck import recheck
from listeners.sources.reddit import Reddit
from tests.listeners.conformance.desk import Desk
from tests.listeners.fakes import LOOPBACK, budget, rejected, stored
from tests.servers.reddit import KEYS, Station
from tests.servers.station import json_answer
from tests.servers.web import Answer


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A search; pages of four."""
    made = Desk(Station(), tmp_path)
    with made.station.open():
        yield made


def station(desk: Desk) -> Station:
    """The far end, by its own class."""
    assert isinstance(desk.station, Station)
    return desk.station


def listens_to_comments(desk: Desk, *words: str) -> None:
    """The target is the comments of two subreddits from now on."""
    here = station(desk)
    here.params = {"account": "brand-bot", "subreddits": ["tram", "bus"], "words": words, **KEYS}
    here.kind = "t1"


def look_again(desk: Desk, *names: str) -> dict[str, str]:
    """What is said of things: the reason why they are gone, or their text."""
    now = datetime.now(UTC)
    batch = [Known(native_id=name, instance="", created_at=now) for name in names]
    listener = Reddit(oauth_url=station(desk).url, reddit_url=station(desk).url)
    allowed = Budget(max_pages=1, now=now, reach=LOOPBACK)
    found = listener.recheck(batch, desk.station.target(), allowed)
    return {r.native_id: r.reason if isinstance(r, Deletion) else r.text for r in found}


def test_a_post_becomes_a_mention(desk: Desk) -> None:
    here = station(desk)
    here.params["owners"] = ["Ann"]
    here.changes[1] = {"over_18": True, "edited": desk.world.now.timestamp() + 60}
    desk.world.write()
    row = desk.listen()
    assert (row.outcome, row.new, row.quota_left) == ("ok", 1, 99)
    (post,) = desk.mentions()
    assert (post.native_id, post.kind, post.container) == ("t3_00001", "post", "tram")
    assert (post.title, post.text) == ("Title 1", "Post 1: the tram is late")
    assert post.created_at == desk.world.posts[0].at
    assert post.edited_at == post.created_at + timedelta(minutes=1)
    assert (post.author.id, post.author.handle, post.author.is_owner) == ("t2_ann", "ann", True)
    assert (post.engagement.score, post.engagement.replies) == (3, 2)
    assert post.url == "https://www.reddit.com/r/tram/comments/00001/title/"
    assert (post.matched, post.flags, post.parent_id) == (("tram",), ("nsfw",), None)
    assert post.raw["name"] == "t3_00001"


def test_a_link_without_words_is_its_title(desk: Desk) -> None:
    station(desk).changes[1] = {"selftext": ""}
    desk.world.write()
    desk.listen()
    (post,) = desk.mentions()
    assert (post.title, post.text) == (None, "Title 1")


def test_every_request_says_who_asks(desk: Desk) -> None:
    desk.world.write()
    desk.listen()
    agents = {request.headers["user-agent"] for request in station(desk).requests}
    assert len(agents) == 1
    assert agents.pop().startswith("server:outcry:1 (by /u/brand-bot)")
    listing = station(desk).requests[-1]
    assert (listing.path, listing.query["q"]) == ("/r/all/search", "tram")
    assert (listing.query["sort"], listing.query["limit"]) == ("new", "100")


def test_of_comments_those_are_kept_that_hold_a_word(desk: Desk) -> None:
    listens_to_comments(desk, "LATE", "refund")
    desk.world.write()
    desk.world.write(text="A fine day")
    desk.world.write(9)
    desk.settle()
    assert sorted(int(m.native_id[3:]) for m in desk.mentions()) == [1, *range(3, 12)]
    comment = desk.mentions()[0]
    assert (comment.kind, comment.title, comment.matched) == ("comment", None, ("LATE",))
    assert (comment.parent_id, comment.root_id) == ("t1_a0", "t3_b0")
    assert station(desk).requests[-1].path == "/r/tram+bus/comments"


def test_comments_without_the_word_tell_how_far_down_we_are_all_the_same(desk: Desk) -> None:
    listens_to_comments(desk, "nobody says this")
    desk.world.now -= timedelta(hours=5)
    desk.world.write(36)
    desk.world.now += timedelta(hours=2)
    desk.world.write(4)
    desk.listen()
    before = len(station(desk).requests)
    desk.world.now += timedelta(hours=2)
    desk.world.write(5)
    row = desk.listen()
    assert (row.got, row.gaps) == (0, ())
    assert (
        len(station(desk).requests) - before == 1 + 3
    )  # a token, and the pages down to an hour before


def test_what_was_removed_or_whose_author_left_goes(desk: Desk) -> None:
    desk.world.write(4)
    desk.listen()
    station(desk).changes = {
        1: {"selftext": "[removed]"},
        2: {"author": "[deleted]"},
        3: {"removed_by_category": "moderator"},
    }
    row = desk.listen()
    assert (row.new, row.deleted) == (0, 3)
    gone = {r.native_id: r.reason for r in stored(desk.landing) if isinstance(r, Deletion)}
    assert gone == {"t3_00001": "removed", "t3_00002": "account deleted", "t3_00003": "removed"}


def test_what_reddit_leaves_out_when_asked_again_is_gone(desk: Desk) -> None:
    desk.world.write(3)
    station(desk).changes[2] = {"selftext": "[removed]"}
    assert look_again(desk, "t3_00001", "t3_00002", "t3_99999") == {
        "t3_00001": "Post 1: the tram is late",
        "t3_00002": "removed",
        "t3_99999": "gone",
    }


def test_looking_again_finds_edits_and_deletions(desk: Desk) -> None:
    desk.world.write(5)
    desk.listen()
    desk.world.delete(desk.world.posts[0])
    desk.world.edit(desk.world.posts[0], "Better now")
    listener, target = desk.station.listener(), desk.station.target()
    row = recheck(listener, target, desk.landing, "w9", budget(now=datetime.now(UTC)))
    assert row is not None
    assert (row.outcome, row.deleted, row.got) == ("ok", 1, 2)
    assert "Better now" in [mention.text for mention in desk.mentions()]


def test_that_all_is_gone_is_believed_of_a_look_up_that_finds_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.world.write()
    names = [f"t3_9{number:04}" for number in range(10)]
    assert set(look_again(desk, *names).values()) == {"gone"}
    here = station(desk)
    good = here.answer
    monkeypatch.setattr(
        here, "answer", lambda r: here.blocked(r) if r.path == "/api/info" else good(r)
    )
    with pytest.raises(SchemaChanged, match="all of 10"):
        look_again(desk, *names)


def test_a_listing_that_ends_before_what_is_known_leaves_a_gap(desk: Desk) -> None:
    desk.world.now -= timedelta(hours=9)
    desk.world.write(2)
    desk.listen()
    station(desk).most = 8
    desk.world.now += timedelta(hours=8)
    desk.world.write(12)
    row = desk.listen()
    assert (row.new, len(row.gaps)) == (8, 1)
    assert "listen more often" in row.gaps[0]


def test_a_post_that_was_deleted_where_the_next_run_goes_on_costs_no_other(desk: Desk) -> None:
    desk.world.write(8)
    assert desk.listen(pages=1).cut_off
    for post in (desk.world.posts[4], desk.world.posts[5]):  # the last ones of the first page
        desk.world.delete(post)
    desk.listen()
    assert {1, 2, 3, 4} <= {int(m.native_id[3:]) for m in desk.mentions()}


def test_when_nothing_is_left_nothing_more_is_asked(desk: Desk) -> None:
    desk.world.write(12)
    station(desk).remaining = 0.4
    row = desk.listen()
    assert (row.outcome, row.error_class, row.new) == ("partial", "RateLimited", 4)
    assert row.retry_at is not None
    assert 200 < (row.retry_at - datetime.now(UTC)).total_seconds() <= 300


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (json_answer({"reason": "private", "message": "Forbidden", "error": 403}, 403), "gone"),
        (json_answer({"reason": "banned", "message": "Not Found", "error": 404}, 404), "gone"),
        (Answer(status=302, headers={"Location": "/subreddits/search?q=x"}), "gone"),
        (json_answer({"message": "Forbidden", "error": 403}, 403), "AuthFailed"),
        (json_answer({"data": {}}), "SchemaChanged"),
    ],
)
def test_an_answer_that_is_no_listing_has_its_class(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, answer: Answer, outcome: str
) -> None:
    listens_to_comments(desk)
    here = station(desk)
    good = here.answer
    monkeypatch.setattr(here, "answer", lambda r: answer if here.is_page(r) else good(r))
    row = desk.listen()
    assert row.error_class == {"gone": "TargetGone"}.get(outcome, outcome), row


def test_a_wrong_secret_is_not_shown(desk: Desk) -> None:
    station(desk).params["client_secret"] = "a wrong secret"
    row = desk.listen()
    assert row.error_class == "AuthFailed"
    assert "wrong" not in (row.error or "")


def test_without_a_credential_it_says_which(desk: Desk) -> None:
    del station(desk).params["client_secret"]
    row = desk.listen()
    assert row.error_class == "AuthFailed"
    assert "OUTCRY_REDDIT_CLIENT_SECRET" in (row.error or "")
    assert station(desk).requests == []


def test_a_thing_that_is_neither_is_rejected(desk: Desk) -> None:
    desk.world.write(2)
    station(desk).changes[1] = {"name": "t5_tram"}
    desk.listen()
    (bad,) = rejected(desk.landing)
    assert bad.error == "'t5_tram' is neither a post nor a comment"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"query": "tram"}, "account"),
        ({"account": "x-bot"}, "give a query, or subreddits"),
        ({"account": "x-bot", "query": "tram", "words": ["late"]}, "put them into the query"),
        ({"account": "x-bot", "subreddits": ["r/tram"]}, "subreddits"),
        ({"account": "x-bot", "query": "tram", "limit": 5}, "limit"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        next(Reddit().collect(Target(source="reddit", key="a", params=params), None, budget()))
