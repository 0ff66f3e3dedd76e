from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.calendars import Calendar, OpenHours

OFFICE = OpenHours(
    Calendar(zone="Africa/Johannesburg", hours={"mon-fri": "08:00-17:00", "sat": "09:00-13:00"},
             holidays="ZA")
)  # fmt: skip
HOUR = timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_time_runs_in_opening_hours_only() -> None:
    friday = utc("2026-05-08T13:00")  # 15:00 in Johannesburg
    assert OFFICE.after(friday, 2 * HOUR) == utc("2026-05-08T15:00")
    assert OFFICE.after(friday, 3 * HOUR) == utc("2026-05-09T08:00")
    assert OFFICE.after(friday, 7 * HOUR) == utc("2026-05-11T07:00")
    assert OFFICE.between(friday, utc("2026-05-11T07:00")) == 7 * HOUR


def test_nobody_works_on_a_holiday_unless_they_do() -> None:
    eve = utc("2026-04-24T14:00")  # Monday 27 April is Freedom Day
    assert OFFICE.after(eve, 6 * HOUR) == utc("2026-04-28T07:00")
    hard = Calendar(zone="Africa/Johannesburg", holidays="ZA", open=(date(2026, 4, 27),))
    assert OpenHours(hard).after(eve, 2 * HOUR) == utc("2026-04-27T07:00")
    closed = Calendar(zone="Africa/Johannesburg", closed=(date(2026, 4, 28),))
    assert OpenHours(closed).after(utc("2026-04-27T15:00"), HOUR) == utc("2026-04-29T07:00")


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-03-28T23:00", "2026-03-29T22:00"), ("2026-10-24T22:00", "2026-10-25T23:00")],
    ids=["clocks go forward", "clocks go back"],
)
def test_a_day_of_the_clock_change_has_its_real_length(start: str, end: str) -> None:
    round_the_clock = OpenHours(Calendar(zone="Europe/Berlin", hours={"mon-sun": "00:00-24:00"}))
    office = OpenHours(Calendar(zone="Europe/Berlin", hours={"mon-sun": "01:00-05:00"}))
    assert round_the_clock.between(utc(start), utc(end)) == utc(end) - utc(start)
    spent = office.between(utc(start), utc(end))
    assert spent == (3 if "03-28" in start else 5) * HOUR


def test_pauses_do_not_count() -> None:
    start = utc("2026-05-04T06:00")
    pauses = [(start + HOUR, start + 3 * HOUR), (start + 2 * HOUR, start + 4 * HOUR)]
    assert OFFICE.after(start, 2 * HOUR, pauses) == start + 5 * HOUR
    assert OFFICE.between(start, start + 5 * HOUR, pauses) == 2 * HOUR
    assert OpenHours().after(start, 2 * HOUR, pauses) == start + 5 * HOUR


@given(
    minutes=st.integers(0, 60 * 24 * 400),
    span=st.integers(1, 60 * 100),
    off=st.integers(-600, 6000),
    length=st.integers(0, 3000),
)
def test_what_is_added_can_be_measured(minutes: int, span: int, off: int, length: int) -> None:
    start = utc("2026-01-01T00:00") + timedelta(minutes=minutes)
    pause = start + timedelta(minutes=off), start + timedelta(minutes=off + length)
    due = OFFICE.after(start, timedelta(minutes=span), [pause])
    assert OFFICE.between(start, due, [pause]) == timedelta(minutes=span)
    assert due >= start + timedelta(minutes=span)


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({"zone": "Moon/Base"}, "zone"),
        ({"hours": {"funday": "08:00-17:00"}}, "days"),
        ({"hours": {"mon": "17:00-08:00"}}, "hours"),
        ({"hours": {"mon": "8-17"}}, "hours"),
        ({"hours": {}}, "never open"),
        ({"holidays": "XX"}, "holidays"),
    ],
)
def test_a_calendar_that_makes_no_sense_says_so(fields: dict[str, object], word: str) -> None:
    assert any(word in fault for fault in Calendar(**fields).faults())  # type: ignore[arg-type]
