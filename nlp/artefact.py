"""The files of a baseline: ``metadata.json``, and its numbers in an ``.npz`` without pickles.

The numbers are, for the buckets that count, their frequency weight and a weight a head, in half
precision. There are no words in them, and none can be read back from a bucket.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Final, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from nlp.assessment import Sentiment
from nlp.errors import ModelCorrupt, ModelMissing
from nlp.features import FeatureSettings
from nlp.shipped import RESTORE

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

KIND: Final = "hashed-linear"
SENTIMENTS: Final[tuple[Sentiment, ...]] = get_args(Sentiment)
COMPLAINT: Final = 3
LEVELS: Final = (1, 2, 3, 4)
HEADS: Final = 8
"""Columns of the weights: three sentiments, the complaint, four levels of severity."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From scores to probabilities, fitted on rows that the scores' model had not seen."""

    slope: float
    """Platt scaling of the complaint score: ``1 / (1 + exp(-(slope * score + offset)))``."""
    offset: float
    threshold: float
    """The calibrated probability from which on a text is called a complaint."""
    temperature: float
    """The sentiment scores are divided by it before the softmax."""


class Metadata(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``metadata.json`` of a baseline."""

    kind: str
    name: str
    version: int
    languages: tuple[str, ...]
    features: FeatureSettings
    calibration: Calibration
    sentiments: tuple[str, ...]
    severity_levels: tuple[int, ...]
    seed: int
    training_rows: dict[str, int]
    training_sha256: dict[str, str]
    weights_sha256: str


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a linear model, by bucket."""

    idf: Floats
    """Inverse document frequency, 0 for a bucket that does not count."""
    heads: Floats
    """One column a head."""
    intercepts: Floats


def pack(weights: Weights) -> bytes:
    """The file's bytes; the same for the same weights. Rounds to half precision."""
    counting = weights.idf > 0
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        counting=np.packbits(counting),
        idf=weights.idf[counting].astype(np.float16),
        heads=weights.heads[counting].T.astype(np.float16),
        intercepts=weights.intercepts,
    )
    return buffer.getvalue()


def unpack(raw: bytes, buckets: int, columns: int) -> Weights:
    """The weights of a file's bytes, with so many heads.

    Raises:
        ValueError: if the arrays do not fit each other.
    """
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        counting = np.unpackbits(arrays["counting"]).astype(bool)
        idf, heads, intercepts = (arrays[name] for name in ("idf", "heads", "intercepts"))
    n = int(counting.sum())
    if len(counting) != buckets or idf.shape != (n,):
        raise ValueError("buckets do not fit")
    if heads.shape != (columns, n) or intercepts.shape != (columns,):
        raise ValueError("heads do not fit")
    full_idf = np.zeros(buckets)
    full_idf[counting] = idf
    full_heads = np.zeros((buckets, columns))
    full_heads[counting] = heads.T
    return Weights(idf=full_idf, heads=full_heads, intercepts=intercepts.astype(np.float64))


def read_metadata(path: Path) -> Metadata:
    """The description of a baseline.

    Raises:
        ModelMissing: if it is not there.
        ModelCorrupt: if it is damaged, or of another version.
    """
    try:
        metadata = msgspec.json.decode(_bytes(path), type=Metadata)
    except msgspec.DecodeError as error:
        raise ModelCorrupt(f"{path} is damaged ({error}); {RESTORE}") from error
    if metadata.sentiments != SENTIMENTS or metadata.severity_levels != LEVELS:
        raise ModelCorrupt(f"{path} has the labels of another version; train the model again")
    return metadata


def read_weights(path: Path, metadata: Metadata) -> Weights:
    """The weights that belong to a model's metadata.

    Raises:
        ModelMissing: if the file is not there.
        ModelCorrupt: if it is not, byte for byte, the one that was trained.
    """
    raw = _bytes(path)
    if hashlib.sha256(raw).hexdigest() != metadata.weights_sha256:
        raise ModelCorrupt(f"{path} is not the file of its metadata.json; {RESTORE}")
    try:
        return unpack(raw, 1 << metadata.features.bits, HEADS)
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelCorrupt(f"{path} is damaged ({error}); {RESTORE}") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise ModelMissing(f"cannot read {path}: {reason}; {RESTORE}") from error
