"""Times as files and feeds write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.times import parse_time

MOMENT = datetime(2017, 10, 31, 22, 10, 47, tzinfo=UTC)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(
    min_value=datetime(2002, 1, 1), max_value=datetime(2200, 1, 1), timezones=ZONES
).map(lambda at: at.replace(microsecond=0))


@pytest.mark.parametrize(
    "text",
    [
        "2017-10-31T22:10:47Z",
        "2017-10-31 22:10:47+00:00",
        "2017-10-31 15:10:47 -0700",
        "2017-11-01T00:10:47+02:00",
        "Tue Oct 31 22:10:47 +0000 2017",
        "Tue Oct 31 15:10:47 -0700 2017",
        "Tue, 31 Oct 2017 22:10:47 GMT",
        "Tue, 31 Oct 2017 15:10:47 -0700",
        "31 Oct 2017 22:10:47 +0000",
        "1509487847",
        "1509487847.0",
        "1509487847000",
        " 2017-10-31T22:10:47Z ",
    ],
)
def test_the_usual_forms_are_the_same_moment(text: str) -> None:
    assert parse_time(text) == (MOMENT, "server")
    assert parse_time(text)[0].tzinfo is UTC


def test_numbers_are_seconds() -> None:
    assert parse_time(1509487847)[0] == MOMENT
    assert parse_time(1509487847.5)[0] == MOMENT + timedelta(seconds=0.5)


def test_a_zone_is_taken_from_the_settings_or_not_at_all() -> None:
    with pytest.raises(ValueError, match="has no time zone: set timezone"):
        parse_time("2017-10-31 22:10:47")
    berlin = ZoneInfo("Europe/Berlin")
    assert parse_time("2017-10-31 23:10:47", berlin) == (MOMENT, "assumed_zone")
    assert parse_time("Tue, 31 Oct 2017 23:10:47", berlin) == (MOMENT, "assumed_zone")
    assert parse_time("2017-10-31", berlin)[1] == "day_only"
    assert parse_time("2017-10-31T22:10:47Z", berlin) == (MOMENT, "server")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "20171031",
        "31/10/2017",
        "Tue Foo 31 22:10:47 +0000 2017",
        "2017-13-01",
        "12",
    ],
)
def test_what_is_not_a_time_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text, UTC)


def test_a_moment_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="out of range"):
        parse_time("0001-01-01T00:00:00+14:00")


@given(MOMENTS)
def test_every_form_of_every_moment_is_read_back(at: datetime) -> None:
    twitter = at.strftime("%z %Y")
    day, _, month = format_datetime(at).replace(",", "").split()[:3]
    for text in (
        at.isoformat(),
        format_datetime(at),
        f"{day} {month} {at.day:02} {at:%H:%M:%S} {twitter}",
        at.strftime("%Y-%m-%d %H:%M:%S %z"),
        str(int(at.timestamp())),
    ):
        assert parse_time(text)[0] == at, text


@given(st.text(max_size=40))
def test_anything_else_is_a_value_error(text: str) -> None:
    try:
        at, _ = parse_time(text, UTC)
    except ValueError:
        return
    assert at.tzinfo is UTC
