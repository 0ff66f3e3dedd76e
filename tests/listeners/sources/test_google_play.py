"""Reviews of an app on a local Google, with the real app-reviews over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listeners.contract import Budget, Target
from listeners.errors import AuthFailed, BadTarget
from listeners.ledger import LedgerRow
from listeners.run import collect
from listeners.sources.google_play import GooglePlay
from tests.listeners.conformance.desk import Desk
from tests.listeners.conformance.faults import FAULTS
from tests.listeners.fakes import LOOPBACK, rejected
from tests.servers.google_play import APP, PublicStation, Station, service_account
from tests.servers.station import json_answer
from tests.servers.web import Answer


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """The official interface; pages of four."""
    made = Desk(Station(), tmp_path)
    with made.station.open():
        yield made


@pytest.fixture
def public(tmp_path: Path) -> Iterator[Desk]:
    """The store's page."""
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
    allowed = Budget(max_pages=100, now=datetime.now(UTC) + timedelta(days=days), reach=LOOPBACK)
    window = f"w{desk.runs:03}"
    return collect(desk.station.listener(), desk.station.target(), desk.landing, window, allowed)


def test_a_review_becomes_a_mention(desk: Desk) -> None:
    desk.world.write(text="Old habit\tThe tram is late")
    stamp = {"seconds": "1795000000", "nanos": 250_000_000}
    station(desk).developer[1] = {"text": "We are sorry", "lastModified": stamp}
    row = desk.listen()
    assert (row.outcome, row.new) == ("ok", 1)
    (review,) = desk.mentions()
    assert (review.native_id, review.kind, review.container) == ("gp:00001", "review", APP)
    assert (review.title, review.text, review.lang) == ("Old habit", "The tram is late", "en")
    assert (review.rating, review.rating_max, review.engagement.likes) == (2, 5, 3)
    assert review.author.name == "Ann"
    assert review.created_at == desk.world.posts[0].at + timedelta(microseconds=5)
    assert review.owner_reply is not None
    assert (review.owner_reply.text, review.flags) == ("We are sorry", ())
    assert review.owner_reply.at == datetime.fromtimestamp(1795000000.25, UTC)
    assert review.url == (f"https://play.google.com/store/apps/details?id={APP}&reviewId=gp:00001")
    assert review.raw["reviewId"] == "gp:00001"


def test_the_stores_page_says_the_same_by_position(public: Desk) -> None:
    public.world.write()
    public.listen()
    (review,) = public.mentions()
    assert (review.native_id, review.text) == ("public-00001", "Post 1: the tram is late")
    assert (review.rating, review.engagement.likes, review.author.name) == (2, 3, "Ann")
    assert review.created_at == public.world.posts[0].at + timedelta(microseconds=5)
    assert review.flags == ("scraped",)


def test_what_is_stored_is_not_stored_again_however_long_ago_it_was_read(desk: Desk) -> None:
    desk.world.write(9)
    assert (desk.listen().new, desk.listen().got) == (9, 0)
    desk.world.edit(desk.world.posts[3], "Better now")
    row = desk.listen()
    assert (row.got, row.changed) == (1, 1)


def test_more_than_a_week_without_listening_is_a_gap(desk: Desk) -> None:
    desk.world.write(2)
    desk.listen()
    assert listen_later(desk, 6).gaps == ()
    (gap,) = listen_later(desk, 14).gaps
    assert "a week only" in gap
    assert listen_later(desk, 15).gaps == ()


def test_a_page_token_of_yesterday_costs_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.world.write(11)
    desk.listen(pages=1)
    here, refused = station(desk), []
    good = here.answer

    def answer(request: Any) -> Answer:
        if "token" in request.query and not refused:
            refused.append(request)
            return json_answer({"error": {"message": "Invalid page token"}}, 400)
        return good(request)

    monkeypatch.setattr(here, "answer", answer)
    desk.settle()
    desk.complete()
    assert len(refused) == 1


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (None, "OUTCRY_GOOGLE_PLAY_SERVICE_ACCOUNT"),
        ("-----BEGIN", "no key file"),
        (json.dumps({"client_email": "a@b.example", "private_key": "s3cret"}), "PEM"),
    ],
)
def test_a_key_that_cannot_be_used_is_not_shown(
    desk: Desk, account: str | None, words: str
) -> None:
    station(desk).params["service_account"] = account
    row = desk.listen()
    assert row.error_class == "AuthFailed"
    assert words in (row.error or "")
    assert "s3cret" not in (row.error or "")
    if words != "PEM":
        with pytest.raises(AuthFailed, match=words):
            GooglePlay().check(desk.station.target())


def test_a_key_that_google_refuses_is_named(desk: Desk) -> None:
    station(desk).signing_in = 400
    row = desk.listen()
    assert row.error_class == "AuthFailed"
    assert json.loads(service_account())["private_key"] not in (row.error or "")


def test_a_limit_in_the_words_of_google_is_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    here = station(desk)
    good, reason = here.answer, {"error": {"errors": [{"reason": "rateLimitExceeded"}]}}
    monkeypatch.setattr(
        here, "answer", lambda r: json_answer(reason, 403) if here.is_page(r) else good(r)
    )
    assert desk.listen().error_class == "RateLimited"


def test_a_review_with_stars_beyond_the_scale_is_rejected(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.world.write(2)
    monkeypatch.setattr(station(desk), "answer", _with_stars(station(desk), 9))
    desk.listen()
    assert {bad.error for bad in rejected(desk.landing)} == {"'9' is not a number of stars"}


def _with_stars(here: Station, stars: int) -> Any:
    good = here.answer

    def answer(request: Any) -> Answer:
        said = good(request)
        return Answer(said.body.replace(b'"starRating": 2', f'"starRating": {stars}'.encode()))

    return answer


SOME = ("403", "cut off", "deleted", "malformed")


@pytest.mark.parametrize("fault", SOME)
def test_the_stores_page_stands_a_fault(public: Desk, fault: str) -> None:
    FAULTS[fault](public)


def test_a_store_that_hides_its_reviews_is_not_taken_for_one_without(public: Desk) -> None:
    public.world.script = ["blocked"]
    row = public.listen()
    assert (row.outcome, row.error_class) == ("partial", "RateLimited")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "app"),
        ({"app": "tram"}, "app"),
        ({"app": APP, "interface": "secret"}, "interface"),
        ({"app": APP, "country": "za"}, "country"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        GooglePlay().check(Target(source="google_play", key="a", params=params))
