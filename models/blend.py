"""Fits what turns two models' scores into probabilities, on rows that neither has seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace
from sklearn.linear_model import LogisticRegression

from models.data import Row
from models.groups import folds
from models.recipe import best_threshold, complaint_labels, sentiment_labels
from nlp import encoder
from nlp.artefact import COMPLAINT as LINEAR_COMPLAINT
from nlp.encoder import Blend, Raw, is_settled
from nlp.heads import COMPLAINT

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

PRECISIONS = (0.7, 0.75, 0.8, 0.85, 0.9)
_LEAST_FOUND = 20
"""A precision counts as reached only on so many texts."""
_SHARES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_HEATS = tuple(np.arange(50, 301, 10) / 100)
_PENALTY = 10.0
SEVERITY_SHARE = 0.6
"""Of the encoder, in the blend of severities: too few rows are held out to fit it."""
_LOGARITHM_FLOOR = 1e-12
_MOST_SETTLED = 0.2


UNFITTED = Blend(
    complaint_encoder=1.0,
    complaint_linear=0.0,
    complaint_offset=0.0,
    prevalence=0.5,
    threshold=0.5,
    thresholds={},
    sentiment_encoder=1.0,
    sentiment_temperature=1.0,
    severity_encoder=1.0,
)
"""The encoder alone, as it was trained."""


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """Held-out rows with both models' scores."""

    rows: list[Row]
    raw: list[Raw]

    def at(self, places: Sequence[int]) -> Read:
        """Some of them."""
        return Read(rows=[self.rows[at] for at in places], raw=[self.raw[at] for at in places])


def fit_blend(complaints: Read, moods: Sequence[Read], parts: int, groups: Sequence[int]) -> Blend:
    """The blend of held-out complaint rows, and of held-out rows with a sentiment.

    The threshold is the one of the best macro-F1, over probabilities that were each fitted
    without their own row.

    Args:
        complaints: rows of the complaint set.
        moods: held-out rows of each set with sentiments; the sets count alike.
        parts: so many folds of the complaint rows.
        groups: near-duplicates of the complaint rows.
    """
    labels = complaint_labels(complaints.rows)
    chances = cross_chances(complaints, folds(groups, parts, 1))
    own, other, offset = _stack(complaints)
    share, heat = _mood(moods)
    threshold = best_threshold(chances, labels)
    return Blend(
        complaint_encoder=own,
        complaint_linear=other,
        complaint_offset=offset,
        prevalence=float(labels.mean()),
        threshold=threshold,
        thresholds=thresholds(chances, labels),
        sentiment_encoder=share,
        sentiment_temperature=heat,
        severity_encoder=SEVERITY_SHARE,
        settled=settled_below(complaints, chances >= threshold),
    )


def settled_below(complaints: Read, called: npt.NDArray[np.bool_]) -> float:
    """The probability of the linear model below which it settles a text by itself.

    The largest hundredth at which one in a hundred at most of the complaints that the blend
    rightly calls so would be settled as none.
    """
    found = called & (complaint_labels(complaints.rows) == 1)
    first = np.sort([one.first for one, hit in zip(complaints.raw, found, strict=True) if hit])
    if not len(first):
        return 0.0
    return min(_MOST_SETTLED, math.floor(100 * float(first[len(first) // 100])) / 100)


def as_read(chances: Floats, complaints: Read, blend: Blend) -> Floats:
    """The probabilities as a reader gives them: the linear model's where it settles a text."""
    first = np.array([one.first for one in complaints.raw])
    return np.where(settled(complaints, blend), first, chances)


def settled(read: Read, blend: Blend) -> npt.NDArray[np.bool_]:
    """Which rows the linear model settles."""
    return np.array(
        [is_settled(one.first, one.first_sentiments, blend) for one in read.raw], dtype=bool
    )


def cross_chances(complaints: Read, parts: Sequence[Sequence[int]]) -> Floats:
    """Calibrated probabilities, each fold's by a calibration of the others."""
    x, chances = _scores(complaints), np.zeros(len(complaints.rows))
    for part in parts:
        rest = np.setdiff1d(np.arange(len(chances)), part)
        own, other, offset = _stack(complaints.at(rest.tolist()))
        chances[part] = 1 / (1 + np.exp(-(x[part] @ np.array([own, other]) + offset)))
    return chances


def thresholds(chances: Floats, labels: Integers) -> dict[str, float]:
    """The lowest probability from which on each of `PRECISIONS` holds; left out if none does."""
    found = {}
    order = np.argsort(-chances, kind="stable")
    hits = np.cumsum(labels[order] == 1) / np.arange(1, len(order) + 1)
    for wanted in PRECISIONS:
        reached = np.flatnonzero(hits[_LEAST_FOUND - 1 :] >= wanted)
        if len(reached):
            last = order[_LEAST_FOUND - 1 + int(reached[-1])]
            found[f"{wanted:.2f}"] = round(float(chances[last]), 4)
    return found


def _scores(read: Read) -> Floats:
    return np.array(
        [[float(one.encoder.scores[COMPLAINT]), one.linear[LINEAR_COMPLAINT]] for one in read.raw]
    )


def _stack(read: Read) -> tuple[float, float, float]:
    model = LogisticRegression(C=_PENALTY).fit(_scores(read), complaint_labels(read.rows))
    return float(model.coef_[0, 0]), float(model.coef_[0, 1]), float(model.intercept_[0])


def _mood(moods: Sequence[Read]) -> tuple[float, float]:
    """The share and temperature at which the true sentiments are the likeliest."""
    sets = [(read.raw, sentiment_labels(read.rows)) for read in moods]

    def loss(share: float, heat: float) -> float:
        blend = replace(UNFITTED, sentiment_encoder=share, sentiment_temperature=heat)
        total = 0.0
        for raw, labels in sets:
            chances = np.array([encoder.sentiment_chances(one, blend) for one in raw])
            right = chances[np.arange(len(labels)), labels]
            total -= float(np.mean(np.log(np.maximum(right, _LOGARITHM_FLOOR))))
        return total

    share = min(_SHARES, key=lambda one: min(loss(one, heat) for heat in _HEATS[::4]))
    return share, float(min(_HEATS, key=lambda heat: loss(share, heat)))
