"""The figures of the heads, each on rows that were kept from it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models import order, recipe
from models.data import UNADDRESSED, Row
from models.groups import folds
from models.linear import Floats, Integers, Matrix
from models.metrics import (
    calibration_error,
    macro_f1,
    macro_recall,
    precision_at,
    precision_recall,
    weighted_kappa,
)
from models.recipe import Basis, Sets
from nlp.artefact import LEVELS
from nlp.baseline import sigmoid
from nlp.features import Spellings

_SENTIMENTS = (0, 1, 2)
_BOTH = (0, 1)


def judge_heads(folder: Path) -> dict[str, Any]:
    """Sentiment, complaint, severity and order figures, by subject.

    Sentiment is learnt on four fifths of its sets and judged on the rest, and on the complaint
    set as a foreign domain. The complaint and severity heads stand on that same sentiment head
    and are judged in five folds of the complaint set.
    """
    sets = recipe.read_sets(folder)
    spellings = Spellings(recipe.SETTINGS)
    basis, semeval_test, airline_test = kept_back(sets, spellings)
    rows = recipe.count(sets.complaints, spellings).weighted(basis.idf)
    graded = [row for row in sets.complaints if row.sentiment is not None]
    return {
        "sentiment": {
            "semeval_2013_2016_held_out_macro_recall": _sentiment(semeval_test, basis, spellings),
            "semeval_2013_2016_held_out_rows": len(semeval_test),
            "airline_held_out_macro_recall": _sentiment(airline_test, basis, spellings),
            "airline_held_out_rows": len(airline_test),
            "complaints_csv_unseen_domain_macro_recall": _sentiment(graded, basis, spellings),
            "complaints_csv_rows": len(graded),
        },
        "complaint": _complaint(sets, rows, basis),
        "severity": _severity(sets, rows, basis),
        "order": _order(sets, rows, basis, semeval_test, spellings),
    }


def kept_back(sets: Sets, spellings: Spellings) -> tuple[Basis, list[Row], list[Row]]:
    """What stands before the complaint rows, and the rows of SemEval and airlines kept from it."""
    test = set(folds(sets.other_groups, recipe.FOLDS, recipe.SEED)[0])
    semeval, semeval_test = _split(sets.semeval, test, 0)
    airline, airline_test = _split(sets.airline, test, len(sets.semeval))
    basis = recipe.fit_basis(semeval, airline, sets.threads, spellings)
    return basis, semeval_test, airline_test


def _order(
    sets: Sets, rows: Matrix, basis: Basis, background: Sequence[Row], spellings: Spellings
) -> dict[str, Any]:
    counted = recipe.count(background, spellings)
    return order.figures(
        order.mixed(*order.judged_by_heads(sets, rows, basis, background, counted))
    )


def cross_fitted(
    scores: Floats, labels: Integers, parts: Sequence[Sequence[int]]
) -> tuple[Floats, Integers]:
    """Chances and verdicts where each fold's calibration and threshold come from the others."""
    chances, said = np.zeros(len(labels)), np.zeros(len(labels), dtype=np.int64)
    for part in parts:
        rest = np.setdiff1d(np.arange(len(labels)), part)
        fitted = recipe.calibrate(scores[rest], labels[rest], 1.0)
        for at in part:
            chances[at] = sigmoid(fitted.slope * float(scores[at]) + fitted.offset)
            said[at] = chances[at] >= fitted.threshold
    return chances, said


def _split(rows: Sequence[Row], test: set[int], start: int) -> tuple[list[Row], list[Row]]:
    kept = [row for at, row in enumerate(rows, start) if at not in test]
    return kept, [row for at, row in enumerate(rows, start) if at in test]


def _sentiment(rows: Sequence[Row], basis: Basis, spellings: Spellings) -> float:
    matrix = recipe.count(rows, spellings).weighted(basis.idf)
    said = np.argmax(matrix @ basis.sentiment + basis.sentiment_intercepts, axis=1)
    return round(macro_recall(recipe.sentiment_labels(rows), said, _SENTIMENTS), 4)


def _complaint(sets: Sets, rows: Matrix, basis: Basis) -> dict[str, Any]:
    labels = recipe.complaint_labels(sets.complaints)
    scores, parts = recipe.held_out_scores(rows, labels, sets.complaint_groups, basis)
    chances, said = cross_fitted(scores, labels, parts)
    addressed = np.array([row.domain not in UNADDRESSED for row in sets.complaints])
    precision, recall = precision_recall(labels, said)
    figures = {
        "macro_f1": macro_f1(labels, said, _BOTH),
        "macro_f1_lowest_fold": min(macro_f1(labels[part], said[part], _BOTH) for part in parts),
        "macro_f1_brand_addressed": macro_f1(labels[addressed], said[addressed], _BOTH),
        "macro_f1_unseen_domain_brand_addressed": _by_domain(sets, rows, basis, addressed),
        "precision": precision,
        "recall": recall,
        "precision_at_100": precision_at(labels, chances, 100),
        "precision_at_500": precision_at(labels, chances, 500),
        "calibration_error": calibration_error(labels, chances),
        "calibration_error_brand_addressed": calibration_error(
            labels[addressed], chances[addressed]
        ),
    }
    return {**{name: round(value, 4) for name, value in figures.items()}, "rows": len(labels)}


def _by_domain(sets: Sets, rows: Matrix, basis: Basis, addressed: Any) -> float:
    labels = recipe.complaint_labels(sets.complaints)
    domains = np.array([row.domain for row in sets.complaints])
    said = np.zeros(len(labels), dtype=np.int64)
    for domain in sorted(set(domains[addressed].tolist())):
        inside = np.flatnonzero(domains == domain)
        rest = np.flatnonzero(domains != domain)
        head = recipe.fit_complaint_head(rows[rest], labels[rest], recipe.COMPLAINT_STRENGTH, basis)
        said[inside] = (rows[inside] @ head.weights + head.intercepts)[:, 0] > 0
    return macro_f1(labels[addressed], said[addressed], _BOTH)


def _severity(sets: Sets, rows: Matrix, basis: Basis) -> dict[str, Any]:
    levels = recipe.severity_labels(sets.complaints)
    graded = np.flatnonzero(levels > 0)
    said = np.zeros(len(levels), dtype=np.int64)
    for part in folds(sets.complaint_groups, recipe.FOLDS, recipe.SEED):
        rest = np.setdiff1d(np.arange(len(levels)), part)
        head = recipe.fit_severity_head(rows[rest], levels[rest], basis)
        said[part] = 1 + np.argmax(rows[part] @ head.weights + head.intercepts, axis=1)
    truth, said = levels[graded], said[graded]
    shares = np.array([np.mean(truth == level) for level in LEVELS])
    return {
        "macro_f1": round(macro_f1(truth, said, LEVELS), 4),
        "macro_f1_always_the_commonest": round(
            macro_f1(truth, np.full(len(truth), LEVELS[int(np.argmax(shares))]), LEVELS), 4
        ),
        "macro_f1_drawn_by_share": round(float(np.mean(shares)), 4),
        "quadratic_kappa": round(weighted_kappa(truth, said, LEVELS), 4),
        "rows": len(truth),
    }
