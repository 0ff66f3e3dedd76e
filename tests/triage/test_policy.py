"""Whom the brand may contact when, and the words for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.errors import BadRules
from triage.policy import ContactPolicy, Person, verdict

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POLICY = ContactPolicy()
ANN = Person(customer="c1", source="mastodon")


def test_an_ordinary_customer_may_be_contacted_at_noon() -> None:
    assert verdict(ANN, POLICY, NOON).allowed


@pytest.mark.parametrize(
    ("person", "words"),
    [
        (Person(customer="", source="mastodon"), "nobody knows"),
        (Person(customer="c", source="mastodon", opted_out="wrote: leave me alone"), "leave me"),
        (Person(customer="c", source="hackernews"), "no contact on hackernews"),
        (Person(customer="c", source="rss", contacts=(NOON,)), "no contact on rss"),
        (Person(customer="c", source="x", contacts=(NOON - timedelta(hours=5),)), "once in 24 h"),
        (Person(customer="c", source="x", zone="Asia/Tokyo"), "it is 21:00 in Asia/Tokyo"),
    ],
)
def test_who_may_not_is_told_why(person: Person, words: str) -> None:
    answer = verdict(person, POLICY, NOON)
    assert not answer.allowed
    assert words in answer.why


def test_the_operator_decides_about_networks() -> None:
    person = Person(customer="c", source="hackernews")
    assert verdict(person, ContactPolicy(allowed=("hackernews",)), NOON).allowed
    closed = ContactPolicy(forbidden={"x": "the contract says so"})
    assert "contract" in verdict(Person(customer="c", source="x"), closed, NOON).why


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),
    st.sampled_from(["Africa/Johannesburg", "America/New_York", "Europe/Berlin", "Asia/Kolkata"]),
    st.sampled_from([("21:00", "08:00"), ("12:00", "14:30"), ("00:00", "07:00")]),
)
def test_the_time_that_is_named_is_the_end_of_the_quiet_hours(
    now: datetime, zone: str, hours: tuple[str, str]
) -> None:
    policy = ContactPolicy(quiet_from=hours[0], quiet_until=hours[1])
    person = Person(customer="c", source="mastodon", zone=zone)
    answer = verdict(person, policy, now)
    if not answer.allowed:
        assert answer.after is not None
        assert now < answer.after <= now + timedelta(hours=25)
        assert verdict(person, policy, answer.after).allowed
        assert not verdict(person, policy, answer.after - timedelta(minutes=1)).allowed


def test_settings_that_make_no_sense_are_refused() -> None:
    for bad in (
        ContactPolicy(quiet_from="9pm"),
        ContactPolicy(zone="Mars/Base"),
        ContactPolicy(rest_hours=-1),
    ):
        with pytest.raises(BadRules, match="contact"):
            bad.check()
