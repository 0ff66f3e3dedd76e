from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.triage.build import RULES, heard, triage
from tests.triage.dict_store import DictStore
from triage.families import Families
from triage.likeness import Sketch, likeness, sketch

KETTLE = "the kettle I bought from you last week leaks all over the kitchen floor"


def made(text: str) -> Sketch:
    found = sketch(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "other",
    [
        "@acme @news THE kettle I bought from you last week leaks all over the kitchen floor!!! 😡",
        "the kettle I bought from you last week leaks all over https://t.example/1",
        "the ketle I really bought from you last week leaks all over the kitchen floor",
        "so disappointed: the kettle I bought from you last week leaks all over the kitchen floor",
    ],
    ids=["handles and emoji", "truncated", "edited", "with a beginning"],
)
def test_what_people_do_to_a_copy_leaves_it_a_copy(other: str) -> None:
    one, two = made(KETTLE), made(other)
    assert likeness(one, two) == likeness(two, one) >= 0.55
    assert set(one.keys) & set(two.keys)
    families = Families()
    assert families.place(one)[0] == families.place(two)[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (KETTLE, "my parcel was due on Monday and nobody at the depot can tell me where it is"),
        ("order 4711 was due on Monday and nobody can tell me where it is",
         "order 4712 was due on Monday and nobody can tell me where it is"),
        ("I have been on hold for 3 hours now, please help me",
         "I have been on hold for 40 minutes now, please help me"),
    ],
    ids=["another matter", "another order", "another wait"],
)  # fmt: skip
def test_what_only_sounds_alike_is_no_copy(one: str, other: str) -> None:
    assert likeness(made(one), made(other)) == 0.0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no light on Doornvlei again, since breakfast",
         "no light on Doornvlei again, a second time"),
        ("talking to somebody about my broken kettle",
         "I gave up talking to somebody at the shop about my badly broken kettle and its smell"),
        ("my parcel has not arrived and I am angry", "my parcel has not arrived and it was a gift"),
        ("your app logs me out every single time", "your app logs me out whenever my phone rings"),
    ],
    ids=["a common beginning", "a piece from all over", "another reason", "another matter"],
)  # fmt: skip
def test_similar_short_complaints_of_two_customers_stay_two_cases(one: str, other: str) -> None:
    store = DictStore()
    triage(store, [heard("1", one, "ann"), heard("2", other, "ben", 1)], RULES)
    assert sorted(ticket.voices for ticket in store.all_tickets()) == [1, 1]


def test_a_short_text_is_a_copy_of_the_same_words_only() -> None:
    assert sketch("worst bank ever, goodbye") is None
    assert sketch("") is None
    assert sketch("最悪のサービス。二度と使いません") is None


def test_a_chain_of_small_changes_leads_nowhere() -> None:
    words = KETTLE.split()
    families = Families()
    first = families.place(made(KETTLE))[0]
    for at in range(len(words)):
        words[at] = f"other{'abcdefghijklmnop'[at]}word"
        last = families.place(made(" ".join(words)))[0]
    assert last != first


def test_a_storm_and_hundreds_of_others_are_so_many_cases_and_one() -> None:
    text = "the new router you sent me drops the connection every evening and nobody answers"
    words = text.split()
    storm = [heard("0", text, "ann")]
    for n in range(400):
        edited = [*words]
        edited[n % len(words)] = ("really", "please", "again")[n % 3]
        said = f"RT @ann: {text}" if n % 2 else " ".join(edited)
        storm.append(heard(f"s{n}", said, f"fan{n}", 1 + n / 100))
    others = [
        heard(f"d{n}", f"case {1000 + n}: my invoice is wrong and nobody answers", f"p{n}", n / 10)
        for n in range(250)
    ]
    store = DictStore()
    report = triage(store, [*storm, *others], RULES)
    assert len(report.opened) == 251
    assert max(ticket.voices for ticket in store.all_tickets()) == 401
    assert report.left_out == {}


def test_labelled_near_copies_are_found_and_little_else(
    labelled_data: Path,
) -> None:
    from bench.copies import measure

    measured: Callable[..., object] = measure
    recall, precision, *_ = measured(labelled_data, 600)  # type: ignore[misc]
    found, of = recall["all"]
    right, joins = precision
    assert found / of >= 0.95
    assert right / joins >= 0.98  # the whole set, which holds real copies, is at 0.99 and more
