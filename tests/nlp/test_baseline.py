from __future__ import annotations

import math
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.artefact import COMPLAINT
from nlp.baseline import Baseline, load_baseline, sigmoid, softmax
from nlp.evidence import MOST_WORDS, strongest
from nlp.text import MODEL_CHARACTERS, form, tokens
from tests.nlp import small_model

TEXTS = [
    "the parcel is broken and I am angry",
    "lovely",
    "",
    "@acme BROKEN broken again!! https://example.org/x",
    "\U0001f621 angry \ud800 \x00",
    "word " * 300,
]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    return load_baseline(
        small_model.write(tmp_path_factory.mktemp("model"), broken=2.0, angry=1.0, lovely=-2.0)
    )


def test_memory_stays_flat_over_a_stream_of_new_words() -> None:
    weights = small_model.weights(broken=2.0)
    # Texts of 200 words, so that it forgets at every third.
    reader = Baseline(small_model.metadata(b""), weights, remembered=500)
    held = []
    tracemalloc.start()
    for start in range(5):
        for at in range(start * 12, start * 12 + 12):
            reader.read([" ".join(small_model.word(at * 200 + n) for n in range(200))])
        form.cache_clear()  # it has a bound of its own
        held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert held[-1] < 1.2 * held[0]  # five times as much without a bound


def test_words_move_the_score_the_way_their_weights_say(baseline: Baseline) -> None:
    broken, lovely = baseline.read(["it is broken", "it is lovely"])
    assert broken.complaint
    assert broken.severity in (1, 2, 3, 4)
    assert not lovely.complaint
    assert lovely.severity == 0
    assert broken.evidence[0].text == "broken"
    assert broken.evidence[0].weight > 0 > lovely.evidence[0].weight


def test_a_reading_has_the_same_bits_in_any_batch(baseline: Baseline, tmp_path: Path) -> None:
    together = baseline.read(TEXTS)
    assert [baseline.read([text])[0] for text in TEXTS] == together
    assert baseline.read(TEXTS[::-1])[::-1] == together
    fresh = load_baseline(small_model.write(tmp_path, broken=2.0, angry=1.0, lovely=-2.0))
    assert [fresh.read([text])[0] for text in reversed(TEXTS)][::-1] == together


def test_a_reading_has_the_same_bits_from_any_thread(baseline: Baseline) -> None:
    alone = baseline.read(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for readings in pool.map(lambda _: baseline.read(TEXTS), range(24)):
            assert readings == alone


def test_evidence_adds_up_to_the_score(baseline: Baseline) -> None:
    text = "broken angry lovely"
    score = float(baseline.scores([text])[0, COMPLAINT])
    assert sum(item.weight for item in baseline.read([text])[0].evidence) == pytest.approx(
        score, abs=1e-3
    )


@settings(max_examples=60)
@given(st.lists(st.text(), max_size=5))
def test_any_text_can_be_read(texts: list[str]) -> None:
    model = Baseline(small_model.metadata(b""), small_model.weights(broken=2.0))
    for text, reading in zip(texts, model.read(texts), strict=True):
        assert reading.sentiment_probabilities is not None
        assert math.fsum(reading.sentiment_probabilities.values()) == pytest.approx(1.0)
        assert reading.complaint_probability is not None
        assert 0.0 <= reading.complaint_probability <= 1.0
        for item in reading.evidence:
            assert text[item.start : item.end] == item.text


def test_a_text_is_read_up_to_the_stated_length(baseline: Baseline) -> None:
    start = "word " * (MODEL_CHARACTERS // 5)
    assert baseline.read([start + "broken " * 1000]) == baseline.read([start])


def test_no_words_are_shown_that_tell_nothing() -> None:
    text = "@brand 123 !!! broken https://example.org"
    evidence = strongest(text, tokens(text), [9.0, 9.0, 9.0, 0.5, 9.0])
    assert [(item.text, item.start) for item in evidence] == [("broken", 15)]


def test_a_word_is_shown_once_and_weak_ones_never() -> None:
    text = "Bad bad weak a b c d e f g"
    evidence = strongest(text, tokens(text), [1.0, 2.0, 0.01, *[0.5] * 7])
    assert len(evidence) == MOST_WORDS
    assert (evidence[0].text, evidence[0].start) == ("bad", 4)
    assert "weak" not in {item.text for item in evidence}


def test_softmax_and_sigmoid_do_not_overflow() -> None:
    assert softmax([1000.0, 0.0, -1000.0])[0] == 1.0
    assert sigmoid(-1000.0) == 0.0
    assert sigmoid(1000.0) == 1.0
    assert sigmoid(0.0) == 0.5
