"""Texts as sparse matrices, and the heads that are fitted to them.

The matrices hold exactly what `nlp.baseline` counts when it reads: both go through
`nlp.features`, and a test compares the scores of the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from nlp.features import FeatureSettings, Spellings
from nlp.text import MODEL_CHARACTERS

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Matrix = Any
"""A ``scipy.sparse.csr_matrix``; scipy has no types."""

LEAST_TEXTS = 3
"""A bucket that fewer texts have does not count."""


class Counts:
    """How often each text has each bucket: words with their pairs, and pieces of words."""

    def __init__(self, texts: Sequence[str], spellings: Spellings, settings: FeatureSettings):
        self.settings = settings
        self._buckets = 1 << settings.bits
        batch = spellings.batch([text[:MODEL_CHARACTERS] for text in texts])
        shape = (len(texts), len(spellings))
        kinds = _ones(batch.rows, batch.kinds, shape)
        pairs = _ones(
            batch.rows[batch.paired], batch.pairs[batch.paired], (len(texts), self._buckets)
        )
        self.words = (kinds @ self._by_spelling(spellings.words) + pairs).tocsr()
        self.pieces = (kinds @ self._by_spelling(spellings.pieces)).tocsr()

    def texts_by_bucket(self) -> Integers:
        """In how many texts each bucket occurs."""
        found: Integers = np.zeros(self._buckets, dtype=np.int64)
        for matrix in (self.words, self.pieces):
            found += np.bincount(matrix.indices, minlength=self._buckets)
        return found

    def weighted(self, idf: Floats) -> Matrix:
        """Rows as the baseline sees them, over all buckets."""
        return self._unit(self.words, idf, self.settings.word_weight) + self._unit(
            self.pieces, idf, 1.0
        )

    def _by_spelling(self, buckets: Sequence[Sequence[int]]) -> Matrix:
        owners = np.repeat(np.arange(len(buckets)), [len(row) for row in buckets])
        flat = np.array([bucket for row in buckets for bucket in row], dtype=np.int64)
        return _ones(owners, flat, (len(buckets), self._buckets))

    @staticmethod
    def _unit(counts: Matrix, idf: Floats, length: float) -> Matrix:
        # Each token counts towards the length by itself, so that a score is a sum over tokens.
        lengths = np.sqrt(np.maximum(counts @ (idf * idf), 1e-9))
        return (sparse.diags(length / lengths) @ counts @ sparse.diags(idf)).tocsr()


def inverse_document_frequency(counts: Sequence[Counts]) -> Floats:
    """``ln((1 + texts) / (1 + texts with the bucket)) + 1``, and 0 for rare buckets."""
    texts = sum(one.words.shape[0] for one in counts)
    found = np.sum([one.texts_by_bucket() for one in counts], axis=0)
    idf: Floats = np.where(found >= LEAST_TEXTS, np.log((1 + texts) / (1 + found)) + 1, 0.0)
    return idf


def fit_head(
    rows: Matrix, labels: Integers, strength: float, weights: Floats | None = None
) -> tuple[Floats, Floats]:
    """Logistic regression with balanced classes.

    Args:
        rows: one text a row.
        labels: its class, from 0 on.
        strength: inverse of the L2 penalty.
        weights: what a row counts, before the classes are balanced.

    Returns:
        The coefficients, one column a class (one column in all for two classes), and the
        intercepts.
    """
    own = np.ones(len(labels)) if weights is None else weights
    by_class = np.bincount(labels, own)
    balanced = own * (own.sum() / len(by_class) / by_class)[labels]
    model = LogisticRegression(C=strength, max_iter=300, tol=1e-4)
    model.fit(rows, labels, sample_weight=balanced)
    return model.coef_.T.astype(np.float64), model.intercept_.astype(np.float64)


def _ones(rows: Integers, columns: Integers, shape: tuple[int, int]) -> Matrix:
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
