"""Order numbers and the like are found where a word announces them, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.references import LABEL, find_references, mask_references


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("my order number KF-2291-88 never came", "order", "KF-2291-88"),
        ("Ref: 99812/B.", "ref", "99812/B"),
        ("invoice #20261103", "invoice", "20261103"),
        ("booking XJ4K91 is gone", "booking", "XJ4K91"),
        ("Account no. 0012345678", "account", "0012345678"),
    ],
)
def test_a_number_after_its_word_is_a_reference(text: str, kind: str, value: str) -> None:
    (found,) = find_references(text)
    assert (found.kind, text[found.start : found.end]) == (kind, value)
    assert value not in mask_references(text, [found])


@pytest.mark.parametrize(
    "text",
    [
        "I ordered 3 kettles in 2025",
        "case closed after 14 days",
        "https://x.example/order/991288 and @order991288",
        "in order to wait 45 minutes",
        "the account was closed",
    ],
)
def test_other_numbers_and_words_are_left_alone(text: str) -> None:
    assert find_references(text) == []


@given(st.text(st.sampled_from("order invoice#:-/@.0123456789ABhtps\n"), max_size=60))
def test_masking_leaves_the_rest_as_it_was(text: str) -> None:
    found = find_references(text)
    masked = mask_references(text, found)
    ends = [0, *(one.end for one in found)]
    starts = [*(one.start for one in found), len(text)]
    rest = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    assert masked == LABEL.join(rest)
