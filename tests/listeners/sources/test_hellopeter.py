"""HelloPeter's two doors, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.sources.hellopeter import HelloPeter
from tests.listeners.conformance.desk import Desk
from tests.listeners.fakes import rejected
from tests.servers.hellopeter import Station

PUBLIC = {"slug": "harrowgate-trams", "door": "public", "accept_public_terms": True}


@pytest.fixture
def station() -> Iterator[Station]:
    """A business with pages of four reviews."""
    station = Station()
    with station.open():
        yield station


@pytest.fixture
def desk(station: Station, tmp_path: Path) -> Desk:
    """Listens to it."""
    return Desk(station, tmp_path)


@pytest.mark.parametrize("public", [False, True])
def test_both_doors_give_the_same_mention(station: Station, desk: Desk, public: bool) -> None:
    if public:
        station.params = dict(PUBLIC)
    desk.world.write()
    assert desk.listen().new == 1
    (review,) = desk.mentions()
    assert (review.kind, review.native_id, review.rating) == ("review", "1", 1.0)
    assert (review.title, review.text) == ("Late again", desk.world.posts[0].text)
    assert (review.author.id, review.author.name) == ("77", "Ann E")
    assert review.url == "https://www.hellopeter.com/harrowgate-trams/late-again-1"
    assert (review.created_at, review.time_quality) == (desk.world.posts[0].at, "assumed_zone")
    secret = station.requests[0].headers.get("apikey")
    assert secret == (None if public else "a secret"), "the key is for its own door only"


def test_a_next_page_that_is_named_after_the_last_is_not_asked_for(
    station: Station, desk: Desk
) -> None:
    desk.world.write(4)
    desk.listen()
    assert [request.query["page"] for request in station.requests] == ["1"]


def test_being_taken_for_a_robot_is_no_silence(station: Station, desk: Desk) -> None:
    station.params = dict(PUBLIC)
    desk.world.script = ["HTML"]
    assert desk.listen().error_class == "SchemaChanged"


def test_a_review_without_words_is_kept_with_its_reason(station: Station, desk: Desk) -> None:
    station.extra = {"review_content": None, "review_title": ""}
    desk.world.write()
    desk.listen()
    (reject,) = rejected(desk.landing)
    assert reject.error == "it has neither a text nor a title"
    with pytest.raises(ValueError, match="neither"):
        HelloPeter().remap(reject, station.target(), reject.at)


def test_a_review_of_which_only_the_permalink_is_known_goes_by_it(
    station: Station, desk: Desk
) -> None:
    station.extra = {"id": None}
    desk.world.write()
    desk.listen()
    assert [review.native_id for review in desk.mentions()] == ["late-again-1"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"slug": "trams"}, "set OUTCRY_HELLOPETER_KEY"),
        ({"slug": "trams", "door": "public"}, "accept_public_terms = true"),
        ({"slug": "a/../b", "api_key": "k"}, "copy it from the business's address"),
        ({"slug": "trams", "api_key": "k", "timezone": "Moon/Crater"}, "Moon/Crater"),
        ({"slug": "trams", "door": "back"}, "door"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, object], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        HelloPeter().check(Target(source="hellopeter", key="brand", params=params))
