"""A hashtag of a local Mastodon server, with the real Mastodon.py over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.landing import Landing
from listeners.ledger import LedgerRow
from listeners.mention import Deletion, Mention
from listeners.recheck import recheck
from listeners.run import collect
from listeners.sources.mastodon import Mastodon
from tests.listeners.fakes import NOW, budget, rejected, stored
from tests.servers.mastodon import MastodonServer, Status, status, too_many
from tests.servers.web import Answer, serving


class Desk:
    """A server, and a landing zone that listens to a hashtag on it."""

    def __init__(self, root: Path, server: MastodonServer, url: str) -> None:
        self.server = server
        self.landing = Landing(root)
        self.params: dict[str, object] = {"server": url, "tag": "tram"}
        self.listener = Mastodon(sleep=lambda seconds: None)
        self.runs = 0

    @property
    def target(self) -> Target:
        """The hashtag."""
        return Target(source="mastodon", key="tram", params=self.params)

    def listen(self, pages: int = 100) -> LedgerRow:
        """One run."""
        self.runs += 1
        return collect(self.listener, self.target, self.landing, f"w{self.runs}", budget(pages))

    def post(self, *numbers: int, **changes: Any) -> None:
        """Somebody writes."""
        self.server.posts += [status(number, **changes) for number in numbers]

    def mentions(self) -> list[Mention]:
        """All that is stored."""
        return [record for record in stored(self.landing) if isinstance(record, Mention)]

    def numbers(self) -> list[int]:
        """The posts that are stored, as the test numbers them."""
        return [int(mention.native_id.rpartition("/")[2]) for mention in self.mentions()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A server with pages of four posts and no posts yet."""
    server = MastodonServer([], page_size=4)
    with serving(server) as url:
        server.base = url
        yield Desk(tmp_path, server, url)


def test_a_post_becomes_a_mention(desk: Desk) -> None:
    desk.post(1, in_reply_to_id=None, spoiler_text="Rant", edited_at="2026-01-02T05:00:00.000Z")
    desk.params["owners"] = ["@ann@127.0.0.1"]
    row = desk.listen()
    assert (row.outcome, row.new, row.quota_left) == ("ok", 1, 298)
    (post,) = desk.mentions()
    assert (post.native_id, post.instance) == ("https://social.example/users/ann/statuses/1", "")
    assert (post.title, post.text, post.lang) == ("Rant", "Post 1 about the\ntram", "en")
    assert post.created_at == datetime(2026, 1, 2, 3, 0, 1, tzinfo=UTC)
    assert post.edited_at == datetime(2026, 1, 2, 5, 0, tzinfo=UTC)
    assert (post.author.handle, post.author.followers) == ("ann@127.0.0.1", 12)
    assert post.author.id == "https://social.example/users/ann"
    assert post.author.is_owner
    assert (post.engagement.likes, post.engagement.replies, post.engagement.shares) == (3, 1, 2)
    assert (post.url, post.matched) == ("https://social.example/@ann/1", ("#tram",))
    assert post.raw == desk.server.posts[0]


def test_the_first_run_takes_some_history_and_then_nothing_is_skipped(desk: Desk) -> None:
    desk.post(*range(1, 31))
    desk.params["history_pages"] = 2
    row = desk.listen()
    assert sorted(desk.numbers()) == list(range(23, 31))
    assert (row.outcome, row.cut_off, row.gaps) == ("ok", False, ())
    desk.post(*range(31, 45))
    desk.listen()
    assert sorted(desk.numbers()) == list(range(23, 45))
    assert desk.listen().got == 0


def test_a_run_that_is_cut_short_goes_on_where_it_was(desk: Desk) -> None:
    desk.post(*range(1, 31))
    while desk.listen(pages=1).cut_off:
        desk.post(len(desk.server.posts) + 1) if len(desk.server.posts) < 40 else None
    assert sorted(desk.numbers()) == list(range(11, 41))
    assert len(desk.numbers()) == len(set(desk.numbers()))


def test_a_hashtag_that_nobody_used_yet_is_listened_to_from_its_first_post(desk: Desk) -> None:
    assert (desk.listen().outcome, desk.listen().outcome) == ("ok", "ok")
    desk.post(*range(1, 31))
    desk.params["history_pages"] = 1
    desk.listen()
    assert sorted(desk.numbers()) == list(range(1, 31))


def test_a_post_deleted_between_two_pages_costs_no_other(desk: Desk) -> None:
    desk.post(*range(1, 5))
    desk.listen()
    desk.post(*range(5, 17))

    def deletes() -> None:
        if len(desk.server.posts) > 13:
            del desk.server.posts[7]  # Where the next page would have begun.

    desk.server.after_each = deletes
    desk.listen()
    left = {int(post["id"]) - 100_000 for post in desk.server.posts}
    assert left <= set(desk.numbers())


def test_only_what_was_said_in_public_is_kept(desk: Desk) -> None:
    for number, visibility in enumerate(["public", "unlisted", "private", "direct"], start=1):
        desk.post(number, visibility=visibility)
    row = desk.listen()
    assert (row.new, row.rejected) == (2, 0)


def test_who_asked_not_to_be_gathered_is_left_alone(desk: Desk) -> None:
    for number, noindex in enumerate([True, False, None], start=1):
        desk.post(number, account={"acct": "bo", "uri": "x:bo", "noindex": noindex})
    row = desk.listen()
    assert (row.new, row.rejected) == (2, 0)


def test_a_reply_names_its_parent_as_everyone_does(desk: Desk) -> None:
    desk.post(1)
    desk.listen()
    desk.post(2, in_reply_to_id="100001")
    desk.post(3, in_reply_to_id="55", account={"acct": "bo@other.example", "uri": "x:bo"})
    desk.listen()
    assert [mention.parent_id for mention in desk.mentions()] == [
        None,
        "https://social.example/users/ann/statuses/1",
        None,
    ]
    assert desk.mentions()[2].author.handle == "bo@other.example"


def test_one_malformed_post_is_rejected_as_it_was_sent(desk: Desk) -> None:
    broken: Status = {"id": "100002", "created_at": "yesterday", "visibility": "public"}
    desk.post(1, 3, 4)
    desk.server.posts.append(broken)
    row = desk.listen()
    assert (row.outcome, row.new, row.rejected) == ("ok", 3, 1)
    (bad,) = rejected(desk.landing)
    assert (bad.raw, bad.error) == (broken, "'account' is missing")
    with pytest.raises(ValueError, match="'account' is missing"):
        desk.listener.remap(bad, desk.target, NOW)


def test_a_limit_says_when_to_come_back_and_costs_nothing(desk: Desk) -> None:
    desk.post(*range(1, 10))
    desk.server.next_answers = [None, too_many((NOW + timedelta(minutes=3)).isoformat())]
    row = desk.listen()
    assert (row.outcome, row.error_class, row.new) == ("partial", "RateLimited", 4)
    assert row.retry_at is not None
    assert NOW <= row.retry_at <= NOW + timedelta(days=1)
    desk.listen()
    assert sorted(desk.numbers()) == list(range(1, 10))


def test_passing_failures_are_tried_again(desk: Desk) -> None:
    desk.post(1)
    desk.server.next_answers = [Answer(status=503), Answer(b'[{"id": "1", ')]
    assert (desk.listen().outcome, desk.numbers()) == ("ok", [1])


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (Answer(status=502), "Transient"),
        (Answer(b'[{"id": '), "Transient"),
        (Answer(b"[", promised=50), "Transient"),
        (
            Answer(b"<html>We are back soon</html>", headers={"Content-Type": "text/html"}),
            "SchemaChanged",
        ),
        (Answer(b'{"posts": []}'), "SchemaChanged"),
        (Answer(json.dumps(["what", 1]).encode()), "SchemaChanged"),
        (Answer(b'{"error": "This method requires an authenticated user"}', 422), "AuthFailed"),
        (Answer(b'{"error": "Record not found"}', 404), "TargetGone"),
    ],
)
def test_a_failure_that_lasts_has_a_class_and_one_line(
    desk: Desk, answer: Answer, outcome: str
) -> None:
    desk.post(1)
    desk.server.next_answers = [answer] * 3
    row = desk.listen()
    assert (row.outcome, row.error_class) == ("failed", outcome)
    assert len(row.error or "") < 300
    desk.server.next_answers = []
    assert desk.listen().new == 1


def test_a_feed_that_is_switched_off_is_not_taken_for_silence(desk: Desk) -> None:
    desk.server.access = {"local": "disabled", "remote": "disabled"}
    row = desk.listen()
    assert (row.outcome, row.error_class) == ("failed", "Unsupported")
    assert "another server" in (row.error or "")


def test_a_feed_for_users_only_asks_for_a_token(desk: Desk) -> None:
    desk.post(1)
    desk.server.access = {"local": "authenticated", "remote": "disabled"}
    desk.server.token = "a secret"
    row = desk.listen()
    assert (row.error_class, "give an access_token" in (row.error or "")) == ("AuthFailed", True)
    desk.params["access_token"] = "another"
    assert desk.listen().error_class == "AuthFailed"
    desk.params["access_token"] = "a secret"
    assert desk.listen().new == 1


def test_a_server_that_does_not_describe_itself_is_listened_to(desk: Desk) -> None:
    desk.post(1)
    desk.server.access = None
    assert desk.listen().new == 1


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"server": "social.example"}, "tag"),
        ({"server": "social.example", "tag": "#tram"}, "without its '#'"),
        ({"server": "", "tag": "tram"}, "server as a host"),
        ({"server": "social.example", "tag": "tram", "tags": 1}, "tags"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, object], words: str) -> None:
    target = Target(source="mastodon", key="tram", params=params)
    with pytest.raises(BadTarget, match=words):
        next(Mastodon().collect(target, None, budget()))


def look_again(desk: Desk, **changes: Any) -> LedgerRow:
    """One run of asking again."""
    desk.runs += 1
    target = msgspec.structs.replace(desk.target, params={**desk.params, **changes})
    row = recheck(desk.listener, target, desk.landing, f"w{desk.runs}", budget())
    assert row is not None
    return row


def test_what_was_edited_or_deleted_is_found_by_asking_again(desk: Desk) -> None:
    desk.post(*range(1, 46))
    desk.params["history_pages"] = 20
    desk.server.posts[44]["in_reply_to_id"] = desk.server.posts[43]["id"]
    desk.listen()
    desk.server.posts[44] |= {"content": "<p>It came</p>", "edited_at": "2026-01-02T05:00:00Z"}
    del desk.server.posts[7]
    row = look_again(desk)
    assert (row.outcome, row.changed, row.deleted) == ("ok", 1, 1)
    (edited,) = (mention for mention in desk.mentions() if mention.text == "It came")
    assert (edited.parent_id or "").endswith("/44")
    (gone,) = [record for record in stored(desk.landing) if isinstance(record, Deletion)]
    assert gone.native_id.endswith("/8")
    row = look_again(desk)
    assert (row.outcome, row.changed, row.deleted) == ("ok", 0, 0)


def test_a_server_that_shows_none_of_many_deletes_none(desk: Desk) -> None:
    desk.post(1, 2, 3)
    desk.listen()
    desk.server.posts = [status(9, host="other.example", id=desk.server.posts[0]["id"])]
    assert (look_again(desk).deleted, look_again(desk).outcome) == (0, "ok")
    desk.server.posts = []
    assert look_again(desk).deleted == 0


def test_a_server_that_is_too_old_to_be_asked_again_says_so(desk: Desk) -> None:
    desk.post(1)
    desk.listen()
    desk.server.old = True
    row = look_again(desk)
    assert (row.outcome, row.error_class) == ("failed", "Unsupported")
    assert "before Mastodon 4.3" in (row.error or "")
