from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.triage.build import NOW, RULES, START, brand, heard, only_ticket, triage
from tests.triage.dict_store import DictStore
from triage.priority import CUE_WORDS, Facts, explain, in_stream, score, total
from triage.ticket import Part


def facts(**known: Any) -> Facts:
    plain: dict[str, Any] = {
        "source": "mastodon",
        "language": "en",
        "read": True,
        "probability": 0.9,
        "start": START,
        "last_at": START,
    }
    return Facts(**(plain | known))


@pytest.mark.parametrize(
    ("known", "tier"),
    [
        ({}, "P3"),
        ({"severity": 4}, "P3"),
        ({"probability": 1.0}, "P2"),
        ({"cues": ("safety",)}, "P1"),
        ({"cues": ("safety",), "probability": 0.4}, "P2"),
        ({"cues": ("legal",)}, "P2"),
        ({"cues": ("churn",)}, "P2"),
        ({"cues": ("outage",), "voices": 8}, "P2"),
        ({"cues": ("outage",), "voices": 40, "reach": 90_000, "probability": 0.97}, "P1"),
        ({"probability": 0.55}, "P4"),
        ({"read": False, "probability": None}, "P4"),
    ],
)
def test_the_weights_out_of_the_box_make_sense(known: dict[str, Any], tier: str) -> None:
    assert score(facts(**known), RULES, START).tier == tier


@given(
    known=st.fixed_dictionaries(
        {
            "probability": st.none() | st.floats(0, 1),
            "severity": st.none() | st.integers(0, 4),
            "cues": st.lists(st.sampled_from(sorted(CUE_WORDS)), unique=True).map(tuple),
            "reach": st.none() | st.integers(0, 10**9),
            "voices": st.integers(1, 500),
            "complaints": st.integers(1, 9),
            "threads": st.integers(1, 9),
            "read": st.booleans(),
            "last_answer_at": st.none() | st.just(NOW),
        }
    ),
    hours=st.integers(0, 200),
)
def test_the_parts_add_up_and_stay_in_bounds(known: dict[str, Any], hours: int) -> None:
    now = START + timedelta(hours=hours)
    place = score(facts(**known), RULES, now)
    tenths = sum(round(part.points * 10) for part in place.parts)
    assert all(part.points == round(part.points, 1) for part in place.parts)
    assert place.priority == min(100, max(0, (tenths + 5) // 10))
    assert place.refresh_at is None or place.refresh_at > now
    assert all(part.words for part in place.parts)


def test_a_half_is_rounded_upwards() -> None:
    parts = [Part(name="a", points=0.3, words=""), Part(name="b", points=0.2, words="")]
    assert total(parts) == 1


def test_waiting_lifts_a_ticket_step_by_step_but_never_moves_its_deadline() -> None:
    sure = facts(probability=0.99)
    due = score(sure, RULES, START).sla_due
    points = []
    now = START
    while (place := score(sure, RULES, now)).refresh_at is not None:
        points.append(place.priority)
        assert place.sla_due == due
        now = place.refresh_at
    points.append(place.priority)
    assert points == sorted(set(points))
    assert len(points) == 5
    assert now == due


@given(
    junk=st.floats(0, 0.3),
    sure=st.floats(0.95, 1),
    cues=st.lists(st.sampled_from(sorted(CUE_WORDS)), unique=True).map(tuple),
    reach=st.integers(0, 10**9),
    hours=st.integers(0, 10_000),
)
def test_nothing_lifts_what_hardly_is_a_complaint_above_what_surely_is(
    junk: float, sure: float, cues: tuple[str, ...], reach: int, hours: int
) -> None:
    late = START + timedelta(hours=hours)
    noisy = facts(probability=junk, severity=4, cues=cues, reach=reach, voices=500)
    assert score(noisy, RULES, late).priority < score(facts(probability=sure), RULES, late).priority


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.99))
def test_a_stream_with_fewer_complaints_moves_probabilities_but_not_their_order(
    one: float, other: float, share: float
) -> None:
    low, high = sorted((one, other))
    assert 0 <= in_stream(low, share) <= in_stream(high, share) + 1e-12 <= 1 + 1e-9


def test_where_somebody_may_come_to_harm_the_clock_is_short_however_uncertain() -> None:
    calm = score(facts(probability=0.1, cues=("safety",)), RULES, START)
    assert (calm.tier, calm.sla_due) == ("P2", START + timedelta(hours=RULES.sla_hours["P2"]))
    likely = score(facts(probability=0.5, cues=("safety",)), RULES, START)
    assert (likely.tier, likely.sla_due) == ("P1", START + timedelta(hours=RULES.sla_hours["P1"]))


def test_the_explanation_adds_up_to_the_priority() -> None:
    store = DictStore()
    triage(
        store,
        [
            heard("1", cues=("safety", "repeat_contact"), severity=3, probability=0.873),
            heard("2", "RT @ann: the kettle I bought leaks all over", "ben", 1),
            brand("3", 5, parent_id="1"),
        ],
    )
    ticket = only_ticket(store)
    *lines, last = explain(ticket)
    total_of_lines = sum(float(line.split()[0]) for line in lines)
    assert float(last.split()[0]) == pytest.approx(total_of_lines)
    assert f"priority {ticket.priority}, {ticket.tier}" in last
    assert any("somebody may come to harm" in line for line in lines)
    assert any("answered" in line for line in lines)
