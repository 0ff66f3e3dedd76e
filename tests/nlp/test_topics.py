from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.topics import LEAST_EXAMPLES, Topics, learn

BIRDS = tuple(f"bird {n} sang on the roof" for n in range(12))
BOATS = tuple(f"boat {n} sank in the harbour" for n in range(12))


@pytest.fixture(scope="module")
def topics() -> Topics:
    found = learn({"birds": BIRDS, "boats": BOATS})
    assert found is not None
    return found


def test_what_was_learnt_is_told_apart(topics: Topics) -> None:
    one, other = topics.read(["a bird on our roof", "sank right there in the harbour"])
    assert one["birds"] > 0.7
    assert other["boats"] > 0.7


@given(st.lists(st.text(), max_size=3))
def test_probabilities_of_any_text_sum_to_one(topics: Topics, texts: list[str]) -> None:
    for chances in topics.read(texts):
        assert set(chances) == {"birds", "boats"}
        assert sum(chances.values()) == pytest.approx(1)


def test_a_text_is_read_alike_alone_and_in_company(topics: Topics) -> None:
    texts = ["a bird", "two boats", "", "neither"]
    for together, alone in zip(
        topics.read(texts), (topics.read([t])[0] for t in texts), strict=True
    ):
        assert together == pytest.approx(alone)


def test_the_order_of_examples_does_not_matter(topics: Topics) -> None:
    again = learn({"boats": BOATS[::-1], "birds": BIRDS[::-1]})
    assert again is not None
    assert again.read(["a boat"]) == topics.read(["a boat"])


def test_few_examples_teach_nothing() -> None:
    few = BIRDS[: LEAST_EXAMPLES - 1]
    assert learn({"birds": few, "boats": BOATS}) is None
    assert learn({"birds": [few[0]] * 50, "boats": BOATS}) is None
    assert learn({}) is None


def test_an_encoder_adds_to_the_words() -> None:
    def embed(texts: Sequence[str]) -> np.ndarray:
        return np.array(
            [[3.0 * ("vessel" in t or "boat" in t), 3.0 * ("bird" in t)] for t in texts]
        )

    with_it, without = (
        learn({"birds": BIRDS, "boats": BOATS}, embed),
        learn({"birds": BIRDS, "boats": BOATS}),
    )
    assert with_it is not None
    assert without is not None
    assert with_it.read(["vessel"])[0]["boats"] > without.read(["vessel"])[0]["boats"]
