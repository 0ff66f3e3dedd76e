"""Standard input and pipes as files, so that they have an identity and can be resumed."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_BLOCK = 1 << 20


@contextmanager
def spooled(given: str, folder: Path) -> Iterator[Path]:
    """The path of a file argument; ``-`` and pipes are first copied into ``folder``.

    A copy is named by its content, so the same input again is the same file. It is removed
    when the block ends, however it ends: rejects keep their own payload.
    """
    path = Path(given).expanduser()
    if given == "-":
        copy = _copied(sys.stdin.buffer, folder)
    elif path.exists() and not path.is_file() and not path.is_dir():
        with path.open("rb") as pipe:
            copy = _copied(pipe, folder)
    else:
        yield path
        return
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _copied(stream: BinaryIO, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{os.getpid()}.tmp"
    digest = hashlib.sha256()
    try:
        with temporary.open("wb") as copy:
            while block := stream.read(_BLOCK):
                digest.update(block)
                copy.write(block)
        return temporary.replace(folder / f"stdin-{digest.hexdigest()[:16]}")
    finally:
        temporary.unlink(missing_ok=True)
