"""Topics in a folder: ``metadata.json``, and their numbers by bucket in ``topics.npz``.

There are no words in them, and none can be read back from a bucket; see `nlp.artefact`.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

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
    counting = topics.idf > 0
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        counting=np.packbits(counting),
        idf=topics.idf[counting].astype(np.float16),
        heads=topics.weights[1:][counting].T.astype(np.float16),
        intercepts=topics.weights[0],
    )
    packed = buffer.getvalue()
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
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            counting = np.unpackbits(arrays["counting"], count=metadata.buckets).astype(bool)
            idf = np.zeros(metadata.buckets)
            idf[counting] = arrays["idf"]
            weights = np.zeros((1 + metadata.buckets, len(metadata.labels)))
            weights[0] = arrays["intercepts"]
            weights[1:][counting] = arrays["heads"].T
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ModelCorrupt(f"{folder / NUMBERS} is damaged ({error}): {_REMEDY}") from None
    return Topics(metadata.labels, weights, idf, metadata.temperature, None)


_REMEDY = "'outcry model rollback --routing' does without it"
