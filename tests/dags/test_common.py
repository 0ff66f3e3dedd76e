"""The pure helpers of the DAGs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dags.common import NoWindow, window_start

pytestmark = pytest.mark.airflow

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def test_a_scheduled_run_takes_its_partition_key_as_utc() -> None:
    assert window_start(None, "2026-05-04T12:00:00") == NOON


def test_the_parameter_wins_over_the_partition_key() -> None:
    assert window_start("2026-05-04T12:00:00Z", "2026-05-04T13:00:00") == NOON


def test_a_time_with_an_offset_becomes_utc() -> None:
    start = window_start("2026-05-04T14:00:00+02:00", None)
    assert (start, start.utcoffset()) == (NOON, timedelta(0))


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_run_without_a_window_says_how_to_trigger_it(nothing: str | None) -> None:
    with pytest.raises(NoWindow, match="trigger it with window_start, such as"):
        window_start(nothing, None)


def test_what_is_no_time_is_named() -> None:
    with pytest.raises(NoWindow, match="'yesterday' is not a time: write it like"):
        window_start("yesterday", None)


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_time_comes_back_however_it_is_written(at: datetime) -> None:
    assert window_start(at.isoformat(), None) == at
    assert window_start(None, at.replace(tzinfo=None).isoformat()) == at
