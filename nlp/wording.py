"""A text as the words that an encoder's vocabulary knows.

Every word stands for one token of `nlp.text`, so that what a model says of a word piece can be
said of the original's characters.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from html import unescape

from nlp.text import form, tokens

MOST_WORDS = 160
"""Words of a text that an encoder is given; its limit on word pieces comes after that."""

_LONGEST_WORD = 60
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|_")
_DRAWN_OUT = re.compile(r"(.)\1{3,}")
_READ_CHARACTERS = 4_000


def words(text: str) -> tuple[list[str], list[str]]:
    """The first tokens of a text, and each of them as it is given to an encoder.

    Links and handles become one word each, a support account's another; hashtags are split at
    their capitals; emoji are spelt out by their Unicode name; a letter drawn out stands three
    times. The two lists are of one length; a word may be empty.
    """
    found = tokens(text[:_READ_CHARACTERS])[:MOST_WORDS]
    return found, [spoken(token) for token in found]


@lru_cache(maxsize=50_000)
def spoken(token: str) -> str:
    """One token as a word, or several words with spaces between."""
    shape = form(token)
    if shape == "<link>":
        return "http"
    if shape == "<support>":
        return "support"
    if shape == "<user>":
        return "@"
    plain = unescape(token[:_LONGEST_WORD])
    if len(plain) == 1 and unicodedata.category(plain) in ("So", "Sk"):
        return unicodedata.name(plain, "").lower()
    if not plain.isascii():
        plain = "".join(char for char in plain if unicodedata.category(char) not in _SILENT)
    if plain[:1] == "#" and len(plain) > 1:
        return _HUMP.sub(" ", plain[1:])
    return _DRAWN_OUT.sub(r"\1\1\1", plain)


_SILENT = frozenset({"Mn", "Cf", "Cs", "Co", "Cn", "Cc"})
