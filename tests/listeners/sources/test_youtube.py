"""The comments of videos on a local YouTube, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from listeners.contract import Budget, Known, Target
from listeners.errors import BadTarget
from listeners.ledger import LedgerRow
from listeners.mention import Deletion
from listeners.run import collect
from listeners.sources.youtube import YouTube
from tests.listeners.conformance.desk import Desk
from tests.listeners.fakes import LOOPBACK, budget
from tests.servers.station import Post, fetcher
from tests.servers.youtube import CHANNEL, VIDEO, Station, refusal

OTHER = "tram-video2"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """The comments of one video; pages of four."""
    made = Desk(Station(), tmp_path)
    with made.station.open():
        yield made


def station(desk: Desk) -> Station:
    """The far end, by its own class."""
    assert isinstance(desk.station, Station)
    return desk.station


def listen_later(desk: Desk, hours: float, pages: int = 100, **changes: Any) -> LedgerRow:
    """A run, so many hours from now."""
    desk.runs += 1
    now = datetime.now(UTC) + timedelta(hours=hours)
    allowed = Budget(max_pages=pages, now=now, reach=LOOPBACK, **changes)
    window = f"w{desk.runs:03}"
    return collect(desk.station.listener(), desk.station.target(), desk.landing, window, allowed)


def asked(desk: Desk, kind: str) -> list[dict[str, str]]:
    """The queries of one kind."""
    return [dict(r.query) for r in station(desk).requests if r.path.endswith(f"/{kind}")]


def answers(desk: Desk, number: int, count: int) -> None:
    """So many people answer a comment."""
    replies = station(desk).replies.setdefault(number, [])
    for _ in range(count):
        desk.world.now += timedelta(seconds=1)
        replies.append(Post(1000 * number + len(replies), desk.world.now, "Same here"))


def test_a_comment_becomes_a_mention(desk: Desk) -> None:
    station(desk).params["owners"] = ["@ann"]
    desk.world.write()
    desk.world.edit(desk.world.posts[0], "Late again")
    answers(desk, 1, 1)
    row = desk.listen()
    assert (row.outcome, row.new) == ("ok", 2)
    reply, comment = desk.mentions()
    assert (comment.native_id, comment.kind, comment.text) == ("Ug00001", "comment", "Late again")
    assert comment.created_at == desk.world.posts[0].at
    assert comment.edited_at == desk.world.posts[0].edited_at
    assert (comment.author.id, comment.author.handle) == ("UCann", "ann")
    assert comment.author.is_owner
    assert (comment.engagement.likes, comment.engagement.replies) == (3, 1)
    assert comment.url == f"https://www.youtube.com/watch?v={VIDEO}&lc=Ug00001"
    assert (comment.container, comment.parent_id) == (CHANNEL, None)
    assert (reply.parent_id, reply.root_id) == ("Ug00001", "Ug00001")
    assert comment.raw["snippet"]["topLevelComment"]["id"] == "Ug00001"


def test_the_key_is_in_no_address(desk: Desk) -> None:
    desk.world.write()
    desk.listen()
    assert all("key" not in request.query for request in station(desk).requests)


def test_a_thread_with_more_replies_than_it_shows_is_read_to_its_end(desk: Desk) -> None:
    desk.world.write(2)
    answers(desk, 1, 3)
    answers(desk, 2, 9)
    row = desk.listen()
    assert (row.outcome, row.new) == ("ok", 2 + 3 + 9)
    assert [query["parentId"] for query in asked(desk, "comments")] == ["Ug00002"] * 3


def test_reading_replies_goes_on_in_the_next_run(desk: Desk) -> None:
    desk.world.write(1)
    answers(desk, 1, 9)
    for _ in range(3):
        desk.listen(pages=2)
    row = desk.listen()
    assert (row.new, row.cut_off, len(desk.mentions())) == (0, False, 10)


def test_answers_to_an_old_thread_are_heard_some_hours_later(desk: Desk) -> None:
    desk.world.now -= timedelta(days=3)
    desk.world.write(5)
    desk.world.now += timedelta(days=3)
    desk.world.write(1)
    desk.listen()
    answers(desk, 1, 7)
    assert listen_later(desk, 1).new == 0
    row = listen_later(desk, 7)
    assert (row.outcome, row.new) == ("ok", 7)
    assert listen_later(desk, 8).new == 0
    assert listen_later(desk, 24 * 20).outcome == "ok"


def test_a_search_finds_the_videos_to_read_and_is_not_repeated_each_time(desk: Desk) -> None:
    here = station(desk)
    here.params = {"query": "tram", "api_key": here.params["api_key"], "max_videos": 2}
    here.videos = {VIDEO: desk.world.now, OTHER: desk.world.now - timedelta(days=2)}
    desk.world.write(2)
    row = desk.listen()
    assert (row.outcome, row.new, row.gaps) == ("ok", 2, ())
    assert desk.mentions()[0].matched == ("tram",)
    assert {query["videoId"] for query in asked(desk, "commentThreads")} == {VIDEO, OTHER}
    desk.listen()
    assert len(asked(desk, "search")) == 1
    here.videos["tram-video3"] = desk.world.now + timedelta(minutes=1)
    row = listen_later(desk, 7)
    assert row.gaps == ("more videos match than the 2 newest, whose comments are read",)
    assert len(asked(desk, "search")) == 2


def test_without_searches_left_the_videos_known_are_read(desk: Desk) -> None:
    here = station(desk)
    here.params = {"query": "tram", "api_key": here.params["api_key"]}
    here.videos = {VIDEO: desk.world.now}
    here.searches_left = 0
    assert desk.listen().error_class == "QuotaExhausted"
    here.searches_left = 1
    desk.listen()
    desk.world.write(2)
    row = listen_later(desk, 7)
    assert (row.outcome, row.new, len(row.gaps)) == ("ok", 2, 1)
    assert "not searched for until" in row.gaps[0]


def test_searches_and_calls_are_counted_apart(desk: Desk) -> None:
    class Till:
        taken: ClassVar[list[tuple[float, str]]] = []

        def take(self, amount: float, what: str) -> None:
            self.taken.append((amount, what))

        def correct(self, by: float, what: str) -> None:
            raise AssertionError(by)

        def left(self, what: str) -> float | None:
            return {"calls": 9000.0}.get(what)

        def block(self, until: datetime) -> None:
            raise AssertionError(until)

    here = station(desk)
    here.params = {"query": "tram", "api_key": here.params["api_key"]}
    here.videos = {VIDEO: desk.world.now}
    desk.world.write(5)
    row = listen_later(desk, 0, allowance=Till())
    used = {what: sum(a for a, w in Till.taken if w == what) for what in ("searches", "calls")}
    assert used == {"searches": 1, "calls": 2}
    assert row.quota_left == 9000


def test_a_video_without_comments_is_a_gap_and_no_error(desk: Desk) -> None:
    here = station(desk)
    here.params["videos"] = [VIDEO, OTHER]
    here.closed = {VIDEO: refusal("commentsDisabled")}
    desk.world.write(2)
    row = desk.listen()
    assert (row.outcome, row.new) == ("ok", 2)
    assert row.gaps == (f"{VIDEO} has no comments to read: commentsDisabled",)
    desk.listen()
    listen_later(desk, 25)
    videos = [q["videoId"] for q in asked(desk, "commentThreads") if "videoId" in q]
    assert videos == [VIDEO, OTHER, OTHER, VIDEO, OTHER]


def test_the_only_video_that_is_not_there_is_a_target_that_is_gone(desk: Desk) -> None:
    station(desk).closed = {VIDEO: refusal("videoNotFound", 404)}
    assert desk.listen().error_class == "TargetGone"
    station(desk).closed = {VIDEO: refusal("commentsDisabled")}
    assert desk.listen().outcome == "ok"


def test_every_video_has_its_turn_however_small_the_budget(desk: Desk) -> None:
    station(desk).params["videos"] = [VIDEO, OTHER, "tram-video3"]
    desk.world.write(1)
    for _ in range(3):
        desk.listen(pages=1)
    assert {query["videoId"] for query in asked(desk, "commentThreads")} == {
        *station(desk).params["videos"]
    }


@pytest.mark.parametrize(
    ("reason", "status", "outcome"),
    [
        ("quotaExceeded", 403, "QuotaExhausted"),
        ("rateLimitExceeded", 403, "RateLimited"),
        ("accessNotConfigured", 403, "AuthFailed"),
        ("badRequest", 400, "SchemaChanged"),
    ],
)
def test_a_refusal_has_its_class(desk: Desk, reason: str, status: int, outcome: str) -> None:
    station(desk).closed = {VIDEO: refusal(reason, status)}
    row = desk.listen()
    assert row.error_class == outcome, row


def test_a_spent_day_ends_at_midnight_in_california(desk: Desk) -> None:
    station(desk).closed = {VIDEO: refusal("quotaExceeded")}
    winter = datetime(2026, 1, 10, 9, 30, tzinfo=UTC) - datetime.now(UTC)
    row = listen_later(desk, winter.total_seconds() / 3600)
    assert row.retry_at == datetime(2026, 1, 11, 8, 0, tzinfo=UTC)


def test_without_a_key_it_says_which(desk: Desk) -> None:
    del station(desk).params["api_key"]
    row = desk.listen()
    assert row.error_class == "AuthFailed"
    assert "OUTCRY_YOUTUBE_API_KEY" in (row.error or "")


def test_a_page_token_of_yesterday_costs_nothing(desk: Desk) -> None:
    desk.world.write(11)
    desk.listen(pages=1)
    station(desk).old_tokens = True
    desk.settle()
    desk.complete()


def test_what_youtube_leaves_out_when_asked_again_is_gone(desk: Desk) -> None:
    desk.world.write(2)
    answers(desk, 1, 1)
    names = ["Ug00001", "Ug00001.Ug01000", "Ug00077"]
    batch = [Known(native_id=n, instance="", created_at=desk.world.now) for n in names]
    listener = YouTube(fetcher(), address=station(desk).url)
    found = list(listener.recheck(batch, desk.station.target(), budget()))
    said = {r.native_id: r.reason if isinstance(r, Deletion) else r.text for r in found}
    assert said == dict(zip(names, ["Post 1: the tram is late", "Same here", "gone"], strict=True))


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "one of videos, channel and query"),
        ({"videos": [VIDEO], "query": "tram"}, "one of videos, channel and query"),
        ({"videos": ["https://youtu.be/x"]}, "videos"),
        ({"channel": "@brand"}, "channel"),
        ({"query": "tram", "pages": 3}, "pages"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        YouTube().check(Target(source="youtube", key="a", params=params))
