"""Fits the reasons' head of an exported encoder again, to its own vectors of the training rows.

One pass over shuffled heads leaves this head, which few rows teach, unfinished; a logistic
regression on what the eight-bit encoder really gives finishes it in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.data import Row
from models.errors import ModelUnfit
from nlp.heads import REASON, REASONS, WIDTH
from nlp.session import MODEL_FILE, Encoder

_STRENGTH = 0.03
_NEVER = -20.0
_WEIGHT, _BIAS = "net.heads.weight", "net.heads.bias"


def refit_reasons(folder: Path, rows: Sequence[Row]) -> None:
    """Writes a fresh reasons' head into the encoder's file; the other heads stay as they are.

    Args:
        folder: of `models.export`.
        rows: training rows; those without a reason are not looked at.
    """
    known = [row for row in rows if row.reason in REASONS]
    labels = np.array([REASONS.index(str(row.reason)) for row in known])
    if len(set(labels.tolist())) < 2:
        return
    encoder = Encoder(folder)
    vectors = np.stack([one.vector for _, one in encoder.read([row.text for row in known])])
    with threadpool_limits(1):
        model = LogisticRegression(C=_STRENGTH, max_iter=300).fit(vectors, labels)
    weights, biases = _all_classes(model.coef_, model.intercept_, model.classes_)
    path = folder / MODEL_FILE
    graph, written = onnx.load(str(path)), 0
    for tensor in graph.graph.initializer:
        if tensor.name in (_WEIGHT, _BIAS):
            values = numpy_helper.to_array(tensor).copy()
            by_head = values if len(values) == WIDTH else values.T
            by_head[REASON] = weights if tensor.name == _WEIGHT else biases
            written += 1
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    if written != 2:
        raise ModelUnfit(f"{path} has no heads that can be written; export it again")
    onnx.save(graph, str(path))


def _all_classes(
    coefficients: npt.NDArray[np.float64],
    intercepts: npt.NDArray[np.float64],
    classes: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    weights = np.zeros((len(REASONS), coefficients.shape[1]), np.float32)
    biases = np.full(len(REASONS), _NEVER, np.float32)
    if len(classes) == 2:  # scikit-learn gives the second class against the first
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercepts = np.concatenate([np.zeros_like(intercepts), intercepts])
    weights[classes], biases[classes] = coefficients, intercepts
    return weights, biases
