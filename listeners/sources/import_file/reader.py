"""Rows of a CSV or JSON Lines file, with the places where reading can go on."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

import msgspec

MAX_RECORD = 16 * 1024 * 1024
"""Bytes of one row; what is longer is passed over."""
_SHOWN = 64 * 1024
_CHUNK = 1024 * 1024

csv.field_size_limit(MAX_RECORD + 1)


class Row(NamedTuple):
    """One row, or what is wrong with it, and the place after it."""

    line: int
    """Where it starts, from 1."""
    value: dict[str, Any] | None
    error: str | None
    raw: Any
    """Of a row that is wrong: its cells or its text, shortened if very long."""
    size: int
    """In bytes."""


class RowTooLongError(Exception):
    """A row goes beyond `MAX_RECORD`."""


class Lines(Iterator[str]):
    """The decoded lines of a file, counted, with those of the current row at hand."""

    def __init__(self, file: BinaryIO, encoding: str, offset: int = 0, line: int = 1) -> None:
        self._file = file
        self._encoding = encoding
        self._again: deque[bytes] = deque()
        self.offset = offset
        """Of the next line, in bytes from the start of the (unpacked) file."""
        self.line = line
        """Number of the next line."""
        self.begin()

    def begin(self) -> None:
        """Start a row here."""
        self.row_line = self.line
        self.row_offset = self.offset
        self.taken: list[bytes] = []
        self.problem: str | None = None
        self.ended = False

    def __next__(self) -> str:
        raw = self._again.popleft() if self._again else self._file.readline(MAX_RECORD + 1)
        if not raw:
            self.ended = True
            raise StopIteration
        self.offset += len(raw)
        self.line += 1
        self.taken.append(raw)
        if self.offset - self.row_offset > MAX_RECORD:
            if len(self.taken) == 1:
                self._pass_over(raw)
            raise RowTooLongError
        try:
            text = raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            self.problem = (
                f"byte 0x{raw[error.start]:02x} is not {self._encoding}: "
                "set encoding, as in 'cp1252'"
            )
            text = raw.decode(self._encoding, "replace")
        if "\0" in text:
            self.problem = "it holds a NUL character: remove it"
        return text

    def keep_first_only(self) -> None:
        """End the row after its first line; the lines after that are read again."""
        again = self.taken[1:]
        self._again.extendleft(reversed(again))
        self.offset -= sum(map(len, again))
        self.line -= len(again)
        del self.taken[1:]

    def shown(self) -> str:
        """The beginning of the row as text."""
        return b"".join(self.taken)[:_SHOWN].decode(self._encoding, "replace").rstrip("\r\n")

    def _pass_over(self, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = self._file.readline(_CHUNK)
            self.offset += len(raw)


def csv_rows(lines: Lines, header: list[str], delimiter: str) -> Iterator[Row]:
    """The rows after the header. A row that is wrong says so and costs no other.

    A quote that is opened and not closed costs the row in which it is opened: reading
    goes on in the next line.
    """
    width = len(header)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, RowTooLongError) as error:
            problem = _csv_problem(lines, error)
            reader = csv.reader(lines, delimiter=delimiter)
            yield _wrong(lines, problem, lines.shown())
            continue
        if lines.ended:
            lines.keep_first_only()
            reader = csv.reader(lines, delimiter=delimiter)
            yield _wrong(lines, "a quote is opened and never closed: close or double it", None)
        elif not cells:
            continue
        elif lines.problem is not None:
            yield _wrong(lines, lines.problem, cells)
        elif len(cells) != width:
            problem = f"it has {len(cells)} cells where the header has {width}: quote its text"
            yield _wrong(lines, problem, cells)
        else:
            yield Row(
                lines.row_line,
                dict(zip(header, cells, strict=True)),
                None,
                None,
                lines.offset - lines.row_offset,
            )


def json_rows(lines: Lines) -> Iterator[Row]:
    """The objects of a file with one JSON object a line; blank lines are passed over."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    while True:
        lines.begin()
        try:
            text = next(lines)
        except StopIteration:
            return
        except RowTooLongError:
            yield _wrong(lines, _TOO_LONG, lines.shown())
            continue
        if not text.strip():
            continue
        if lines.problem is not None:
            yield _wrong(lines, lines.problem, text)
            continue
        try:
            value = decode(text)
        except msgspec.ValidationError:
            yield _wrong(lines, "it is not a JSON object", text)
        except (msgspec.DecodeError, RecursionError) as error:
            yield _wrong(lines, f"it is not JSON: {error}", text)
        else:
            yield Row(lines.row_line, value, None, None, lines.offset - lines.row_offset)


_TOO_LONG = f"it is longer than {MAX_RECORD // 1024 // 1024} MB: shorten it"


def _csv_problem(lines: Lines, error: Exception) -> str:
    if isinstance(error, csv.Error):
        return f"it is not CSV: {error}"
    if len(lines.taken) == 1:
        return _TOO_LONG
    lines.keep_first_only()
    return (
        "a quote is opened and not closed within "
        f"{MAX_RECORD // 1024 // 1024} MB: close or double it"
    )


def _wrong(lines: Lines, problem: str, raw: Any) -> Row:
    raw = lines.shown() if raw is None else raw
    return Row(lines.row_line, None, problem, raw, lines.offset - lines.row_offset)
