from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.brand import BrandReader, BrandWords

READER = BrandReader(
    BrandWords(
        name="Heron",
        handles=("heronbank",),
        about=("bank", "card", "branch", "mobile app"),
        not_about=("bird", "grey heron", "pond", "wetland", "@heronbrewing", "brewery"),
    )
)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Heron charged my card twice", "ours"),
        ("my Heron branches are all closed", "ours"),
        ("saw a heron by the pond this morning", "theirs"),
        ("grey heron outside my bank", "theirs"),
        ("GREY  HERONS everywhere", "theirs"),
        ("what a beautiful heron", "unsaid"),
        ("Heron is useless", "unsaid"),
        ("@HeronBank there is a bird in your pond", "ours"),
        ("@HeronBrewing your stout is flat", "theirs"),
        ("a bird sat on the pond", "unsaid"),
        ("heron at the pond, and the card from the bank came", "ours"),
        ("herondale wetland", "unsaid"),
        ("", "unsaid"),
    ],
)
def test_words_around_a_name_say_whose_it_is(text: str, verdict: str) -> None:
    assert READER.verdict(text) == verdict


@given(st.text())
def test_without_words_of_the_operator_nobody_is_a_namesake(text: str) -> None:
    assert BrandReader(BrandWords(name="Heron")).verdict(text + " Heron") == "unsaid"


@given(st.text(alphabet="heron pdbik@.'#", max_size=60))
def test_no_text_without_the_name_is_a_namesakes(text: str) -> None:
    reader = BrandReader(BrandWords(name="Xylo", not_about=("heron", "pond")))
    assert reader.verdict(text) == "unsaid"
