"""How like two texts are: sketches that find near-copies among millions without comparing all.

A text is seen as its set of 5-letter shingles over the normalised words (Broder, 1997: On the
resemblance and containment of documents). Sketches that share a key are worth comparing; keys
are bands of a MinHash signature (Indyk and Motwani, 1998; the signature is rensa's) and the
text's first and last words, which survive truncation. Two texts are copies if they resemble one
another, or if the longer begins or ends like the shorter and all but contains it; never if each
names a number (an order, a flight, hours on hold) that the other does not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from zlib import crc32

import msgspec
import numpy as np
from rensa import RMinHash

COPY_WORDS, COPY_LETTERS = 5, 40
"""A text with fewer words and fewer letters is never taken for a copy of another."""

NEAR_WORDS, NEAR_LETTERS = 7, 25
"""A text with fewer words or letters is a copy of the same words only."""

RESEMBLES = 0.65
"""Shared shingles of all shingles from which two texts are copies."""
CONTAINED = 0.85
"""Shared shingles of the shorter's from which it is a piece of the longer."""
LEAST_CONTAINED = 20
"""Shingles of a text below which being contained says nothing."""

_BANDS, _ROWS, _EDGE = 22, 3, 4
_SHINGLE = 5
_MOST_SHINGLES = 1500
_VERSION = "1"
"""Of the keys: raised when they would come out otherwise."""

_ADDRESS = re.compile(r"https?://\S+|www\.\S+|@\w[\w.-]*(?:@[\w.-]+)?")
_NUMBER = re.compile(r"\d")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


class Sketch(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is kept of a text to compare it; the words cannot be read from it."""

    fingerprint: str
    """32 hex digits of the normalised words."""
    keys: tuple[str, ...] = ()
    """16 hex digits each."""
    shingles: bytes = b""
    """Sorted CRC-32s, little-endian, each once."""
    numbers: tuple[str, ...] = ()
    """Digests of the words with digits."""


def words_of(text: str) -> list[str]:
    """The words by which texts are compared: no case, punctuation, emoji, links, handles."""
    return _WORD.findall(_ADDRESS.sub(" ", text).casefold().replace("’", "'"))


def fingerprint(text: str) -> str:
    """32 hex digits of the normalised words, or nothing for a text too short to be a copy."""
    words = words_of(text)
    return "" if _is_short(words) else _digest(" ".join(words), 32)


def sketch(text: str) -> Sketch | None:
    """The sketch of a text; None for one too short to be a near-copy."""
    return _sketch(" ".join(words_of(text)))


@lru_cache(maxsize=1024)
def _sketch(joined: str) -> Sketch | None:
    """Cached: what storms, repeats."""
    words = joined.split(" ")
    letters = sum(map(len, words))
    if letters < NEAR_LETTERS or (len(words) < NEAR_WORDS and letters < COPY_LETTERS):
        return None
    pieces = {joined[at : at + _SHINGLE] for at in range(max(1, len(joined) - _SHINGLE + 1))}
    chosen = sorted(pieces)[:_MOST_SHINGLES]
    return Sketch(
        fingerprint=_digest(joined, 32),
        keys=tuple(_keys(words, chosen)),
        shingles=_packed(chosen),
        numbers=tuple(sorted({_digest(word, 12) for word in words if _NUMBER.search(word)})),
    )


def likeness(one: Sketch, other: Sketch) -> float:
    """Between 0 and 1: 1 for the same words, 0 for texts that are no copies."""
    if one.fingerprint == other.fingerprint:
        return 1.0
    if set(one.numbers) - set(other.numbers) and set(other.numbers) - set(one.numbers):
        return 0.0
    first = np.frombuffer(one.shingles, "<u4")
    second = np.frombuffer(other.shingles, "<u4")
    shared = int(np.intersect1d(first, second, assume_unique=True).size)
    least = min(first.size, second.size)
    resemblance = shared / (first.size + second.size - shared)
    contained = shared / least
    if resemblance >= RESEMBLES:
        return resemblance
    edges = set(one.keys[_BANDS:]) & set(other.keys[_BANDS:])
    if edges and least >= LEAST_CONTAINED and contained >= CONTAINED:
        return contained * 0.999  # a piece is never the whole
    return 0.0


def _is_short(words: Sequence[str]) -> bool:
    return len(words) < COPY_WORDS and sum(map(len, words)) < COPY_LETTERS


def _keys(words: Sequence[str], pieces: Sequence[str]) -> Iterable[str]:
    signature = RMinHash(num_perm=_BANDS * _ROWS, seed=1)
    signature.update(list(pieces))
    found = signature.digest()
    for band in range(_BANDS):
        yield _key(band, *found[band * _ROWS : (band + 1) * _ROWS])
    if len(words) >= _EDGE:
        yield _key("first", *words[:_EDGE])
        yield _key("last", *words[-_EDGE:])


def _packed(pieces: Iterable[str]) -> bytes:
    digests = {crc32(piece.encode()) for piece in pieces}
    return np.sort(np.fromiter(digests, "<u4", len(digests))).tobytes()


def _key(*parts: object) -> str:
    words = " ".join(map(str, (_VERSION, *parts)))
    return hashlib.blake2b(words.encode(), digest_size=8).hexdigest()


def _digest(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
