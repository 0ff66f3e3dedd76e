from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.text import form, is_shouted, spans, tokens, without_addresses


@given(st.text())
def test_tokens_hold_every_character_but_white_space(text: str) -> None:
    assert "".join("".join(tokens(text)).split()) == "".join(text.split())


@given(st.text(alphabet="ab @#&;.!'’:)<3 0é\U0001f600\n"))
def test_spans_lead_back_to_the_tokens(text: str) -> None:
    cut = tokens(text)
    assert [text[start:end] for start, end in spans(text, cut)] == cut


@given(st.text())
def test_every_token_has_a_form(text: str) -> None:
    for token in tokens(text):
        assert len(form(token)) <= 120


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("Soooooo", "soo"),
        ("can’t", "can't"),
        ("https://example.org/x", "<link>"),
        ("@someone", "<user>"),
        ("@AcmeHelp", "<support>"),
        ("&amp;", "&"),
        ("2017", "<0000>"),
        ("#FAIL", "#fail"),
        ("😡", "😡"),
        ("\ufe0f", ""),
        ("\U0001f3fd", ""),
        ("𝗕𝗮𝗱", "bad"),
        ("!!!!", "!!"),
    ],
)
def test_a_form_is_what_a_reader_sees(token: str, expected: str) -> None:
    assert form(token) == expected


def test_smileys_and_contractions_stay_whole() -> None:
    assert tokens("can't :-( &lt;3 hm:) #no @a.b") == [
        "can't",
        ":-(",
        "&lt;3",
        "hm",
        ":)",
        "#no",
        "@a.b",
    ]


def test_only_whole_words_in_capitals_shout() -> None:
    assert is_shouted("FIX")
    assert not is_shouted("OK")
    assert not is_shouted("Fix")


@pytest.mark.parametrize("piece", ["(", ":(", "a", "@", "1,", "&a", "'", "a@", "#", "http", "a-"])
def test_no_text_takes_more_time_than_its_length_deserves(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    begin = time.process_time()
    tokens(text)
    without_addresses(text)
    assert time.process_time() - begin < 2
