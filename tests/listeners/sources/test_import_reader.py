"""Rows of any file whatever: never an exception, and the same from any place."""

from __future__ import annotations

import io
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from listeners.sources.import_file.reader import Lines, Row, csv_rows, json_rows

HEADER = ["a", "b"]
CSV_BYTES = st.lists(
    st.sampled_from(
        [b"x", b"y", b",", b'"', b'""', b"\n", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b";"]
    ),
    max_size=60,
).map(b"".join)
JSON_BYTES = st.lists(
    st.sampled_from(
        [b'{"a": 1}', b"{}", b"[1]", b"{", b"\n", b"\n", b"\xff", b"\0", b" ", b"null"]
    ),
    max_size=30,
).map(b"".join)


def read_csv(content: bytes, offset: int = 0, line: int = 1) -> Iterator[tuple[Row, int, int]]:
    """The rows, each with the place after it."""
    lines = Lines(io.BytesIO(content[offset:]), "utf-8", offset, line)
    for row in csv_rows(lines, HEADER, ","):
        yield row, lines.offset, lines.line


@given(CSV_BYTES)
def test_reading_goes_on_after_any_row_as_if_it_had_not_stopped(content: bytes) -> None:
    whole = list(read_csv(content))
    for number, (_, offset, line) in enumerate(whole):
        assert list(read_csv(content, offset, line)) == whole[number + 1 :]


@given(CSV_BYTES)
def test_every_line_is_part_of_one_row_or_blank(content: bytes) -> None:
    places = [0, *(offset for _, offset, _ in read_csv(content))]
    assert places == sorted(places)
    rest = content[places[-1] :]
    assert rest.strip(b"\r\n") == b""
    for row, _, _ in read_csv(content):
        assert (row.value is None) == (row.error is not None)
        assert row.value is None or list(row.value) == HEADER


@given(JSON_BYTES)
def test_json_lines_are_objects_or_say_why_not(content: bytes) -> None:
    lines = Lines(io.BytesIO(content), "utf-8")
    rows = list(json_rows(lines))
    assert lines.offset == len(content)
    assert [row.line for row in rows] == [
        number
        for number, line in enumerate(content.split(b"\n"), start=1)
        if line.decode("utf-8", "replace").strip()
    ]
    assert all(isinstance(row.value, dict) or row.error for row in rows)
