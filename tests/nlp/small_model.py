"""A small model of our own making, so that tests of reading need no training."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np

from nlp.artefact import (
    COMPLAINT,
    HEADS,
    KIND,
    LEVELS,
    SENTIMENTS,
    Calibration,
    Metadata,
    Weights,
    pack,
)
from nlp.features import FeatureSettings, Spellings

SETTINGS = FeatureSettings(bits=12, shortest=3, longest=4, word_weight=1.5)


def weights(**complaint_weight_of: float) -> Weights:
    """Weights that know the complaint weight of a few words, and noise besides."""
    size = 1 << SETTINGS.bits
    random = np.random.default_rng(7)
    heads = random.normal(0, 0.01, (size, HEADS))
    spellings = Spellings(SETTINGS)
    for word, weight in complaint_weight_of.items():
        kind = int(spellings.batch([word]).kinds[0])
        heads[spellings.words[kind][0], COMPLAINT] = weight
    return Weights(idf=np.ones(size), heads=heads, intercepts=np.zeros(HEADS))


def word(number: int) -> str:
    """Another word for every number, in letters: a token does not run over a digit."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def metadata(packed: bytes) -> Metadata:
    """A description that fits a file of weights."""
    return Metadata(
        kind=KIND,
        name="small",
        version=1,
        languages=("en",),
        features=SETTINGS,
        calibration=Calibration(slope=1.0, offset=0.0, threshold=0.5, temperature=1.0),
        sentiments=SENTIMENTS,
        severity_levels=LEVELS,
        seed=0,
        training_rows={},
        training_sha256={},
        weights_sha256=hashlib.sha256(packed).hexdigest(),
    )


def write(folder: Path, **complaint_weight_of: float) -> Path:
    """The small model in a folder, which is returned."""
    folder.mkdir(parents=True, exist_ok=True)
    packed = pack(weights(**complaint_weight_of))
    (folder / "weights.npz").write_bytes(packed)
    (folder / "metadata.json").write_bytes(msgspec.json.encode(metadata(packed)))
    return folder
