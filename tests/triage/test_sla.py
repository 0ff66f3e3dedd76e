from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triage.build import START, heard, only_ticket, triage
from tests.triage.dict_store import DictStore
from triage import life, sla
from triage.rules import Rules

CLOCK = sla.Clock(start=START, due=START + timedelta(hours=4))


def test_a_source_may_have_targets_of_its_own() -> None:
    rules = Rules(sla_hours_by_source={"hellopeter": {"P2": 2}})
    assert sla.target(rules, "P2", "hellopeter") == timedelta(hours=2)
    assert sla.target(rules, "P1", "hellopeter") == sla.target(rules, "P1", "rss")


@pytest.mark.parametrize(
    ("hours", "state", "steps"),
    [(-1, "ok", 0), (0, "ok", 0), (1, "ok", 1), (3, "breaching soon", 3), (4, "overdue", 4)],
)
def test_the_clock_goes_in_quarters_until_it_is_overdue(
    hours: float, state: str, steps: int
) -> None:
    now = START + timedelta(hours=hours)
    assert CLOCK.state(now) == state
    assert CLOCK.steps(now) == steps


@given(minutes=st.integers(-100, 1000))
def test_the_next_step_is_where_the_steps_change(minutes: int) -> None:
    now = START + timedelta(minutes=minutes)
    at = CLOCK.next_step(now)
    if at is None:
        assert CLOCK.steps(now) == sla.STEPS
    else:
        assert at > now
        assert CLOCK.steps(at) == CLOCK.steps(now) + 1
        assert CLOCK.steps(at - timedelta(microseconds=1)) == CLOCK.steps(now)


def test_a_contact_stops_the_clock_for_good() -> None:
    store = DictStore()
    triage(store, [heard("1")], now=START)
    ticket = only_ticket(store)
    rules = Rules()
    assert sla.state(ticket, ticket.sla_due, rules) == "overdue"
    held = life.claim(ticket, "eve", START, timedelta(hours=99)).ticket
    in_time = life.contact(held, "eve", ticket.sla_due).ticket
    assert sla.state(in_time, ticket.sla_due + timedelta(days=9), rules) == "kept"
    late = life.contact(held, "eve", ticket.sla_due + timedelta(seconds=1)).ticket
    assert sla.state(late, ticket.sla_due + timedelta(days=9), rules) == "breached"
    assert sla.clock_of(late).next_step(START) is None
