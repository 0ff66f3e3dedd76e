"""Cutting a text into tokens, without losing where they stood.

Nothing here rewrites a text. Tokens are slices of the original, and only their *forms* (what a
model counts) are normalised, so an offset is always an offset of the original.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import unescape

MODEL_CHARACTERS = 20_000
"""Models, cues and the language guess read this many characters of a text, and no more."""

_LINK = r"(?:https?://|www\.)\S+"
_HANDLE = r"@\w[\w.-]*(?:@[\w-]+(?:\.[\w-]+)+)?"
_SMILEY = r"(?:&lt;3|<3|[:;=8xX][-']?[)(DPpO/\\|3*\]\[]{1,8}(?!\w)|[)(]{1,8}[-']?[:;=](?!\w))"
_TOKEN = re.compile(
    rf"{_LINK}|{_HANDLE}|{_SMILEY}"
    r"|&(?:[a-z]{2,6}|\#\d{2,5});"
    r"|\#\w+"
    r"|\d(?:[\d.,:/-]*\d)?"
    r"|[^\W\d_]+(?:['\u2019][^\W\d_]+)*"
    r"|!+|\?+|\.{2,}|[!?]{2,}"
    r"|\S"
)
_REPEATED = re.compile(r"(.)\1{2,}")
_DIGIT = re.compile(r"\d")
_SUPPORT = re.compile(r"help|support|care|service|serv|ask|team|assist", re.IGNORECASE)
_ADDRESS = re.compile(
    rf"{_LINK}|(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++|{_HANDLE}"
    r"|(?<![\w-])[\w-]++\.(?:com|org|net)\b\S*"
)
_LONGEST_TOKEN = 40

tokens = _TOKEN.findall
"""The tokens of a text in their order; together they hold every character but white space."""


def spans(text: str, found: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Where the tokens of ``tokens(text)`` stand, as half-open offsets of ``text``."""
    end = 0
    for token in found:
        start = text.index(token, end)
        end = start + len(token)
        yield start, end


@lru_cache(maxsize=30_000)
def form(token: str) -> str:
    """What a model counts a token as.

    Case and typographic variants fall together, three or more of one letter become two, a link,
    a handle and a number become classes. A hashtag keeps its sign. Emoji stay what they are;
    joiners, variation selectors and skin tones become the empty form, which counts for nothing.
    """
    if token.startswith(("http", "www.")) and len(token) > 7:
        return "<link>"
    if token[0] == "@" and len(token) > 1:
        return "<support>" if _SUPPORT.search(token) else "<user>"
    if token[0] == "&" and token[-1] == ";":
        token = unescape(token)
    plain = unicodedata.normalize("NFKC", token[:_LONGEST_TOKEN]).replace("\u2019", "'").lower()
    if plain[:1].isdigit():
        return "<" + _DIGIT.sub("0", plain)[:6] + ">"
    if not plain.isascii() and len(plain) == 1 and unicodedata.category(plain) in _SILENT:
        return ""
    if plain == "\U0001f3fb" or "\U0001f3fc" <= plain <= "\U0001f3ff":
        return ""
    return _REPEATED.sub(r"\1\1", plain)


_SILENT = frozenset({"Mn", "Cf", "Cs", "Co", "Cn", "Cc"})


def is_shouted(token: str) -> bool:
    """Whether a word is written in capitals on purpose: three letters or more, all of them."""
    return len(token) > 2 and token.isupper() and token.isalpha()


def without_addresses(text: str) -> str:
    """The text with links, mail addresses and handles blanked out, for guessing its language."""
    return _ADDRESS.sub(" ", text)
