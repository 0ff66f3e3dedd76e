"""The files of a model's folder: its description, and that the others are those of the export."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from nlp.errors import ModelCorrupt, ModelMissing

RESTORE: Final = (
    "reinstall Outcry, or in a checkout: git checkout -- models; "
    "instead of one that you trained: outcry model rollback"
)
T = TypeVar("T")


def described(folder: Path, type_: type[T]) -> T:
    """``metadata.json`` of a folder.

    Raises:
        ModelMissing: if it is not there.
        ModelCorrupt: if it is damaged, or of another version.
    """
    path = folder / "metadata.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=type_)
    except OSError as error:
        raise ModelMissing(f"{path} is missing; {RESTORE}") from error
    except msgspec.DecodeError as error:
        raise ModelCorrupt(f"{path} is damaged ({error}); {RESTORE}") from error


def verify(folder: Path, files: Mapping[str, str]) -> None:
    """Check the files beside a description.

    Args:
        folder: of the model.
        files: the SHA-256 of each.

    Raises:
        ModelMissing: if one is not there.
        ModelCorrupt: if one is not, byte for byte, the one that was exported.
    """
    for name, expected in files.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelMissing(f"{folder / name} is missing; {RESTORE}") from error
        if found != expected:
            raise ModelCorrupt(f"{folder / name} is not the file that was exported; {RESTORE}")
