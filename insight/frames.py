"""What a store holds as typed pandas frames: the one way from records to numbers.

Columns are the records' fields, in their order; those of a record inside a record are named with
a dot, as in Elasticsearch (``handling.status``). Types do not depend on the rows:

    text                string
    whole numbers       Int64
    other numbers       float64, not known is NaN
    yes or no           boolean
    times               datetime64[us, UTC]
    all else            object: tuples as lists, records as dicts

``<NA>``, ``NaN`` and ``NaT`` mean not known, never zero. Authors are pseudonyms: nothing here
reads the vault. What agents wrote by hand (`Event.words`, ``handling.note``, ``handling.outcome``)
is as they wrote it. Where frames come from does not matter: the embedded store, Elasticsearch, or a
store that was made again from the landing zone (`outcry.analysts.frames`).
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pandas as pd

from listeners.ledger import LedgerRow
from triage.contacts import Label, labels
from triage.incident import Incident
from triage.incidents import incidents
from triage.store.base import Store, StoredMention
from triage.ticket import Event, Ticket

ROWS: Final = 20_000
"""Mentions that are turned into a frame at once."""
BEGINNING: Final = datetime(1970, 1, 2, tzinfo=UTC)
END: Final = datetime(9999, 12, 31, tzinfo=UTC)
TIME: Final = "datetime64[us, UTC]"


class RejectRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was not understood: where and why, without its payload."""

    id: str
    source: str | None = None
    target: str | None = None
    window: str | None = None
    stage: str | None = None
    error: str | None = None
    where: str | None = None
    at: datetime | None = None
    listener: str | None = None


RECORDS: Final[Mapping[str, type[msgspec.Struct]]] = {
    "mentions": StoredMention,
    "tickets": Ticket,
    "events": Event,
    "incidents": Incident,
    "ledger": LedgerRow,
    "rejects": RejectRow,
    "labels": Label,
}
"""The frames that there are, and the record of each."""


class Frames:
    """The frames of one store, which the caller closes.

    Each call reads anew. All rows of a frame are in memory, but for `mention_chunks`, which holds
    one chunk; leave out the columns that are not wanted, above all ``text``.
    """

    def __init__(self, store: Store) -> None:
        self.store = store

    def mentions(
        self,
        columns: Sequence[str] | None = None,
        start: datetime = BEGINNING,
        end: datetime = END,
    ) -> pd.DataFrame:
        """Mentions with ``start <= created_at < end`` and what was read in them, by time.

        Deleted ones are gone from it.
        """
        chunks = list(self.mention_chunks(columns, start, end))
        if not chunks:
            return frame_of(StoredMention, (), columns)
        return pd.concat(chunks, ignore_index=True)

    def mention_chunks(
        self,
        columns: Sequence[str] | None = None,
        start: datetime = BEGINNING,
        end: datetime = END,
        rows: int = ROWS,
    ) -> Iterator[pd.DataFrame]:
        """`mentions` in frames of at most so many rows: memory does not grow with the store."""
        heard = (row for row in self.store.mentions_between(start, end) if not row.deleted)
        while some := list(islice(heard, rows)):
            yield frame_of(StoredMention, some, columns)

    def tickets(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Every ticket by id; what people decided is in ``handling.…``."""
        return frame_of(Ticket, self.store.all_tickets(), columns)

    def events(self) -> pd.DataFrame:
        """The history of every ticket by time."""
        return frame_of(Event, self.store.all_events())

    def incidents(self) -> pd.DataFrame:
        """Every incident, the oldest first."""
        return frame_of(Incident, incidents(self.store))

    def ledger(self) -> pd.DataFrame:
        """What was asked and got, a row for each source, target and window."""
        rows = (msgspec.convert(row, LedgerRow) for row in self.store.ledger_rows())
        return frame_of(LedgerRow, rows)

    def rejects(self) -> pd.DataFrame:
        """What was not understood, by id."""
        rows = (msgspec.convert(row, RejectRow) for row in self.store.reject_rows())
        return frame_of(RejectRow, rows)

    def labels(self) -> pd.DataFrame:
        """How contacts ended, beside what the model had said, the oldest first."""
        return frame_of(Label, labels(self.store))


def frame_of(
    record: type[msgspec.Struct],
    rows: Iterable[msgspec.Struct],
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Records of one type as a frame with the columns of that type, or some of them.

    Raises:
        KeyError: for a column that the record has not; the message names those that it has.
    """
    known = columns_of(record)
    wanted = list(known) if columns is None else list(columns)
    for name in wanted:
        if name not in known:
            raise KeyError(f"no column {name!r} in {record.__name__}: there are {', '.join(known)}")
    paths = [name.split(".") for name in wanted]
    values: list[list[Any]] = [[] for _ in wanted]
    for row in rows:
        for path, column in zip(paths, values, strict=True):
            value: Any = row
            for step in path:
                value = getattr(value, step)
            column.append(_plain(value))
    made = {name: _series(column, known[name]) for name, column in zip(wanted, values, strict=True)}
    return pd.DataFrame(made, columns=wanted)


def columns_of(record: type[msgspec.Struct]) -> dict[str, str]:
    """The pandas type of each column of a record, in order."""
    hints = get_type_hints(record)
    found: dict[str, str] = {}
    for name in record.__struct_fields__:
        kind = _without_none(hints[name])
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            found |= {f"{name}.{inner}": dtype for inner, dtype in columns_of(kind).items()}
        else:
            found[name] = _dtype(kind)
    return found


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, types.UnionType):
        (kind,) = (one for one in get_args(kind) if one is not type(None))
    return kind


def _dtype(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "string"
    known = {str: "string", bool: "boolean", int: "Int64", float: "float64", datetime: TIME}
    return known.get(kind, "object")


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value) if isinstance(value, tuple) and value else value


def _series(values: list[Any], dtype: str) -> pd.Series[Any]:
    if dtype == TIME:
        return pd.Series(pd.to_datetime(values, utc=True), dtype=TIME)
    if dtype == "object":
        return pd.Series([list(one) if one == () else one for one in values], dtype="object")
    if dtype == "float64":
        return pd.Series([float("nan") if one is None else one for one in values], dtype=dtype)
    return pd.Series(values, dtype=dtype)
