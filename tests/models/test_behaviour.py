from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from models import registry
from models.behaviour import LANGUAGES, Case, cases, failure_rates, failures, table
from nlp.loading import load
from nlp.reader import Reading

POINT = 0.01
ONE_CASE = 1.01
"""Eight-bit sums differ between processors, and turn a case that stands on the edge."""
SUITE = """
[words]
thing = ["kettle", "jacket"]

[[test]]
capability = "plain"
name = "it broke"
kind = "minimum"
expect = "complaint"
texts = ["my {thing} broke", "bad"]

[[test]]
capability = "change"
name = "a link"
kind = "invariance"
change = { after = " https://a.example" }
texts = ["my {thing} broke"]

[[test]]
capability = "change"
name = "thanks"
kind = "direction"
direction = "down"
change = { from = "broke", to = "works" }
texts = ["my {thing} broke", "nothing to change"]
"""


class Parrot:
    """A reader that knows one word."""

    model, languages = "parrot/1", frozenset({"en"})

    def __init__(self, word: str, link: float = 0.0) -> None:
        self._word, self._link = word, link

    def read(self, texts: Sequence[str]) -> list[Reading]:
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Reading:
        chance = 0.9 * (self._word in text) + self._link * ("https" in text)
        return Reading(sentiment="neutral", complaint=chance > 0.5, complaint_probability=chance)


@pytest.fixture
def small(tmp_path: Path) -> list[Case]:
    path = tmp_path / "suite.toml"
    path.write_text(SUITE, "utf-8")
    return cases(path)


def test_templates_are_filled_and_texts_that_do_not_change_are_left_out(small: list[Case]) -> None:
    assert [case.text for case in small] == [
        *("my kettle broke", "my jacket broke", "bad"),
        *("my kettle broke", "my jacket broke"),
        *("my kettle broke", "my jacket broke"),
    ]


def test_each_kind_of_test_can_fail_and_can_hold(small: list[Case]) -> None:
    assert [case.text for case in failures(Parrot("broke"), small)] == ["bad"]
    assert failure_rates(Parrot("broke", link=-0.3), small)["change"]["failed"] == 2
    assert failure_rates(Parrot("works"), small) == {
        "plain": {"cases": 3, "failed": 3, "rate": 1.0},
        "change": {"cases": 4, "failed": 2, "rate": 0.5},
    }


def test_a_template_without_its_words_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "suite.toml"
    path.write_text(SUITE.replace("bad", "{colour}"), "utf-8")
    with pytest.raises(ValueError, match="colour"):
        cases(path)


def test_the_suite_has_some_hundreds_of_cases_of_every_capability() -> None:
    chosen = cases()
    assert len(chosen) >= 500
    capabilities = {case.test.capability for case in chosen}
    assert capabilities >= {"sarcasm", "emoji", "negation", "questions", "praise", "typos"}
    assert capabilities >= {"handles and links", "intensifiers", "hypotheticals", "wrong brand"}


def test_whose_name_it_is_is_judged_by_the_operators_words(tmp_path: Path) -> None:
    path = tmp_path / "suite.toml"
    path.write_text(
        """
        [brand]
        name = "Heron"
        not_about = ["pond"]
        [[test]]
        capability = "wrong brand"
        name = "a bird"
        kind = "minimum"
        expect = "theirs"
        texts = ["a heron by the pond", "a heron in flight"]
        [[test]]
        capability = "wrong brand"
        name = "the firm"
        kind = "minimum"
        expect = "not theirs"
        texts = ["Heron lost my parcel in a pond", "Heron lost my parcel"]
        """,
        "utf-8",
    )
    failed = [case.text for case in failures(Parrot("lost"), cases(path))]
    assert failed == ["a heron in flight", "Heron lost my parcel in a pond"]


@pytest.mark.parametrize("model", [name for name in registry.names() if name != "outcry"])
def test_a_shipped_model_fails_as_its_card_says(model: str) -> None:
    folder = registry.folder(model)
    suite = cases() if model.endswith("-en") else cases(LANGUAGES)
    stated = msgspec.json.decode((folder / "metrics.json").read_bytes())["behaviour"]
    rates = failure_rates(load(folder), suite)
    assert stated.keys() == rates.keys()
    other = {
        name: rate["rate"]
        for name, rate in rates.items()
        if abs(rate["rate"] - stated[name]["rate"]) > max(POINT, ONE_CASE / rate["cases"])
    }
    assert other == {}
    assert table(stated) in (folder / "card.md").read_text("utf-8")
