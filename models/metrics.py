"""The figures that models are judged by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def f1_by_class(truth: Labels, said: Labels, classes: Sequence[int]) -> list[float]:
    """F1 of each class; 0 where a class is neither true nor said."""
    scores = []
    for label in classes:
        hits = int(np.sum((truth == label) & (said == label)))
        total = int(np.sum(truth == label) + np.sum(said == label))
        scores.append(2 * hits / total if total else 0.0)
    return scores


def macro_f1(truth: Labels, said: Labels, classes: Sequence[int]) -> float:
    """The unweighted mean of the classes' F1."""
    return float(np.mean(f1_by_class(truth, said, classes)))


def macro_recall(truth: Labels, said: Labels, classes: Sequence[int]) -> float:
    """The unweighted mean of the classes' recall, over the classes that occur."""
    present = [label for label in classes if np.any(truth == label)]
    return float(np.mean([np.mean(said[truth == label] == label) for label in present]))


def precision_recall(truth: Labels, said: Labels) -> tuple[float, float]:
    """Precision and recall of class 1; 0 where undefined."""
    hits = float(np.sum((truth == 1) & (said == 1)))
    return hits / max(1.0, float(np.sum(said == 1))), hits / max(1.0, float(np.sum(truth == 1)))


def precision_at(truth: Labels, scores: Floats, k: int) -> float:
    """The share of class 1 among the ``k`` highest scores; ties in order of rows."""
    best = np.argsort(-scores, kind="stable")[:k]
    return float(np.mean(truth[best] == 1))


def calibration_error(truth: Labels, chances: Floats, bins: int = 10) -> float:
    """Expected calibration error of class 1 over equally wide bins (Naeini et al., 2015)."""
    bin_of = np.minimum((chances * bins).astype(np.int64), bins - 1)
    error = 0.0
    for number in range(bins):
        inside = bin_of == number
        if np.any(inside):
            gap = abs(float(np.mean(chances[inside])) - float(np.mean(truth[inside] == 1)))
            error += gap * float(np.mean(inside))
    return error


def weighted_kappa(truth: Labels, said: Labels, classes: Sequence[int]) -> float:
    """Cohen's kappa with quadratic weights: agreement of ordered classes beyond chance."""
    size = len(classes)
    place = {label: at for at, label in enumerate(classes)}
    seen = np.zeros((size, size))
    for one, other in zip(truth.tolist(), said.tolist(), strict=True):
        seen[place[one], place[other]] += 1
    apart = np.subtract.outer(np.arange(size), np.arange(size)) ** 2 / (size - 1) ** 2
    chance = np.outer(seen.sum(1), seen.sum(0)) / seen.sum()
    return float(1 - np.sum(apart * seen) / np.sum(apart * chance))
