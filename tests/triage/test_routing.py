from __future__ import annotations

import csv
from pathlib import Path

import pytest

from triage.departments import DEPARTMENTS, Department
from triage.routing import Router

ROUTER = Router(DEPARTMENTS)


@pytest.mark.parametrize(
    ("text", "department"),
    [
        ("I was BILLED for it, and the invoices are wrong", "billing"),
        ("nobody delivered the parcels", "delivery"),
        ("No signal since noon", "outages and faults"),
        ("the zip is broken, it fell apart", "product quality"),
        ("your agents were so rude", "staff and service"),
        ("I want my money back", "cancellations and refunds"),
        ("I can’t log in, somebody hacked me", "account and security"),
        ("my lawyer will be in touch", "legal and regulator"),
        ("you are the worst", None),
        ("rude about the bill", None),
        ("@billing https://parcel.test/delivery", None),
    ],
)
def test_words_point_to_a_department_or_to_none(text: str, department: str | None) -> None:
    assert ROUTER.route(text).department == department


def test_cues_point_too() -> None:
    route = ROUTER.route("all dark here", ["outage"])
    assert route.department == "outages and faults"
    assert route.words == ("outage",)


def test_a_cue_for_a_department_that_is_not_there_says_nothing() -> None:
    router = Router([Department(name="shop", phrases=("till",))])
    assert router.route("the tills are down", ["outage"]).department == "shop"


def test_a_longer_phrase_outweighs_a_single_word() -> None:
    assert ROUTER.route("put on hold about my refund").department == "staff and service"


def test_a_tie_abstains_and_says_between_what() -> None:
    assert ROUTER.route("rude about the bill").words == ("bill", "rude")


REASONS = {
    "Customer Service Issue": "staff and service",
    "Flight Attendant Complaints": "staff and service",
    "longlines": "staff and service",
    "Cancelled Flight": "cancellations and refunds",
    "Lost Luggage": "delivery",
    "Damaged Luggage": "product quality",
    "Late Flight": "outages and faults",
    "Flight Booking Problems": "account and security",
}
"""What the airline rows call the reason, where a department can be held responsible."""


def test_the_phrases_hold_their_own_on_real_complaints(labelled_data: Path) -> None:
    with (labelled_data / "airline.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["negativereason"] in REASONS]
    routed = [(REASONS[row["negativereason"]], ROUTER.route(row["text"])) for row in rows]
    taken = [(wanted, route.department) for wanted, route in routed if route.department]
    coverage = len(taken) / len(rows)
    precision = sum(wanted == found for wanted, found in taken) / len(taken)
    assert coverage > COVERAGE_FLOOR
    assert precision > PRECISION_FLOOR


COVERAGE_FLOOR, PRECISION_FLOOR = 0.4, 0.5


SHOP = tuple(
    Department(name=name, examples=examples, phrases=phrases)
    for name, phrases, examples in (
        ("till", ("receipt",), tuple(f"the till took {n} coins too many" for n in range(8))),
        ("oven", ("bread",), tuple(f"loaf number {n} was burnt black" for n in range(8))),
        ("garden", ("hedge",), ()),
    )
)


def test_examples_decide_and_say_how_sure_they_are() -> None:
    route = Router(SHOP).route("my loaf is burnt again")
    assert route.department == "oven"
    assert route.probability is not None
    assert 0.6 <= route.probability <= 1


def test_a_department_without_examples_is_found_by_its_phrases() -> None:
    route = Router(SHOP).route("the hedge is in my way")
    assert (route.department, route.probability) == ("garden", None)


def test_where_the_examples_are_not_certain_the_phrases_decide() -> None:
    assert Router(SHOP).route("zzz qqq receipt").department == "till"
    assert Router(SHOP).route("zzz qqq").department is None


def test_too_few_examples_change_nothing() -> None:
    few = tuple(Department(name=one.name, phrases=one.phrases) for one in SHOP)
    assert Router(few).route("bread, where is my bread").department == "oven"
    assert Router(few).route("my loaf is burnt again").department is None
