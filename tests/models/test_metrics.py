from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from models.metrics import (
    calibration_error,
    macro_f1,
    macro_recall,
    precision_at,
    precision_recall,
    weighted_kappa,
)

PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=3, max_size=60)


@given(PAIRS)
def test_f1_and_recall_agree_with_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, said = np.array(pairs).T
    assert macro_f1(truth, said, (0, 1, 2)) == pytest.approx(
        reference.f1_score(truth, said, labels=[0, 1, 2], average="macro", zero_division=0)
    )
    present = sorted(set(truth.tolist()))
    assert macro_recall(truth, said, (0, 1, 2)) == pytest.approx(
        reference.recall_score(truth, said, labels=present, average="macro", zero_division=0)
    )


def test_kappa_agrees_with_scikit_learn() -> None:
    random = np.random.default_rng(1)
    truth, said = random.integers(1, 5, 200), random.integers(1, 5, 200)
    expected = reference.cohen_kappa_score(truth, said, weights="quadratic")
    assert weighted_kappa(truth, said, (1, 2, 3, 4)) == pytest.approx(expected)


def test_precision_counts_the_first_and_recall_all() -> None:
    truth = np.array([1, 0, 1, 1, 0])
    scores = np.array([0.9, 0.8, 0.7, 0.2, 0.1])
    assert precision_at(truth, scores, 2) == 0.5
    precision, recall = precision_recall(truth, np.array([1, 1, 1, 0, 0]))
    assert precision == recall == pytest.approx(2 / 3)


def test_calibration_error_is_the_mean_gap_between_said_and_seen() -> None:
    truth = np.array([1, 1, 0, 0])
    assert calibration_error(truth, np.array([1.0, 1.0, 0.0, 0.0])) == 0.0
    assert calibration_error(truth, np.array([0.0, 0.0, 1.0, 1.0])) == 1.0
    assert calibration_error(truth, np.array([0.75] * 4)) == pytest.approx(0.25)
