"""Reviews of an app on a local Apple, with the real app-reviews over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listeners.contract import Budget, Target
from listeners.errors import AuthFailed, BadTarget
from listeners.ledger import LedgerRow
from listeners.run import collect
from listeners.sources.app_store import AppStore
from tests.listeners.conformance.desk import Desk
from tests.listeners.conformance.faults import FAULTS
from tests.listeners.fakes import LOOPBACK
from tests.servers.app_store import APP, PublicStation, Station
from tests.servers.station import json_answer
from tests.servers.web import Answer


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """App Store Connect; pages of four."""
    made = Desk(Station(), tmp_path)
    with made.station.open():
        yield made


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Desk]:
    """The feed of one country."""
    made = Desk(PublicStation(), tmp_path)
    with made.station.open():
        yield made


def station(desk: Desk) -> Station:
    """The far end, by its own class."""
    assert isinstance(desk.station, Station)
    return desk.station


def listen_later(desk: Desk, days: float) -> LedgerRow:
    """A run, so many days from now."""
    desk.runs += 1
    now = datetime.now(UTC) + timedelta(days=days)
    allowed = Budget(max_pages=100, now=now, reach=LOOPBACK)
    window = f"w{desk.runs:03}"
    return collect(desk.station.listener(), desk.station.target(), desk.landing, window, allowed)


def test_a_review_becomes_a_mention(desk: Desk) -> None:
    desk.world.write(text="The tram\r\nis late ")
    station(desk).answers[1] = "We are sorry"
    row = desk.listen()
    assert (row.outcome, row.new, row.quota_left) == ("ok", 1, 3499)
    (review,) = desk.mentions()
    assert (review.native_id, review.instance) == ("connect-00001", "")
    assert (review.title, review.text) == ("Late", "The tram\nis late")
    assert (review.kind, review.container, review.rating, review.rating_max) == (
        "review",
        APP,
        2,
        5,
    )
    assert review.place is not None
    assert (review.place.country, review.author.name) == ("ZA", "Ann")
    assert review.created_at == desk.world.posts[0].at
    assert review.owner_reply is not None
    assert (review.owner_reply.text, review.owner_reply.at) == ("We are sorry", review.created_at)
    assert review.url == f"https://apps.apple.com/za/app/id{APP}"
    assert review.raw["data"]["id"] == "connect-00001"
    assert len(review.raw["included"]) == 1


def test_the_feed_says_the_same_for_one_country(public: Desk) -> None:
    public.world.write()
    public.listen()
    (review,) = public.mentions()
    assert (review.native_id, review.instance, review.flags) == ("feed-00001", "za", ("scraped",))
    assert (review.title, review.text) == ("Late", "Post 1: the tram is late")
    assert (review.rating, review.engagement.likes, review.author.name) == (2, 3, "Ann")
    assert review.author.url == "https://itunes.apple.com/za/1"


def test_where_the_json_feed_is_silent_the_xml_feed_is_read(public: Desk) -> None:
    here = public.station
    assert isinstance(here, PublicStation)
    here.json_fails, here.page_size = True, 50  # after a shorter page, silence is the end
    public.world.write(6)
    public.world.write(malformed=True)
    public.settle()
    public.complete()
    assert {review.text for review in public.mentions()} >= {"Post 1: the tram is late"}


def test_a_feed_that_falls_silent_is_reported(public: Desk) -> None:
    assert public.listen().gaps == ()
    public.world.write(3)
    public.listen()
    public.world.posts.clear()
    row = public.listen()
    assert row.gaps == ("the feed of za is empty, though it had reviews before",)


def test_what_lies_beyond_ten_pages_is_a_gap(public: Desk) -> None:
    public.world.now -= timedelta(days=20)
    public.world.write(2)
    listen_later(public, -19)
    public.world.now += timedelta(days=19)
    public.world.write(50)
    row = public.listen()
    assert (row.new, len(row.gaps)) == (40, 1)


def test_an_edit_of_last_month_is_heard_within_a_week(desk: Desk) -> None:
    desk.world.now -= timedelta(days=20)
    desk.world.write(6)
    desk.world.now += timedelta(days=20)
    desk.world.write(6)
    listen_later(desk, -19)
    desk.settle()
    desk.world.edit(desk.world.posts[0], "Better now")
    assert listen_later(desk, 1).changed == 0
    assert listen_later(desk, 8).changed == 1
    assert listen_later(desk, 9).got <= 8


def test_a_cursor_that_leads_elsewhere_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = {"data": [], "links": {"next": "https://elsewhere.example/v1/users"}}
    monkeypatch.setattr(station(desk), "answer", lambda request: json_answer(away))
    row = desk.listen()
    assert row.error_class == "SchemaChanged"
    assert len(station(desk).requests) == 1


def test_a_key_is_wanted_before_anything_is_asked() -> None:
    with pytest.raises(AuthFailed, match="OUTCRY_APP_STORE_KEY_ID"):
        AppStore().check(Target(source="app_store", key="a", params={"app": APP}))


def test_one_country_can_be_asked_for(desk: Desk) -> None:
    station(desk).params["country"] = "za"
    desk.listen()
    assert station(desk).requests[0].query["filter[territory]"] == "ZAF"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"private_key": None}, "OUTCRY_APP_STORE_PRIVATE_KEY"),
        ({"private_key": "s3cret"}, "PEM"),
        ({"private_key": "-----BEGIN PRIVATE KEY----- s3cret"}, "not be loaded"),
    ],
)
def test_a_key_that_cannot_be_used_is_not_shown(
    desk: Desk, changes: dict[str, Any], words: str
) -> None:
    station(desk).params.update(changes)
    row = desk.listen()
    assert row.error_class == "AuthFailed"
    assert words in (row.error or "")
    assert "s3cret" not in (row.error or "")


SOME = ("1 item", "403", "cut off", "deleted", "malformed")


@pytest.mark.parametrize("fault", SOME)
def test_the_feed_stands_a_fault(public: Desk, fault: str) -> None:
    FAULTS[fault](public)


def test_the_apps_own_entry_is_no_review(public: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    own = b'{"feed": {"entry": [{"im:name": {"label": "Tram"}, "id": {"label": "1"}}]}}'
    monkeypatch.setattr(public.station, "answer", lambda request: Answer(own))
    row = public.listen()
    assert (row.outcome, row.got, row.rejected) == ("ok", 0, 0)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"app": "com.example.tram"}, "app"),
        ({"app": APP, "interface": "public"}, "name it"),
        ({"app": APP, "interface": "public", "country": "ZA"}, "country"),
        ({"app": APP, "country": "xx"}, "no store"),
        ({"app": APP, "stars": 2}, "stars"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        AppStore().check(Target(source="app_store", key="a", params=params))
