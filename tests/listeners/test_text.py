"""HTML to plain text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listeners.text import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("no markup  at all", "no markup at all"),
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
        ("<p>One <b>bold</b>\nword</p>", "One bold word"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("Fish &amp; chips &lt;3 &#8364;5", "Fish & chips <3 €5"),
        ("<script>steal()</script>ok<style>p{}</style>", "ok"),
        ('<span class="invisible">https://</span><span>a.example</span>', "https://a.example"),
        ("a < b and c > d", "a < b and c > d"),
        ("cut <a href='", "cut <a href='"),
        ("", ""),
    ],
)
def test_the_words_remain_and_blocks_are_line_breaks(html: str, text: str) -> None:
    assert plain_text(html) == text


@given(st.text(alphabet="<>!/&;#-[]'\"=apdivbrx \n\x00", max_size=60))
def test_whatever_is_sent_is_text_in_the_end(html: str) -> None:
    text = plain_text(html)
    assert text == text.strip()
    assert "\n\n\n" not in text
