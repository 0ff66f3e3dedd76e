"""Finding a brand's words."""

from __future__ import annotations

import pytest

from listeners.words import finder


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The TRAM is late", ("tram",)),
        ("#tram @metro-rail", ("tram",)),
        ("on a trampoline, in a tramway", ()),
        ("C++ on Metro Rail!", ("C++", "metro rail")),
        ("私は地下鉄が好き", ("地下鉄",)),
        ("地下鉄tramです", ("tram", "地下鉄")),
        ("", ()),
    ],
)
def test_whole_words_are_found_whatever_their_case(text: str, found: tuple[str, ...]) -> None:
    assert finder(("tram", "C++", "metro rail", "地下鉄"))(text) == found
