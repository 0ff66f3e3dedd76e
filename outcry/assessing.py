"""A file of texts in, one assessment a line out, in the order of the rows.

What departments make of a text is decided as triage decides it: by the model where it
names a department of ours, else by the router.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import msgspec

from listeners.sources.import_file.opening import opened
from listeners.sources.import_file.options import Options
from listeners.sources.import_file.reader import Row
from nlp.assessment import Assessment, Cue, Evidence, Passage, PersonalData, Sentiment
from outcry.exits import InputError
from triage.departments import Department
from triage.routing import router_of

_CHUNK_ROWS = 4_096
_CHUNK_CHARACTERS = 4_000_000
"""What is held in memory at once."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the output; None where nothing is known."""

    row: int
    """Number of the data row, from 1; a header does not count."""
    language: str | None = None
    sentiment: Sentiment | None = None
    sentiment_probabilities: dict[str, float] | None = None
    complaint: bool | None = None
    complaint_probability: float | None = None
    severity: int | None = None
    department: str | None = None
    department_probability: float | None = None
    cues: tuple[Cue, ...] | None = None
    products: tuple[str, ...] | None = None
    evidence: tuple[Evidence, ...] | None = None
    personal_data: tuple[PersonalData, ...] | None = None
    model: str | None = None


class BadLine(Line, frozen=True, kw_only=True):
    """A row that could not be read: it keeps its place, and says why."""

    error: str


class Reads(Protocol):
    """What turns passages into assessments, in their order: `nlp.assess.Assessor`."""

    def assess(self, passages: Sequence[Passage]) -> Sequence[Assessment]: ...


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the input; ``error`` says what is wrong with it."""

    row: int
    text: str = ""
    error: str | None = None


def texts_of(rows: Iterable[Row], column: str, *, has_header: bool) -> Iterator[Text]:
    """The texts of a column (or key), numbered from 1.

    Raises:
        InputError: if none of the first rows of a file without a header has the key.
    """
    met = has_header
    for number, row in enumerate(rows, start=1):
        if row.value is None:
            yield Text(row=number, error=f"line {row.line}: {row.error}")
            continue
        value = _value(row.value, column)
        if value is None and not met:
            raise InputError(_no_column(column, list(row.value)))
        met = True
        if isinstance(value, str) and value.strip():
            yield Text(row=number, text=value)
        else:
            what = "is empty" if value in (None, "") or isinstance(value, str) else "is no text"
            yield Text(row=number, error=f"line {row.line}: {column} {what}")


class Routes:
    """Departments, as triage gives a text to one of them."""

    def __init__(self, departments: Sequence[Department], learnt: str = "") -> None:
        self._router = router_of(tuple(departments), learnt)
        self._names = frozenset(department.name for department in departments)

    def department(self, text: str, assessment: Assessment) -> tuple[str | None, float | None]:
        """The department, and its probability where a model or the examples say it."""
        if assessment.department in self._names:
            return assessment.department, assessment.department_probability
        cues = sorted({cue.kind for cue in assessment.cues})
        route = self._router.route(text, cues)
        return route.department, route.probability


def lines_of(texts: Iterable[Text], reads: Reads, routes: Routes) -> Iterator[Line]:
    """The output's lines, one a text, in order; a bounded number of texts at a time."""
    for chunk in _chunks(texts):
        good = [text for text in chunk if text.error is None]
        assessed = reads.assess([Passage(uid=str(text.row), text=text.text) for text in good])
        found = dict(zip((text.row for text in good), assessed, strict=True))
        for text in chunk:
            if text.error is not None:
                yield BadLine(row=text.row, error=text.error)
            else:
                yield line_of(text.row, text.text, found[text.row], routes)


def line_of(row: int, text: str, assessment: Assessment, routes: Routes) -> Line:
    """What is known of one text."""
    department, probability = routes.department(text, assessment)
    return Line(
        row=row,
        language=assessment.language,
        sentiment=assessment.sentiment,
        sentiment_probabilities=assessment.sentiment_probabilities,
        complaint=assessment.complaint,
        complaint_probability=assessment.complaint_probability,
        severity=assessment.severity,
        department=department,
        department_probability=probability,
        cues=assessment.cues,
        products=assessment.products,
        evidence=assessment.evidence,
        personal_data=assessment.personal_data,
        model=assessment.model,
    )


@contextmanager
def texts_in(
    path: Path,
    column: str,
    *,
    encoding: str = "utf-8",
    form: Literal["csv", "jsonl"] | None = None,
) -> Iterator[Iterator[Text]]:
    """The texts of a CSV or JSON Lines file, packed with gzip or not.

    Raises:
        InputError: if there is no such column.
        listeners.errors.ListenerError: if the file cannot be read.
    """
    size = path.stat().st_size if path.is_file() else 0
    options = Options(path=str(path), sha256="", size=size, encoding=encoding, format=form)
    with opened(options) as file:
        if file.columns is not None and column not in file.columns:
            raise InputError(_no_column(column, file.columns))
        yield texts_of(file.rows, column, has_header=file.columns is not None)


@contextmanager
def output_to(given: str) -> Iterator[BinaryIO]:
    """Where to write: ``-`` is stdout; a file appears whole when the block ends well."""
    if given == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(given).expanduser()
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
        temporary.replace(path)
    except FileNotFoundError:
        raise InputError(f"there is no folder {path.parent}; create it first") from None
    finally:
        temporary.unlink(missing_ok=True)


def _value(row: Mapping[str, Any], column: str) -> Any:
    """A cell; ``a.b`` looks into nested JSON where there is no key of that name."""
    if column in row:
        return row[column]
    value: Any = row
    for step in column.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _no_column(column: str, columns: Sequence[str]) -> str:
    return (
        f"there is no column {column!r}; the columns are {', '.join(columns)[:500]}; "
        "choose one with --text-column"
    )


def _chunks(texts: Iterable[Text]) -> Iterator[list[Text]]:
    chunk: list[Text] = []
    characters = 0
    for text in texts:
        chunk.append(text)
        characters += len(text.text)
        if len(chunk) >= _CHUNK_ROWS or characters >= _CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk
