"""From a folder to a model. Which kind of model lies there is written in its ``metadata.json``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from nlp.artefact import KIND
from nlp.baseline import load_baseline
from nlp.encoder import KIND as ENCODER
from nlp.encoder import load_encoder
from nlp.errors import ModelCorrupt, ModelMissing
from nlp.plain import KIND as PLAIN
from nlp.plain import load_plain
from nlp.reader import Reader
from nlp.several import KIND as SEVERAL
from nlp.several import Several, SeveralMetadata
from nlp.shipped import RESTORE, described


class _Card(msgspec.Struct, frozen=True):
    """What every kind of model says of itself."""

    kind: str
    name: str
    version: int
    languages: tuple[str, ...] = ()


def load(folder: Path, threads: int | None = None) -> Reader:
    """The model that lies in a folder.

    Args:
        folder: of the model.
        threads: that an encoder reads with; None is one a core.

    Raises:
        ModelMissing: if the folder holds no model, or not all of it.
        ModelCorrupt: if a file is damaged, or of a kind that this version does not know.
    """
    found = kind(folder)
    if found == KIND:
        return load_baseline(folder)
    if found == ENCODER:
        return load_encoder(folder, threads)
    if found == PLAIN:
        return load_plain(folder, threads)
    if found == SEVERAL:
        return _load_several(folder, threads)
    raise ModelCorrupt(f"{folder} holds a kind of model unknown here, {found!r}; update Outcry")


def _load_several(folder: Path, threads: int | None) -> Several:
    metadata = described(folder, SeveralMetadata)
    readers = []
    for name, version in metadata.readers.items():
        reader = load(folder.parent / name, threads)
        if reader.model != f"{name}/{version}":
            raise ModelCorrupt(
                f"{folder} is made of {name}/{version}, and {reader.model} is there: "
                f"raise its version with that of its reader"
            )
        readers.append(reader)
    return Several(metadata, readers)


def kind(folder: Path) -> str:
    """What kind of model lies in a folder.

    Raises:
        ModelMissing, ModelCorrupt: as `load`.
    """
    return _card(folder).kind


def model_id(folder: Path) -> str:
    """Name and version of the model in a folder, as ``baseline-en/1``, without loading it.

    Raises:
        ModelMissing, ModelCorrupt: as `load`.
    """
    card = _card(folder)
    return f"{card.name}/{card.version}"


def languages(folder: Path) -> frozenset[str]:
    """The ISO 639-1 codes that the model in a folder reads, without loading it.

    Raises:
        ModelMissing, ModelCorrupt: as `load`.
    """
    return frozenset(_card(folder).languages)


def _card(folder: Path) -> _Card:
    description = folder / "metadata.json"
    if not description.is_file():
        raise ModelMissing(f"no model in {folder}: metadata.json is missing; {RESTORE}")
    try:
        return msgspec.json.decode(description.read_bytes(), type=_Card)
    except msgspec.DecodeError as error:
        raise ModelCorrupt(f"{description} is damaged ({error}); {RESTORE}") from error
