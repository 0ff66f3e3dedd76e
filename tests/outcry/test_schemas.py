"""The committed schemas are those of the records."""

from __future__ import annotations

from outcry.schemas import FOLDER, schemas


def test_the_committed_schemas_are_those_of_the_records() -> None:
    assert {file.name: file.read_text() for file in FOLDER.glob("*.json")} == schemas(), (
        "a record has changed: run 'python -m outcry.schemas' and look at the difference"
    )
