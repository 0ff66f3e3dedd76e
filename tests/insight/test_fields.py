"""The page of fields is that of the records, and every field says what it is."""

from __future__ import annotations

from insight.fields import PAGE, page
from triage.facts import FACTS, fields, mapping


def test_the_committed_page_is_that_of_the_records() -> None:
    assert PAGE.read_text() == page(), "a record has changed: run 'python -m insight.fields'"


def test_every_field_says_what_it_is() -> None:
    silent = [(kind, one.name) for kind in FACTS for one in fields(kind) if not one.description]
    assert silent == []


def test_every_mapping_is_strict_and_has_the_time() -> None:
    for kind in FACTS:
        found = mapping(kind)
        assert found["dynamic"] == "strict"
        assert found["properties"]["@timestamp"] == {"type": "date"}
