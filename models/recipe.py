"""How the baseline is trained: which rows teach which head, and with what strength.

The sentiment head learns from SemEval and, at three tenths of the weight, from airline tweets.
The complaint and severity heads learn from the complaint set alone, but are also given the three
sentiment scores; since those are linear in the same buckets, they are folded into the head.
How much a bucket counts is learnt from every text but those of the complaint set.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from scipy import sparse

from models import data
from models.data import Row
from models.groups import folds, near_duplicates
from models.linear import Counts, Floats, Integers, Matrix, fit_head, inverse_document_frequency
from nlp.artefact import SENTIMENTS, Calibration, Weights
from nlp.baseline import sigmoid
from nlp.features import FeatureSettings, Spellings

SEED: Final = 20261122
FOLDS: Final = 5
SETTINGS: Final = FeatureSettings(bits=18, shortest=2, longest=4, word_weight=1.5)
SENTIMENT_STRENGTH: Final = 0.5
COMPLAINT_STRENGTH: Final = 6.0
SEVERITY_STRENGTH: Final = 1.0
AIRLINE_WEIGHT: Final = 0.3
SCORE_SCALE: Final = 0.3
"""What a sentiment score counts beside a text's buckets, whose vector is about 1.8 long."""


class Sets(msgspec.Struct, kw_only=True):
    """The sets in memory, without what would let a complaint row be known beforehand."""

    semeval: list[Row]
    airline: list[Row]
    complaints: list[Row]
    threads: list[Row]
    complaint_groups: list[int]
    other_groups: list[int]
    """Of ``semeval`` and then ``airline``."""
    thread_groups: list[int]


class Basis(msgspec.Struct, kw_only=True):
    """What stands before the complaint rows are looked at."""

    idf: Floats
    sentiment: Floats
    sentiment_intercepts: Floats


class Head(msgspec.Struct, kw_only=True):
    """A fitted head over all buckets."""

    weights: Floats
    intercepts: Floats


def read_sets(folder: Path) -> Sets:
    """The sets; a row of another set that nearly copies a complaint row is left out.

    Raises:
        DataMissing: if a file is not there, or lacks a column.
    """
    complaints = data.complaints(folder)
    others = [data.sentiment(folder), data.airline(folder), data.threads(folder)]
    texts = [row.text for rows in [complaints, *others] for row in rows]
    groups = near_duplicates(texts)
    own = groups[: len(complaints)]
    known, start = set(own), len(complaints)
    kept: list[list[Row]] = []
    kept_groups: list[list[int]] = []
    for rows in others:
        marks = groups[start : start + len(rows)]
        fresh = [at for at, mark in enumerate(marks) if mark not in known]
        kept.append([rows[at] for at in fresh])
        kept_groups.append([marks[at] for at in fresh])
        start += len(rows)
    semeval, airline, threads = kept
    return Sets(
        semeval=semeval,
        airline=airline,
        threads=threads,
        complaints=complaints,
        complaint_groups=own,
        other_groups=kept_groups[0] + kept_groups[1],
        thread_groups=kept_groups[2],
    )


def count(rows: Sequence[Row], spellings: Spellings) -> Counts:
    """The rows' texts, counted."""
    return Counts([row.text for row in rows], spellings, SETTINGS)


def sentiment_labels(rows: Sequence[Row]) -> Integers:
    """Places in ``SENTIMENTS``; -1 where a row has none."""
    places: dict[str | None, int] = {name: at for at, name in enumerate(SENTIMENTS)}
    return np.array([places.get(row.sentiment, -1) for row in rows], dtype=np.int64)


def complaint_labels(rows: Sequence[Row]) -> Integers:
    """1 for a complaint."""
    return np.array([int(row.complaint or 0) for row in rows], dtype=np.int64)


def severity_labels(rows: Sequence[Row]) -> Integers:
    """0 to 4; -1 where a row has none."""
    return np.array([-1 if row.severity is None else row.severity for row in rows], dtype=np.int64)


def fit_basis(
    semeval: Sequence[Row],
    airline: Sequence[Row],
    threads: Sequence[Row],
    spellings: Spellings,
) -> Basis:
    """Bucket frequencies and the sentiment head."""
    counts = [count(rows, spellings) for rows in (semeval, airline, threads)]
    idf = inverse_document_frequency(counts)
    active = np.flatnonzero(idf)
    rows = sparse.vstack([one.weighted(idf)[:, active] for one in counts[:2]]).tocsr()
    labels = sentiment_labels([*semeval, *airline])
    weights = np.repeat([1.0, AIRLINE_WEIGHT], [len(semeval), len(airline)])
    for part, share in ((slice(0, len(semeval)), 1.0), (slice(len(semeval), None), AIRLINE_WEIGHT)):
        sizes = np.bincount(labels[part], minlength=len(SENTIMENTS))
        balance = sizes.sum() / len(SENTIMENTS) / np.maximum(sizes, 1)
        weights[part] = share * balance[labels[part]]
    coefficients, intercepts = fit_head(rows, labels, SENTIMENT_STRENGTH, weights)
    return Basis(
        idf=idf, sentiment=_spread(coefficients, active, idf), sentiment_intercepts=intercepts
    )


def fit_complaint_head(rows: Matrix, labels: Integers, strength: float, basis: Basis) -> Head:
    """A head over buckets and sentiment scores, folded into one over buckets."""
    active = np.flatnonzero(basis.idf)
    scores = sparse.csr_matrix(_contrast(rows @ basis.sentiment) * SCORE_SCALE)
    joined = sparse.hstack([rows[:, active], scores]).tocsr()
    coefficients, intercepts = fit_head(joined, labels, strength)
    own, borrowed = coefficients[: len(active)], coefficients[len(active) :]
    folded = _spread(own, active, basis.idf)
    folded += _contrast(basis.sentiment) @ borrowed * SCORE_SCALE
    return Head(weights=folded, intercepts=intercepts)


def fit_severity_head(rows: Matrix, levels: Integers, basis: Basis) -> Head:
    """The head of levels 1 to 4, from the rows that have one of them."""
    graded = np.flatnonzero(levels > 0)
    return fit_complaint_head(rows[graded], levels[graded] - 1, SEVERITY_STRENGTH, basis)


def held_out_scores(
    rows: Matrix, labels: Integers, groups: Sequence[int], basis: Basis
) -> tuple[Floats, list[list[int]]]:
    """Complaint scores of rows by heads that saw neither them nor near-copies; and the folds."""
    parts = folds(groups, FOLDS, SEED)
    scores = np.zeros(len(labels))
    for part in parts:
        rest = np.setdiff1d(np.arange(len(labels)), part)
        head = fit_complaint_head(rows[rest], labels[rest], COMPLAINT_STRENGTH, basis)
        scores[part] = (rows[part] @ head.weights + head.intercepts)[:, 0]
    return scores, parts


def platt(scores: Floats, labels: Integers) -> tuple[float, float]:
    """Slope and offset of Platt scaling, on the natural share of classes."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e6).fit(scores[:, None], labels)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def best_threshold(chances: Floats, labels: Integers) -> float:
    """The hundredth at which macro-F1 is best, smoothed over its neighbours."""
    from models.metrics import macro_f1

    steps = np.arange(25, 66) / 100
    scores = [macro_f1(labels, (chances >= step).astype(np.int64), (0, 1)) for step in steps]
    smooth = np.convolve(scores, np.ones(5) / 5, mode="valid")
    return float(steps[2 + int(np.argmax(smooth))])


def calibrate(scores: Floats, labels: Integers, temperature: float) -> Calibration:
    """Calibration and threshold from held-out scores."""
    slope, offset = platt(scores, labels)
    chances = np.array([sigmoid(slope * score + offset) for score in scores.tolist()])
    return Calibration(
        slope=slope,
        offset=offset,
        threshold=best_threshold(chances, labels),
        temperature=temperature,
    )


def assemble(basis: Basis, complaint: Head, severity: Head) -> Weights:
    """All heads side by side, in the order of `nlp.artefact`."""
    heads = np.concatenate([basis.sentiment, complaint.weights, severity.weights], axis=1)
    intercepts = np.concatenate(
        [basis.sentiment_intercepts, complaint.intercepts, severity.intercepts]
    )
    return Weights(idf=basis.idf, heads=heads, intercepts=intercepts)


def _contrast(scores: Floats) -> Floats:
    centred: Floats = scores - scores.mean(axis=1, keepdims=True)
    return centred


def _spread(coefficients: Floats, active: Integers, idf: Floats) -> Floats:
    full = np.zeros((len(idf), coefficients.shape[1]))
    full[active] = coefficients
    return full
