"""Counting a text: words, neighbouring words, and pieces of words, each hashed to a bucket.

The hashing trick of Weinberger et al. (ICML 2009) keeps no words at all: a trained model holds
numbers by bucket. A token is worked out once and remembered by its spelling, because a few
thousand spellings make up most of any stream.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from nlp.text import form, is_shouted, tokens

Integers = npt.NDArray[np.int64]

_FIRST_OF_MIX = np.uint64(0x9E3779B1)
_SECOND_OF_MIX = np.uint64(0x85EBCA6B)
_HANDLES = ("<user>", "<support>")
_START = np.uint64(0x5EED)


class FeatureSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is counted; part of a trained model, since weights belong to buckets."""

    bits: int
    """There are ``2 ** bits`` buckets."""
    shortest: int
    """Characters of the shortest piece of a word."""
    longest: int
    word_weight: float
    """Weight of the words' vector; that of the pieces is 1. Each has unit length."""


class Batch(NamedTuple):
    """Texts as spellings: ``kinds[i]`` belongs to text ``rows[i]``.

    ``pairs`` are buckets of neighbours, a token with the one before it (a text's first token
    with the start); zero with ``paired`` False where one of the two counts for nothing.
    """

    tokens: list[list[str]]
    kinds: Integers
    rows: Integers
    pairs: Integers
    paired: npt.NDArray[np.bool_]


def _hash(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


class Spellings:
    """Every spelling met so far, with the buckets that it counts towards.

    Spelling ``k`` has ``words[k]`` and ``pieces[k]`` (buckets, with repeats) and ``hashes[k]``
    (0 if it counts for nothing).
    """

    def __init__(self, settings: FeatureSettings) -> None:
        self._settings = settings
        self._mask = (1 << settings.bits) - 1
        self._known: dict[str, int] = {}
        self.words: list[array[int]] = []
        self.pieces: list[array[int]] = []
        self.hashes: list[int] = []

    def __len__(self) -> int:
        return len(self.hashes)

    def batch(self, texts: Sequence[str]) -> Batch:
        """Cuts and numbers texts; new spellings are added on the way."""
        cut = [tokens(text) for text in texts]
        known, add = self._known, self._add
        flat = [known[token] if token in known else add(token) for row in cut for token in row]
        kinds = np.array(flat, dtype=np.int64)
        rows = np.repeat(np.arange(len(cut)), [len(row) for row in cut])
        hashes = np.array(self.hashes, dtype=np.uint64)[kinds]
        before = np.roll(hashes, 1)
        first = np.ones(len(rows), dtype=bool)
        first[1:] = rows[1:] != rows[:-1]
        before[first] = _START
        paired = (hashes != 0) & (before != 0)
        mixed = (before * _FIRST_OF_MIX + hashes * _SECOND_OF_MIX) >> np.uint64(7)
        pairs = (mixed & np.uint64(self._mask)).astype(np.int64)
        return Batch(cut, kinds, rows, pairs, paired)

    def _add(self, token: str) -> int:
        shape = form(token)
        if shape[:1] == "<" and shape not in _HANDLES:
            token = shape  # Links and numbers without end are few forms.
            if token in self._known:
                return self._known[token]
        number = len(self.hashes)
        self._known[token] = number
        # Arrays, because there are many: a list of numbers takes six times the memory.
        self.words.append(array("i", self._words(token, shape)))
        self.pieces.append(array("i", self._pieces(token, shape)))
        self.hashes.append((_hash("w" + shape) or 1) if shape else 0)
        return number

    def _words(self, token: str, shape: str) -> list[int]:
        if not shape:
            return []
        buckets = [_hash("w" + shape) & self._mask]
        if is_shouted(token):
            buckets.append(_hash("shouted") & self._mask)
        return buckets

    def _pieces(self, token: str, shape: str) -> list[int]:
        if shape in _HANDLES:
            kind, core = "h", token[1:].lower()
        elif shape[:1] != "<" and any(map(str.isalpha, shape)):
            kind, core = "c", shape.lstrip("#")
        else:
            return []
        padded = f" {core} "
        return [
            _hash(kind + padded[at : at + size]) & self._mask
            for size in range(self._settings.shortest, self._settings.longest + 1)
            for at in range(len(padded) - size + 1)
        ]
