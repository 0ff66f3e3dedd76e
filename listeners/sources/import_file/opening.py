"""Open a file where reading is to go on, and say in one line why it cannot be read."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from listeners.errors import BadTarget, TargetGone
from listeners.sources.import_file.options import Options
from listeners.sources.import_file.reader import (
    Lines,
    Row,
    RowTooLongError,
    csv_rows,
    json_rows,
)

_BOM = b"\xef\xbb\xbf"
_DELIMITERS = ",;\t|"
_HEAD = 64 * 1024
_PEEK_ROWS = 20
_JSON_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json"})
_CSV_SUFFIXES = frozenset({".csv", ".tsv"})


class Opened(NamedTuple):
    """A file that is being read."""

    rows: Iterator[Row]
    lines: Lines
    columns: list[str] | None
    """The header, where the format has one."""


@contextmanager
def opened(options: Options, offset: int = 0, line: int = 1) -> Iterator[Opened]:
    """The rows from a place on, or from the first.

    Raises:
        TargetGone: if there is no such file.
        BadTarget: if it is a folder, empty, not text, damaged, or has no usable header.
    """
    path = Path(options.path)
    with faults_named(path), path.open("rb") as plain:
        if plain.seek(0, 2) != options.size:
            raise BadTarget(f"{path} has changed since it was taken up: import it again")
        plain.seek(0)
        file = _unpacked(plain)
        head = file.read(_HEAD)
        _check_text(path, head)
        start = len(_BOM) if head.startswith(_BOM) else 0
        file.seek(start)
        lines = Lines(file, options.codec, start)
        if _is_csv(options, path, head[start:]):
            header, delimiter = _header(path, lines, options.delimiter)
            lines = _move(file, lines, options.codec, offset, line)
            yield Opened(csv_rows(lines, header, delimiter), lines, header)
        else:
            if head[start:].lstrip().startswith(b"["):
                raise BadTarget(
                    f"{path} is one JSON array: write one object a line, as jq -c '.[]' does"
                )
            lines = _move(file, lines, options.codec, offset, line)
            yield Opened(json_rows(lines), lines, None)


def first_keys(options: Options) -> list[dict[str, object]]:
    """The first objects of a JSON Lines file, to see what keys they have."""
    with opened(options) as start:
        return [row.value for row in islice(start.rows, _PEEK_ROWS) if row.value is not None]


@contextmanager
def faults_named(path: Path) -> Iterator[None]:
    """Turn what the file system says of ``path`` into the room's errors."""
    try:
        yield
    except FileNotFoundError as error:
        raise TargetGone(f"there is no file {path}: check the path") from error
    except IsADirectoryError as error:
        raise BadTarget(f"{path} is a folder: name a file in it") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadTarget(f"{path} is damaged ({error}): fetch it again") from error
    except OSError as error:
        raise BadTarget(
            f"{path} cannot be read ({error.strerror or error}): check its permissions"
        ) from error


def _unpacked(plain: BinaryIO) -> BinaryIO:
    packed = plain.read(2) == b"\x1f\x8b"
    plain.seek(0)
    return cast(BinaryIO, gzip.GzipFile(fileobj=plain)) if packed else plain


def _check_text(path: Path, head: bytes) -> None:
    if not head.strip():
        raise BadTarget(f"{path} is empty: export it again")
    if head.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise BadTarget(f"{path} is a spreadsheet or an archive: export it as CSV")
    nul = head.count(b"\0")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or nul > len(head) // 4:
        raise BadTarget(f"{path} is UTF-16 or UTF-32: save it as UTF-8")
    if nul > len(head) // 20:
        raise BadTarget(f"{path} is not text: export it as CSV or JSON Lines")


def _is_csv(options: Options, path: Path, head: bytes) -> bool:
    if options.format is not None:
        return options.format == "csv"
    suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    if suffix.lower() in _CSV_SUFFIXES:
        return True
    return suffix.lower() not in _JSON_SUFFIXES and not head.lstrip().startswith((b"{", b"["))


def _header(path: Path, lines: Lines, delimiter: str | None) -> tuple[list[str], str]:
    try:
        first = next(line for line in lines if line.strip())
        if delimiter is None:
            delimiter = max(_DELIMITERS, key=first.count)
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter))]
    except (csv.Error, RowTooLongError, StopIteration) as error:
        raise BadTarget(f"{path} has no header that can be read: export it as CSV") from error
    if lines.problem is not None:
        raise BadTarget(f"{path}: header: {lines.problem}")
    return header, delimiter


def _move(file: BinaryIO, lines: Lines, codec: str, offset: int, line: int) -> Lines:
    """The lines from a place that was reached before; else where the header ends."""
    if offset <= lines.offset:
        return lines
    file.seek(offset)
    return Lines(file, codec, offset, line)
