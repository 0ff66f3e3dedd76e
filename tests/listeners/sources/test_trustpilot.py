"""The reviews of a business unit, over real HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.mention import OwnerReply
from listeners.sources.trustpilot import Trustpilot
from tests.listeners.conformance.desk import Desk
from tests.listeners.fakes import rejected
from tests.servers.trustpilot import UNIT, Station


@pytest.fixture
def station() -> Iterator[Station]:
    """A business unit with pages of four reviews."""
    station = Station()
    with station.open():
        yield station


@pytest.fixture
def desk(station: Station, tmp_path: Path) -> Desk:
    """Listens to it."""
    return Desk(station, tmp_path)


def test_a_review_becomes_a_mention(station: Station, desk: Desk) -> None:
    reply = {"text": "We are sorry", "createdAt": "2026-01-02T03:04:05Z"}
    station.extra = {"companyReply": reply, "updatedAt": "2026-01-02T00:00:00Z"}
    desk.world.write()
    assert desk.listen().new == 1
    (review,) = desk.mentions()
    assert (review.kind, review.rating, review.rating_max) == ("review", 1.0, 5.0)
    assert (review.title, review.text) == ("Late", desk.world.posts[0].text)
    assert (review.author.id, review.author.name) == ("c7", "Ann")
    assert review.place is not None
    assert (review.place.country, review.container, review.lang) == ("GB", UNIT, "en")
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert review.owner_reply == OwnerReply(text="We are sorry", at=at)
    assert review.edited_at == datetime(2026, 1, 2, tzinfo=UTC)
    assert review.url == f"https://www.trustpilot.com/reviews/{review.native_id}"


def test_stars_with_a_title_alone_are_a_review_and_without_words_none(
    station: Station, desk: Desk
) -> None:
    station.extra = {"text": ""}
    desk.world.write()
    desk.listen()
    assert [(m.title, m.text) for m in desk.mentions()] == [(None, "Late")]
    station.extra = {"text": None, "title": " "}
    desk.listen()
    (reject,) = rejected(desk.landing)
    assert reject.error == "it has neither a text nor a title"
    with pytest.raises(ValueError, match="neither"):
        Trustpilot().remap(reject, station.target(), reject.at)


def test_a_key_that_is_refused_is_named_and_not_shown(station: Station, desk: Desk) -> None:
    station.params["api_key"] = "an old one"
    row = desk.listen()
    assert row.error_class == "AuthFailed"
    assert "OUTCRY_TRUSTPILOT_KEY" in (row.error or "")
    assert "an old one" not in (row.error or "")


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "business_unit"),
        ({"business_unit": "brand.example", "api_key": "k"}, "look it up by domain"),
        ({"business_unit": UNIT}, "OUTCRY_TRUSTPILOT_KEY"),
        ({"business_unit": UNIT, "api_key": "k", "pages": 3}, "pages"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, object], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        Trustpilot().check(Target(source="trustpilot", key="brand", params=params))
