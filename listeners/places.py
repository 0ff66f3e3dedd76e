"""Where files lie: in a folder of this machine, or in an object store (``s3://…``, ``memory://``).

Everything else speaks of a `Path`; an object store's place is universal-pathlib's, which answers
to the same names. What differs is here: how a file appears whole or not at all, and which errors
a store's client has.

In a folder a file is written under a temporary name, flushed to the disk and renamed. In an
object store nothing is ever half there: the content is gathered in memory first, then put by one
request.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import unquote, urlsplit

from listeners.errors import LandingError


def place(where: str, **options: Any) -> Path:
    """The place of an address; ``file://`` and plain paths are folders of this machine.

    Args:
        where: such as ``s3://bucket/outcry``.
        options: what the store's client takes, as ``endpoint_url``; secrets it finds itself.

    Raises:
        LandingError: if there is no client for such addresses.
    """
    parts = urlsplit(where)
    if "://" not in where or parts.scheme == "file":
        return Path(unquote(parts.path) if parts.scheme == "file" else where)
    try:
        from fsspec import get_filesystem_class
        from upath import UPath

        get_filesystem_class(parts.scheme)
        # What another machine has just written must be seen: lists are not remembered.
        found = UPath(where.rstrip("/"), use_listings_cache=False, **options)
    except ImportError as error:
        raise LandingError(
            f"landing zone: {where} needs a client that is not installed ({error}): "
            "pip install 'outcry-triage[object-storage]'"
        ) from error
    except (ValueError, TypeError) as error:
        raise LandingError(f"landing zone: {where} is no address ({error}): correct it") from error
    return cast("Path", found)


def is_local(path: Path) -> bool:
    """Whether it is a file or folder of this machine."""
    return isinstance(path, Path)


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """A new file of that name, to be written; it is there, whole, once this ends without error.

    Raises:
        LandingError: if it cannot be written.
    """
    if is_local(path):
        with _renaming(path) as file:
            yield file
        return
    gathered = BytesIO()
    try:
        yield gathered
    except OSError as error:
        raise trouble(error, path) from error
    with answering(path):
        store: Any = path
        store.fs.pipe_file(store.path, gathered.getvalue())


@contextmanager
def _renaming(path: Path) -> Iterator[IO[bytes]]:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        remove(path.parent, temporary.name)
        raise trouble(error, path) from error


@contextmanager
def answering(path: Path) -> Iterator[None]:
    """Translates what goes wrong with a file or folder within.

    Raises:
        LandingError: one line that says why, and what to do.
    """
    try:
        yield
    except OSError as error:
        raise trouble(error, path) from error
    except Exception as error:
        # The clients of object stores have trees of errors of their own.
        if is_local(path) or isinstance(error, LandingError):
            raise
        raise trouble(OSError(_line(error) or type(error).__name__), path) from error


def listing(folder: Path) -> list[str]:
    """The names in a folder; none where there is no folder."""
    with answering(folder):
        try:
            return [path.name for path in folder.iterdir()]
        except FileNotFoundError:
            return []
        except NotADirectoryError:
            if is_local(folder):
                raise
            return []  # a store's folder is there once a file is in it


def files_of(folder: Path, pattern: str = "*") -> Iterator[Path]:
    """Every file below a folder, sorted; none where there is no folder."""
    with answering(folder):
        found = sorted(path for path in folder.rglob(pattern) if path.is_file())
    yield from found


def remove(folder: Path, pattern: str) -> None:
    """Remove the files of a folder with such names."""
    for path in folder.glob(pattern):
        path.unlink(missing_ok=True)


def trouble(error: OSError, path: Path) -> LandingError:
    """The one line that says why a file cannot be used, and what to do."""
    advice = {
        errno.ENOSPC: "the disk is full: free some space and run again",
        errno.EDQUOT: "the disk quota is used up: free some space and run again",
        errno.EACCES: "no permission: give this user the folder, or choose another",
        errno.EPERM: "no permission: give this user the folder, or choose another",
        errno.EROFS: "the file system is read-only: choose another folder",
        errno.ENOTDIR: "a file lies where a folder should be: move it away",
        errno.EEXIST: "a file lies where a folder should be: move it away",
        errno.EISDIR: "a folder lies where a file should be: move it away",
        errno.ENOENT: "it is not there (any more): run again",
    }
    # A store's client often says only of which kind the error is.
    kind = {FileNotFoundError: errno.ENOENT, PermissionError: errno.EACCES}.get(type(error), 0)
    said = error.strerror or _line(error)
    reason = advice.get(error.errno or kind) or f"{said}: mend it and run again"
    return LandingError(f"landing zone: {path}: {reason}")


def damaged(path: Path, error: Exception) -> LandingError:
    """The one line that says that a file is not what was once written."""
    return LandingError(
        f"landing zone: {path} is damaged ({_line(error)}): "
        "restore it, or move it away and run again"
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a loss of power."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
