"""Topics in a folder: ``metadata.json``, and their numbers by bucket in ``topics.npz``.

There are no words in them, and none can be read back from a bucket; see `nlp.artefact`.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from nlp.artefact import Weights, pack, unpack
from nlp.errors import ModelCorrupt, ModelMissing
from nlp.topics import Topics

KIND: Final = "hashed-topics"
METADATA: Final = "metadata.json"
NUMBERS: Final = "topics.npz"


class TopicsMetadata(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``metadata.json``."""

    kind: str = KIND
    labels: tuple[str, ...]
    temperature: float
    buckets: int
    rows: int
    """Texts that it learnt from."""
    rows_sha256: str
    numbers_sha256: str


def save_topics(topics: Topics, folder: Path, rows: int, rows_sha256: str) -> None:
    """Write topics that were learnt from words alone into a new folder; in half precision.

    Same topics, same bytes.
    """
    packed = pack(Weights(idf=topics.idf, heads=topics.weights[1:], intercepts=topics.weights[0]))
    metadata = TopicsMetadata(
        labels=topics.labels,
        temperature=topics.temperature,
        buckets=len(topics.idf),
        rows=rows,
        rows_sha256=rows_sha256,
        numbers_sha256=hashlib.sha256(packed).hexdigest(),
    )
    folder.mkdir(parents=True)
    (folder / NUMBERS).write_bytes(packed)
    raw = msgspec.json.format(msgspec.json.encode(metadata, order="deterministic"), indent=2)
    (folder / METADATA).write_bytes(raw + b"\n")


def load_topics(folder: Path) -> Topics:
    """The topics of a folder.

    Raises:
        ModelMissing, ModelCorrupt: if they are not there, or not what was written.
    """
    try:
        metadata = msgspec.json.decode((folder / METADATA).read_bytes(), type=TopicsMetadata)
        packed = (folder / NUMBERS).read_bytes()
    except FileNotFoundError as error:
        raise ModelMissing(
            f"{error.filename} is missing: 'outcry model rollback --routing' does without it"
        ) from None
    except msgspec.DecodeError as error:
        raise ModelCorrupt(f"{folder / METADATA} is damaged ({error}): {_REMEDY}") from None
    if hashlib.sha256(packed).hexdigest() != metadata.numbers_sha256:
        raise ModelCorrupt(f"{folder / NUMBERS} is not what was written: {_REMEDY}")
    try:
        read = unpack(packed, metadata.buckets, len(metadata.labels))
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ModelCorrupt(f"{folder / NUMBERS} is damaged ({error}): {_REMEDY}") from None
    weights = np.vstack([read.intercepts, read.heads])
    return Topics(metadata.labels, weights, read.idf, metadata.temperature, None)


_REMEDY = "'outcry model rollback --routing' does without it"
