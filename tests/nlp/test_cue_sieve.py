from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.cue_sieve import Sieve
from nlp.cues import CueFinder, load_cues
from tests.nlp.cue_sentences import SENTENCES
from tests.nlp.cue_sentences_blind import PRODUCTS
from tests.nlp.cue_sentences_blind import SENTENCES as MORE

TEXTS = [text for text, _ in (*SENTENCES, *MORE)]
WORDS = sorted({word for text in TEXTS for word in text.split()})
JOINTS = ["", " ", "  ", "'", "\u2019", "-", ".", "...", ",", "/", "_", "5", "?", "\n", "é", "😡"]
NAMES = {"Café 9": (), "東京": (), "Σας": (), **PRODUCTS}


def finder() -> CueFinder:
    return load_cues(products=NAMES)


CLOSED = finder()
OPEN = finder()
OPEN._sieve.add([["\u00e9"]])  # Every text is cut into words where a phrase has no ASCII letter.
CLOSED._sieve._open = False  # The names above would open it, too.


def test_a_sieve_with_a_name_in_other_letters_lets_everything_through() -> None:
    assert OPEN._sieve.lets_through("nothing of interest")
    assert finder()._sieve.lets_through("nothing of interest")


@pytest.mark.parametrize("text", TEXTS)
def test_no_labelled_sentence_is_held_back(text: str) -> None:
    assert CLOSED.find([text]) == OPEN.find([text])


@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(JOINTS)), max_size=8))
def test_what_is_held_back_has_no_cue(pieces: list[tuple[str, str]]) -> None:
    text = "".join(word + joint for word, joint in pieces)
    for written in (text, text.upper(), text.title()):
        assert CLOSED.find([written]) == OPEN.find([written])


def test_all_words_of_a_phrase_are_asked_for_in_any_spelling() -> None:
    sieve = Sieve({"dont": ["do", "nt"], "gonna": ["gon", "na"]})
    sieve.add([["do"], ["work", "works"]])
    sieve.add([["3rd"], ["time"]])
    sieve.add([["??"]])
    assert sieve.lets_through("DONT tell me it WORKS")
    assert sieve.lets_through("work, do")
    assert not sieve.lets_through("it does not work")
    assert sieve.lets_through("the 3RD time")
    assert not sieve.lets_through("the 3 times")
    assert sieve.lets_through("what??")
    assert not sieve.lets_through("what?")


def test_most_small_talk_is_held_back() -> None:
    sieve = load_cues()._sieve
    talk = ["Off to the beach with the kids", "New photos of our office", "The match was great fun"]
    assert not any(map(sieve.lets_through, talk))
