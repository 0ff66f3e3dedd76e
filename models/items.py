"""Rows as what an encoder is fitted to: word pieces, labels, and a teacher's scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from models.data import Row
from nlp.artefact import SENTIMENTS
from nlp.heads import REASONS, WIDTH
from nlp.wording import words

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

NONE = -1
_POOL = 40
"""So many batches are drawn at once and sorted by length, to pad little and still mix well."""


class Items(msgspec.Struct, frozen=True, kw_only=True):
    """Texts with their labels, ``NONE`` where a set does not say."""

    pieces: list[list[int]]
    sentiment: Integers
    complaint: Integers
    severity: Integers
    """0 to 3 for levels 1 to 4, of complaints alone."""
    reason: Integers
    teacher: Floats | None = None
    """A teacher's scores by head, ``[texts, WIDTH]``; not a number where it was not asked."""

    def __len__(self) -> int:
        return len(self.pieces)


def pieces(texts: Sequence[str], tokenizer: Tokenizer, longest: int) -> list[list[int]]:
    """The word pieces of texts, special ones included."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    found = tokenizer.encode_batch([words(text)[1] for text in texts], is_pretokenized=True)
    return [encoding.ids for encoding in found]


def items(
    rows: Sequence[Row], tokenizer: Tokenizer, longest: int, teacher: Floats | None = None
) -> Items:
    """The rows as items; ``teacher`` has a line a row."""
    if teacher is not None and teacher.shape != (len(rows), WIDTH):
        raise ValueError("a teacher's scores do not fit the rows")
    return Items(
        pieces=pieces([row.text for row in rows], tokenizer, longest),
        sentiment=_places([row.sentiment for row in rows], SENTIMENTS),
        complaint=np.array(
            [NONE if row.complaint is None else int(row.complaint) for row in rows], np.int64
        ),
        severity=np.array(
            [row.severity - 1 if row.severity else NONE for row in rows], dtype=np.int64
        ),
        reason=_places([row.reason for row in rows], REASONS),
        teacher=teacher,
    )


def batches(lengths: Sequence[int], size: int, seed: int) -> Iterator[list[int]]:
    """Every item once, in batches of about one length, the same for the same seed."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(lengths))
    for start in range(0, len(order), size * _POOL):
        pool = sorted(order[start : start + size * _POOL].tolist(), key=lambda at: lengths[at])
        cuts = [pool[at : at + size] for at in range(0, len(pool), size)]
        for at in random.permutation(len(cuts)).tolist():
            yield cuts[at]


def _places(labels: Sequence[str | None], names: Sequence[str]) -> Integers:
    place: dict[str | None, int] = {name: at for at, name in enumerate(names)}
    return np.array([place.get(label, NONE) for label in labels], dtype=np.int64)
