"""Completes an exported multilingual encoder: its calibration and its description."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from models import data, recipe
from models.corpus import read_corpus
from models.languages import Tongues, read_tongues
from models.plan import Made
from nlp.baseline import sigmoid
from nlp.heads import COMPLAINT, SENTIMENT
from nlp.plain import KIND, PlainMetadata, load_plain
from nlp.session import MODEL_FILE, TOKENIZER_FILE, Encoder

_HEATS = np.arange(50, 301, 10) / 100


def texts(folder: Path) -> list[str]:
    """What the scales are fixed by: texts to learn from, in all the languages.

    Raises:
        DataMissing: if a set is not there.
    """
    return [row.text for row in read_tongues(folder).train]


def seal(
    folder: Path,
    sets_folder: Path,
    name: str,
    version: int,
    made: Made,
    *,
    longest: int,
    batch: int,
) -> None:
    """Writes ``metadata.json`` into a folder with an encoder's two files.

    Complaints are calibrated on held-out English rows, for there are no others; the temperature
    of the sentiments is fitted on held-out rows of all the languages.

    Raises:
        DataMissing: if a set is not there.
    """
    encoder = Encoder(folder, longest=longest, batch=batch)
    rows = read_corpus(sets_folder).complaints_test
    labels = recipe.complaint_labels(rows)
    scores = encoder.scores([row.text for row in rows])[:, COMPLAINT].astype(np.float64)
    scale, offset = recipe.platt(scores, labels)
    chances = np.array([sigmoid(scale * score + offset) for score in scores.tolist()])
    tongues = read_tongues(sets_folder)
    metadata = PlainMetadata(
        kind=KIND,
        name=name,
        version=version,
        languages=tuple(sorted({str(row.language) for row in tongues.train})),
        longest=longest,
        complaint_scale=scale,
        complaint_offset=offset,
        threshold=recipe.best_threshold(chances, labels),
        sentiment_temperature=_temperature(encoder, tongues),
        base=made.base,
        training=made.rows,
        training_sha256=made.sha256,
        files={file: data.digest(folder / file) for file in (MODEL_FILE, TOKENIZER_FILE)},
        batch=batch,
    )
    raw = msgspec.json.encode(metadata, order="deterministic")
    (folder / "metadata.json").write_bytes(msgspec.json.format(raw, indent=2) + b"\n")
    load_plain(folder)


def _temperature(encoder: Encoder, tongues: Tongues) -> float:
    """The temperature at which the true sentiments of held-out rows are the likeliest."""
    scores = encoder.scores([row.text for row in tongues.test])[:, SENTIMENT].astype(np.float64)
    truth = recipe.sentiment_labels(tongues.test)

    def loss(heat: float) -> float:
        heated = scores / heat
        top = heated.max(axis=1, keepdims=True)
        sums = np.log(np.exp(heated - top).sum(axis=1, keepdims=True)) + top
        return -float((heated - sums)[np.arange(len(truth)), truth].mean())

    return float(min(_HEATS, key=loss))
