"""The figures of a shipped encoder, on the rows that were held out from all of its parts.

The blend and the threshold of complaints were fitted on those rows too, three numbers and one; so
each row is judged by a blend of the other folds. The sentiment's share and temperature, two
numbers for some 5,000 rows, are judged where they were fitted, and on the complaint set.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models import order, recipe
from models.blend import Floats, Integers, Read, as_read, cross_chances, settled, thresholds
from models.corpus import part
from models.data import UNADDRESSED
from models.groups import folds
from models.judge_evidence import evidence_figures
from models.metrics import (
    calibration_error,
    macro_f1,
    macro_recall,
    precision_at,
    precision_recall,
    weighted_kappa,
)
from models.seal import BLEND_PARTS, read, read_moods
from nlp import encoder
from nlp.artefact import COMPLAINT as LINEAR_COMPLAINT
from nlp.artefact import LEVELS
from nlp.encoder import Blend, at_prevalence, load_encoder
from nlp.heads import COMPLAINT, REASON, REASONS

STREAM = 0.05
"""A share of complaints that a brand's stream may have."""
_SENTIMENTS = (0, 1, 2)
_BOTH = (0, 1)
_DRAWS = 1_000


def judge_encoder(sets_folder: Path, folder: Path) -> dict[str, Any]:
    """All figures of the heads, by subject.

    Raises:
        DataMissing: if a set is not there.
        NlpError: if the model cannot be loaded.
    """
    reader = load_encoder(folder)
    corpus = part(recipe.read_sets(sets_folder))
    complaints = read(reader, corpus.complaints_test)
    semeval, airline = read_moods(reader, corpus)
    blend = reader.metadata.blend
    graded = complaints.at(
        [at for at, row in enumerate(complaints.rows) if row.sentiment is not None]
    )
    return {
        "complaint": complaint_figures(complaints, corpus.complaints_test_groups, blend),
        "sentiment": {
            "semeval_2013_2016_held_out_macro_recall": sentiment_recall(semeval, blend),
            "semeval_2013_2016_held_out_rows": len(semeval.rows),
            "airline_held_out_macro_recall": sentiment_recall(airline, blend),
            "airline_held_out_rows": len(airline.rows),
            "complaints_csv_held_out_macro_recall": sentiment_recall(graded, blend),
            "complaints_csv_rows": len(graded.rows),
        },
        "severity": _severity(complaints, blend),
        "order": order.figures(
            order.mixed(
                *order.judged_by_encoder(
                    complaints, corpus.complaints_test_groups, semeval, blend, BLEND_PARTS
                )
            )
        ),
        "reason": _reason(airline),
        "evidence": evidence_figures(reader, complaints),
    }


def said_by_others(chances: Floats, labels: Integers, parts: Sequence[Sequence[int]]) -> Integers:
    """Verdicts where each fold's threshold is the best one of the other folds."""
    said = np.zeros(len(labels), dtype=np.int64)
    for fold in parts:
        rest = np.setdiff1d(np.arange(len(labels)), fold)
        said[fold] = chances[fold] >= recipe.best_threshold(chances[rest], labels[rest])
    return said


def interval(labels: Integers, said: Integers) -> list[float]:
    """The middle 95 % of the macro-F1 over rows drawn with putting back (the bootstrap)."""
    random = np.random.default_rng(recipe.SEED)
    scores = []
    for _ in range(_DRAWS):
        drawn = random.integers(0, len(labels), len(labels))
        scores.append(macro_f1(labels[drawn], said[drawn], _BOTH))
    return [round(float(edge), 4) for edge in np.percentile(scores, [2.5, 97.5])]


def stream_error(labels: Integers, chances: Floats, share: float) -> float:
    """Calibration error were ``share`` of the rows complaints, probabilities moved to fit.

    Complaints and the rest keep their own looks; rows are weighted rather than drawn.
    """
    fitted = float(labels.mean())
    moved = np.array([at_prevalence(float(chance), fitted, share) for chance in chances])
    weights = np.where(labels == 1, share / fitted, (1 - share) / (1 - fitted))
    bins = np.minimum((moved * 10).astype(np.int64), 9)
    error = 0.0
    for number in range(10):
        inside = bins == number
        if np.any(inside):
            mass = weights[inside]
            gap = np.average(moved[inside], weights=mass) - np.average(labels[inside], weights=mass)
            error += abs(float(gap)) * float(mass.sum() / weights.sum())
    return error


def complaint_figures(complaints: Read, groups: Sequence[int], blend: Blend) -> dict[str, Any]:
    """Of the complaint head.

    Args:
        complaints: held-out rows.
        groups: the rows' near-duplicates.
        blend: says which rows the linear model settles; its other numbers are fitted anew.
    """
    labels = recipe.complaint_labels(complaints.rows)
    parts = folds(groups, BLEND_PARTS, 1)
    chances = as_read(cross_chances(complaints, parts), complaints, blend)
    said = said_by_others(chances, labels, parts)
    addressed = np.array([row.domain not in UNADDRESSED for row in complaints.rows])
    alone = np.array([float(one.encoder.scores[COMPLAINT]) for one in complaints.raw])
    linear = np.array([one.linear[LINEAR_COMPLAINT] for one in complaints.raw])
    early = settled(complaints, blend)
    precision, recall = precision_recall(labels, said)
    figures = {
        "macro_f1": macro_f1(labels, said, _BOTH),
        "macro_f1_brand_addressed": macro_f1(labels[addressed], said[addressed], _BOTH),
        "macro_f1_encoder_alone": macro_f1(labels, (alone > 0).astype(np.int64), _BOTH),
        "macro_f1_linear_alone": macro_f1(labels, (linear > 0).astype(np.int64), _BOTH),
        "precision": precision,
        "recall": recall,
        "precision_at_100": precision_at(labels, chances, 100),
        "calibration_error": calibration_error(labels, chances),
        "calibration_error_brand_addressed": calibration_error(
            labels[addressed], chances[addressed]
        ),
        "calibration_error_at_5_percent": stream_error(labels, chances, STREAM),
        "settled_at_5_percent": float(
            STREAM * np.mean(early[labels == 1]) + (1 - STREAM) * np.mean(early[labels == 0])
        ),
    }
    return {
        **{name: round(value, 4) for name, value in figures.items()},
        "macro_f1_interval": interval(labels, said),
        "thresholds": thresholds(chances, labels),
        "rows": len(labels),
    }


def sentiment_recall(rows: Read, blend: Blend) -> float:
    """Macro-recall of the sentiments of rows that have one."""
    said = np.array(
        [
            np.argmax(one.first_sentiments if early else encoder.sentiment_chances(one, blend))
            for one, early in zip(rows.raw, settled(rows, blend), strict=True)
        ]
    )
    return round(macro_recall(recipe.sentiment_labels(rows.rows), said, _SENTIMENTS), 4)


def _severity(complaints: Read, blend: Blend) -> dict[str, Any]:
    levels = recipe.severity_labels(complaints.rows)
    graded = np.flatnonzero(levels > 0)
    truth = levels[graded]
    said = np.array(
        [1 + int(np.argmax(encoder.severity_chances(complaints.raw[at], blend))) for at in graded]
    )
    shares = [float(np.mean(truth == level)) for level in LEVELS]
    return {
        "macro_f1": round(macro_f1(truth, said, LEVELS), 4),
        "macro_f1_drawn_by_share": round(float(np.mean(shares)), 4),
        "quadratic_kappa": round(weighted_kappa(truth, said, LEVELS), 4),
        "rows": len(truth),
    }


def _reason(airline: Read) -> dict[str, Any]:
    known = [at for at, row in enumerate(airline.rows) if row.reason in REASONS]
    truth = np.array([REASONS.index(str(airline.rows[at].reason)) for at in known])
    scores = np.array([airline.raw[at].encoder.scores[REASON] for at in known])
    said = np.argmax(scores, axis=1)
    unsure = REASONS.index("Can't Tell")
    told = truth != unsure
    scores[:, unsure] = -np.inf
    nine = [at for at in range(len(REASONS)) if at != unsure]
    return {
        "macro_f1": round(macro_f1(truth, said, range(len(REASONS))), 4),
        "macro_f1_without_cannot_tell": round(
            macro_f1(truth[told], np.argmax(scores, axis=1)[told], nine), 4
        ),
        "rows": len(truth),
    }
