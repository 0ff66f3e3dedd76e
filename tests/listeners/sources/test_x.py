"""X's search and look-up, over real HTTP: what it costs, what was deleted, what was edited."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listeners.contract import Budget, Target
from listeners.errors import BadTarget
from listeners.ledger import LedgerRow
from listeners.mention import Deletion
from listeners.recheck import recheck
from listeners.run import collect
from listeners.sources.x import X
from listeners.sources.x.client import Search
from tests.listeners.conformance.desk import Desk
from tests.listeners.fakes import LOOPBACK, NOW, rejected, stored
from tests.servers.station import json_answer
from tests.servers.web import Answer
from tests.servers.x import Station


@pytest.fixture
def station() -> Iterator[Station]:
    """A query with pages of four posts."""
    station = Station()
    station.one_purse = True
    with station.open():
        yield station


@pytest.fixture
def desk(station: Station, tmp_path: Path) -> Desk:
    """Listens to it."""
    return Desk(station, tmp_path)


def budget_in(desk: Desk, station: Station, days: float) -> Budget:
    """The budget of a run so many days from now, by X's clock too."""
    station.now = datetime.now(UTC) + timedelta(days=days)
    allowance = station.allowance(desk.landing.root)
    return Budget(max_pages=100, now=station.now, reach=LOOPBACK, allowance=allowance)


def listen_in(desk: Desk, station: Station, days: float) -> LedgerRow:
    """A run so many days from now."""
    desk.runs += 1
    budget = budget_in(desk, station, days)
    return collect(station.listener(), station.target(), desk.landing, f"w{desk.runs}", budget)


def look_again_in(desk: Desk, station: Station, days: float) -> LedgerRow:
    """A re-check so many days from now."""
    desk.runs += 1
    budget = budget_in(desk, station, days)
    row = recheck(station.listener(), station.target(), desk.landing, f"r{desk.runs}", budget)
    assert row is not None
    return row


def spent(desk: Desk, station: Station) -> float:
    """What the credential has cost so far, in dollars."""
    left = station.allowance(desk.landing.root).left("usd")
    assert left is not None
    return round(station.cap - left, 6)


def refusing(answer: Answer, station: Station, times: int = 1) -> None:
    """The next requests get this answer."""
    good = station.answer
    left = [answer] * times
    station.answer = lambda request: left.pop() if left else good(request)  # type: ignore[method-assign]


def test_a_post_becomes_a_mention(station: Station, desk: Desk) -> None:
    station.extra = {
        "text": "Short &amp; cut…",
        "note_tweet": {"text": "Long &amp; whole"},
        "conversation_id": "5",
        "referenced_tweets": [{"type": "replied_to", "id": "6"}, {"type": "quoted", "id": "7"}],
        "possibly_sensitive": True,
        "geo": {"place_id": "p1"},
    }
    desk.world.write()
    row = desk.listen()
    assert (row.outcome, row.new, row.quota_left) == ("ok", 1, 449)
    (post,) = desk.mentions()
    assert (post.text, post.lang) == ("Long & whole", "en")
    assert (post.parent_id, post.root_id, post.repost_of) == ("6", "5", None)
    assert (post.engagement.likes, post.engagement.shares) == (3, 2)
    assert (post.author.id, post.author.handle, post.flags) == ("77", None, ("nsfw",))
    assert post.place is not None
    assert (post.place.native_id, post.matched) == ("p1", ("harrowgate -is:retweet",))
    assert post.url == f"https://x.com/i/status/{post.native_id}"


def test_both_spellings_of_a_repost_are_read(station: Station, desk: Desk) -> None:
    station.params["owners"] = ["77"]
    station.extra = {
        "referenced_posts": [{"type": "reposted", "id": "6"}],
        "public_metrics": {"repost_count": 9},
        "lang": "qme",
    }
    desk.world.write()
    desk.listen()
    (post,) = desk.mentions()
    assert (post.repost_of, post.engagement.shares, post.lang) == ("6", 9, None)
    assert post.author.is_owner


def test_what_was_heard_is_not_paid_for_again(station: Station, desk: Desk) -> None:
    desk.world.write(6)
    while desk.listen(pages=1).cut_off:
        pass
    desk.listen()
    assert station.billed == 6
    assert spent(desk, station) == 0.03


def test_a_cap_is_kept(station: Station, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station, "page_size", 100)
    station.cap = 0.1
    desk.world.write(30)
    row = desk.listen()
    assert (row.outcome, row.error_class, row.new) == ("partial", "QuotaExhausted", 20)
    assert row.retry_at is not None
    assert (row.retry_at.day, row.retry_at.hour) == (1, 0)
    assert (station.billed, desk.listen().new, spent(desk, station)) == (20, 0, 0.1)
    station.one_purse, station.cap = False, 50.0
    desk.settle()
    desk.complete()


def test_without_a_cap_nothing_is_asked(station: Station, desk: Desk) -> None:
    desk.world.write()
    budget = Budget(max_pages=1, now=datetime.now(UTC), reach=LOOPBACK)
    with pytest.raises(BadTarget, match="is off, since every post costs money"):
        next(station.listener().collect(station.target(), None, budget))
    assert station.requests == []


def test_what_fails_costs_nothing_and_users_are_billed_too(station: Station, desk: Desk) -> None:
    desk.world.write(3)
    desk.world.script = ["5xx"] * 3
    assert desk.listen().error_class == "Transient"
    assert spent(desk, station) == 0
    search = Search(query="q", with_authors=True)
    answer = {"data": [{"id": "1"}] * 3, "includes": {"users": [{"id": "7"}]}}
    assert search.price(answer) == pytest.approx(0.025)
    assert search.usd_each == pytest.approx(0.015)


def test_answers_that_cannot_be_read_are_paid_for(station: Station, desk: Desk) -> None:
    desk.world.write(3)
    desk.world.script = ["cut off", "HTML"]
    assert desk.listen().error_class == "SchemaChanged"
    assert spent(desk, station) == 2 * 100 * 0.005
    desk.world.script = ["cut off"]
    assert desk.listen().new == 3
    assert spent(desk, station) == 3 * 100 * 0.005 + 3 * 0.005


def test_a_deleted_post_is_found_out_on_the_days_for_it(station: Station, desk: Desk) -> None:
    desk.world.write(6)
    desk.settle()
    gone = desk.world.posts[2]
    desk.world.delete(gone)
    assert look_again_in(desk, station, 0.5).deleted == 0
    assert station.billed == 6, "it is nobody's day"
    row = look_again_in(desk, station, 1.5)
    assert (row.outcome, row.deleted, row.changed) == ("ok", 1, 0)
    assert (station.billed, spent(desk, station)) == (11, 0.055)
    (deletion,) = [record for record in stored(desk.landing) if isinstance(record, Deletion)]
    assert deletion.native_id == station.id_of(gone)
    assert look_again_in(desk, station, 3.5).deleted == 0
    assert station.billed == 11
    look_again_in(desk, station, 7.5)
    assert station.billed == 16


def test_an_edited_post_that_is_looked_up_keeps_its_last_words(
    station: Station, desk: Desk
) -> None:
    desk.world.write(2)
    desk.settle()
    desk.world.edit(desk.world.posts[0], "It came, after all")
    assert desk.listen().changed == 1
    row = look_again_in(desk, station, 1.5)
    assert (row.changed, row.deleted) == (0, 0)


def test_an_edited_post_is_the_same_post(station: Station, desk: Desk) -> None:
    desk.world.write(2)
    desk.settle()
    desk.world.edit(desk.world.posts[0], "It came, after all")
    assert desk.listen().changed == 1
    first, *_, last = sorted(desk.mentions(), key=lambda mention: mention.native_id)
    assert [m.text for m in desk.mentions() if m.edited_at] == ["It came, after all"]
    assert len({first.native_id, last.native_id}) == 2


def test_silence_of_more_than_a_week_is_a_gap(station: Station, desk: Desk) -> None:
    desk.world.write(1)
    desk.settle()
    assert listen_in(desk, station, 6).gaps == ()
    row = listen_in(desk, station, 9)
    assert row.gaps == (), "nobody wrote anything, and we were there"
    row = listen_in(desk, station, 17)
    assert len(row.gaps) == 1
    assert "X searches seven days back" in row.gaps[0]
    assert "since_id" not in station.requests[-1].query


def test_a_token_that_is_not_taken_any_more_costs_no_post(station: Station, desk: Desk) -> None:
    desk.world.write(10)
    desk.listen(pages=1)
    refused = {"title": "Invalid Request", "detail": "next_token is not valid"}
    refusing(json_answer(refused, 400), station)
    desk.settle()
    desk.complete()


@pytest.mark.parametrize(
    ("status", "problem", "error", "words"),
    [
        (429, {"type": "https://api.x.com/2/problems/usage-capped"}, "QuotaExhausted", "billing"),
        (402, {"title": "CreditsDepleted"}, "QuotaExhausted", "billing"),
        (403, {"reason": "usage-capped"}, "QuotaExhausted", "billing"),
        (429, {"title": "Too Many Requests"}, "RateLimited", "come back"),
        (401, {"title": "Unauthorized"}, "AuthFailed", "OUTCRY_X_TOKEN"),
        (400, {"detail": "no such operator"}, "BadTarget", "no such operator"),
    ],
)
def test_refusals_are_told_apart(
    station: Station, desk: Desk, status: int, problem: Any, error: str, words: str
) -> None:
    refusing(json_answer(problem, status), station, times=3)
    row = desk.listen()
    assert (row.error_class, words in (row.error or "")) == (error, True), row
    assert "a secret" not in (row.error or "")


def test_a_rejected_post_can_be_mapped_again(station: Station, desk: Desk) -> None:
    desk.world.write(malformed=True)
    desk.listen()
    (reject,) = rejected(desk.landing)
    with pytest.raises(ValueError, match="'author_id' is missing"):
        X().remap(reject, station.target(), NOW)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"query": "trams"}, "OUTCRY_X_TOKEN"),
        ({"query": "t" * 513, "bearer_token": "t"}, "512"),
        ({"query": "t", "recheck_after_days": [0, 8]}, "other days than 1 to 7"),
        ({"bearer_token": "t"}, "query"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, object], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        X().check(Target(source="x", key="brand", params=params))
