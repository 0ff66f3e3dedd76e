from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.text import tokens
from nlp.wording import MOST_WORDS, words


@pytest.mark.parametrize(
    ("token", "spoken"),
    [
        ("https://example.org/a?b=1", "http"),
        ("@some_body", "@"),
        ("@AcmeHelp", "support"),
        ("#WorstServiceEver", "Worst Service Ever"),
        ("#acme2go", "acme 2go"),
        ("😡", "pouting face"),
        ("sooooooo", "sooo"),
        ("&amp;", "&"),
        ("café", "café"),
        ("\ufe0f", ""),
    ],
)
def test_a_token_is_said_in_words_of_the_vocabulary(token: str, spoken: str) -> None:
    assert words(token) == ([token], [spoken])


@given(st.text(max_size=60))
def test_every_token_has_one_wording_that_can_be_encoded(text: str) -> None:
    found, spoken = words(text)
    assert found == tokens(text)[:MOST_WORDS]
    assert len(found) == len(spoken)
    for wording in spoken:
        wording.encode("utf-8")


def test_a_long_text_is_cut_before_it_costs_anything() -> None:
    found, _ = words("broken " * 20_000)
    assert len(found) == MOST_WORDS
