"""The baseline model: linear heads over hashed words and pieces of words. Needs numpy alone.

A text is two vectors of unit length, words with their pairs and pieces of words, each weighted
by inverse document frequency; a head is a weight by bucket. Every score is therefore a sum over
tokens, and the evidence is exact: it is that sum's largest parts.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nlp.artefact import (
    COMPLAINT,
    HEADS,
    Floats,
    Integers,
    Metadata,
    Weights,
    read_metadata,
    read_weights,
)
from nlp.evidence import strongest
from nlp.features import Batch, Spellings
from nlp.reader import Reading, reading_of
from nlp.stars import shift
from nlp.text import MODEL_CHARACTERS

_TINY = 1e-9


class Baseline:
    """A `Reader` over hashed n-grams.

    ``remembered`` spellings at most are kept between calls, some 30 MB by default. Safe to call
    from several threads.
    """

    def __init__(self, metadata: Metadata, weights: Weights, remembered: int = 50_000) -> None:
        self._remembered = remembered
        self.model = f"{metadata.name}/{metadata.version}"
        self.languages = frozenset(metadata.languages)
        self.calibration = metadata.calibration
        self._settings = metadata.features
        self._impact = weights.heads * weights.idf[:, None]
        self._square = weights.idf * weights.idf
        self._intercepts = weights.intercepts
        self._lock = threading.Lock()
        self._forget()

    def read(
        self,
        texts: Sequence[str],
        stars: Sequence[float | None] | None = None,
        languages: Sequence[str] | None = None,
    ) -> list[Reading]:
        """One reading a text, of its first ``MODEL_CHARACTERS`` characters."""
        scores, pulls = self.pulls(texts)
        given = stars if stars is not None else [None] * len(texts)
        return [
            self.reading(text, score, tokens, own, rated)
            for text, score, (tokens, own), rated in zip(
                texts, scores.tolist(), pulls, given, strict=True
            )
        ]

    def pulls(self, texts: Sequence[str]) -> tuple[Floats, list[tuple[list[str], list[float]]]]:
        """The raw scores, and each text's tokens with what each adds to the complaint's score."""
        if not texts:
            return np.zeros((0, HEADS)), []
        cut = [text[:MODEL_CHARACTERS] for text in texts]
        with self._lock:
            batch, parts, pairs = self._parts(cut)
        scores = self._intercepts + _by_text(parts, batch.rows, len(cut))
        pull = _shared(parts[:, COMPLAINT], pairs[:, COMPLAINT], batch.rows).tolist()
        ends = np.cumsum([len(row) for row in batch.tokens]).tolist()
        starts = [0, *ends[:-1]]
        return scores, [
            (row, pull[start:end])
            for row, start, end in zip(batch.tokens, starts, ends, strict=True)
        ]

    def scores(self, texts: Sequence[str]) -> Floats:
        """The raw scores of all heads, one row a text."""
        with self._lock:
            batch, parts, _ = self._parts([text[:MODEL_CHARACTERS] for text in texts])
        return self._intercepts + _by_text(parts, batch.rows, len(texts))

    def chance(self, score: Sequence[float], stars: float | None = None) -> float:
        """The calibrated probability of a complaint, of a row of `scores`."""
        odds = self.calibration.slope * score[COMPLAINT] + self.calibration.offset
        return sigmoid(odds + shift(stars))

    def moods(self, score: Sequence[float]) -> list[float]:
        """The probability of each of `SENTIMENTS`, of a row of `scores`."""
        return softmax([value / self.calibration.temperature for value in score[:COMPLAINT]])

    def reading(
        self,
        text: str,
        score: Sequence[float],
        tokens: Sequence[str],
        pulls: Sequence[float],
        stars: float | None = None,
    ) -> Reading:
        """The reading of one text, of what `pulls` says of it."""
        slope = self.calibration.slope
        return reading_of(
            self.moods(score),
            self.chance(score, stars),
            self.calibration.threshold,
            score[COMPLAINT + 1 :],
            strongest(text, tokens, [slope * one for one in pulls]),
        )

    def _parts(self, texts: Sequence[str]) -> tuple[Batch, Floats, Floats]:
        """Each token's part in each head's score, and how much of it its pair has.

        The parts of a text add up to its score, less the intercept.
        """
        if len(self._spellings) > self._remembered:
            self._forget()
        batch = self._spellings.batch(texts)
        self._learn()
        kinds, rows, n = batch.kinds, batch.rows, len(texts)
        pair_square = np.where(batch.paired, self._square[batch.pairs], 0.0)
        words = np.bincount(rows, self._word_square[kinds] + pair_square, n)
        pieces = np.bincount(rows, self._piece_square[kinds], n)
        word_scale = self._settings.word_weight / np.sqrt(np.maximum(words, _TINY))
        piece_scale = 1.0 / np.sqrt(np.maximum(pieces, _TINY))
        word_scale, piece_scale = word_scale[rows, None], piece_scale[rows, None]
        pairs = self._impact[batch.pairs] * (batch.paired[:, None] * word_scale)
        parts = self._word_impact[kinds] * word_scale + self._piece_impact[kinds] * piece_scale
        return batch, parts + pairs, pairs

    def _forget(self) -> None:
        self._spellings = Spellings(self._settings)
        self._word_impact = self._piece_impact = np.zeros((0, HEADS))
        self._word_square = self._piece_square = np.zeros(0)

    def _learn(self) -> None:
        done = len(self._word_square)
        if done == len(self._spellings):
            return
        impact, square = self._sums(self._spellings.words[done:])
        self._word_impact = np.concatenate([self._word_impact, impact])
        self._word_square = np.concatenate([self._word_square, square])
        impact, square = self._sums(self._spellings.pieces[done:])
        self._piece_impact = np.concatenate([self._piece_impact, impact])
        self._piece_square = np.concatenate([self._piece_square, square])

    def _sums(self, buckets: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
        owners = np.repeat(np.arange(len(buckets)), [len(row) for row in buckets])
        flat = np.array([bucket for row in buckets for bucket in row], dtype=np.int64)
        impact = _by_text(self._impact[flat], owners, len(buckets))
        square = np.bincount(owners, self._square[flat], len(buckets))
        return impact, square.astype(np.float64)


def softmax(scores: Sequence[float]) -> list[float]:
    """Probabilities that sum to one; one text at a time, so that no batch can change a bit."""
    highest = max(scores)
    powers = [math.exp(score - highest) for score in scores]
    total = math.fsum(powers)
    return [power / total for power in powers]


def sigmoid(score: float) -> float:
    """The logistic function, without overflow."""
    if score >= 0:
        return 1.0 / (1.0 + math.exp(-score))
    power = math.exp(score)
    return power / (1.0 + power)


def _shared(parts: Floats, pairs: Floats, rows: Integers) -> Floats:
    """Parts where each of two neighbours has half of what their pair adds."""
    half = pairs / 2
    half[:1] = 0.0
    half[1:][rows[1:] != rows[:-1]] = 0.0
    shared = parts - half
    shared[:-1] += half[1:]
    return shared


def _by_text(parts: Floats, rows: Integers, n: int) -> Floats:
    # bincount adds in order, one text after the other: the same bits in any batch.
    columns = [np.bincount(rows, parts[:, head], n) for head in range(parts.shape[1])]
    return np.stack(columns, axis=1)


def load_baseline(folder: Path) -> Baseline:
    """The baseline in a folder: ``metadata.json`` and ``weights.npz``.

    Raises:
        ModelMissing: if one of the two is not there.
        ModelCorrupt: if one is damaged or does not fit the other.
    """
    metadata = read_metadata(folder / "metadata.json")
    return Baseline(metadata, read_weights(folder / "weights.npz", metadata))
