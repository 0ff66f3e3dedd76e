"""Completes an exported encoder: the linear model beside it, the blend, and the description."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models import data, recipe
from models.blend import UNFITTED, Read, fit_blend
from models.corpus import Corpus, part, sample, training_sets
from models.data import Row
from models.plan import Made
from models.train import train_sets, write
from nlp.artefact import read_metadata, read_weights
from nlp.baseline import Baseline
from nlp.encoder import (
    KIND,
    LINEAR_FOLDER,
    BlendedEncoder,
    EncoderMetadata,
    load_encoder,
)
from nlp.heads import REASONS
from nlp.session import MODEL_FILE, TOKENIZER_FILE, Encoder

MOST_MOODS = 3_000
"""Held-out rows of a set with sentiments that are read, drawn once."""
BLEND_PARTS = 5


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
    """Writes ``linear/`` and ``metadata.json`` into a folder with an encoder's two files.

    Raises:
        DataMissing: if a set is not there.
    """
    sets = recipe.read_sets(sets_folder)
    with threadpool_limits(1):
        linear, packed = train_sets(sets_folder, training_sets(sets), lambda: None)
    linear = msgspec.structs.replace(linear, name=f"{name}-linear", version=version)
    write(folder / LINEAR_FOLDER, linear, packed)
    metadata = EncoderMetadata(
        kind=KIND,
        name=name,
        version=version,
        languages=("en",),
        longest=longest,
        blend=UNFITTED,
        reasons=REASONS,
        base=made.base,
        training=made.rows,
        training_sha256=made.sha256,
        files={file: data.digest(folder / file) for file in (MODEL_FILE, TOKENIZER_FILE)},
        batch=batch,
    )
    path = folder / LINEAR_FOLDER
    own = read_metadata(path / "metadata.json")
    reader = BlendedEncoder(
        metadata,
        Encoder(folder, longest=longest, batch=batch),
        Baseline(own, read_weights(path / "weights.npz", own)),
    )
    corpus = part(sets)
    complaints = read(reader, corpus.complaints_test)
    blend = fit_blend(
        complaints, read_moods(reader, corpus), BLEND_PARTS, corpus.complaints_test_groups
    )
    raw = msgspec.json.encode(msgspec.structs.replace(metadata, blend=blend), order="deterministic")
    (folder / "metadata.json").write_bytes(msgspec.json.format(raw, indent=2) + b"\n")
    load_encoder(folder)


def read(reader: BlendedEncoder, rows: Sequence[Row]) -> Read:
    """Rows with both models' scores."""
    return Read(rows=list(rows), raw=reader.raw([row.text for row in rows]))


def read_moods(reader: BlendedEncoder, corpus: Corpus) -> list[Read]:
    """Held-out tweets of SemEval, and of airlines."""
    return [
        read(reader, sample(rows, MOST_MOODS, recipe.SEED))
        for rows in (corpus.semeval_test, corpus.airline_test)
    ]
