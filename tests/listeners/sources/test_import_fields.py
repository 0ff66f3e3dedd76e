"""What a field map can say, and what it is told when it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from listeners.errors import BadTarget
from listeners.mention import Mention
from listeners.sources.import_file.fields import FIELDS, FieldMap
from listeners.sources.import_file.presets import PRESETS, USUAL
from tests.listeners.fakes import NOW

BASE = {"text": "body", "created_at": "when"}
ROW = {"body": "It broke", "when": "2026-01-01T00:00:00Z"}


def read(
    fields: Mapping[str, Any], row: Mapping[str, Any], columns: list[str] | None = None
) -> Mention:
    """The mention of a row, by a map with a text and a time."""
    field_map = FieldMap({**BASE, **fields}, source="import", zone=ZoneInfo("UTC"), columns=columns)
    return field_map({**ROW, **row}, collected_at=NOW, listener="import/1")


def test_columns_paths_lists_and_constants_fill_fields() -> None:
    got = read(
        {
            "native_id": ["code", "number"],
            "author.handle": "user.screen_name",
            "author.is_owner": "user.staff",
            "kind": {"const": "review"},
            "rating": "stars",
            "rating_max": {"const": 5},
            "matched": "brands",
            "likes": "n.likes",
            "title": {"column": "head", "as": "html"},
            "parent_id": {"column": "parent", "as": "whole"},
        },
        {
            "number": 17,
            "code": " ",
            "user": {"screen_name": "ann", "staff": True},
            "stars": "4.5",
            "brands": ["one", "two"],
            "n.likes": "3.0",
            "head": "<p>Oh &amp; no</p>",
            "parent": "8.0",
        },
    )
    assert (got.native_id, got.author.handle, got.author.is_owner) == ("17", "ann", True)
    assert (got.kind, got.rating, got.rating_max) == ("review", 4.5, 5.0)
    assert (got.matched, got.engagement.likes) == (("one", "two"), 3)
    assert (got.title, got.parent_id) == ("Oh & no", "8")
    assert got.engagement.replies is None


def test_a_row_without_an_id_is_known_by_its_words_author_and_time() -> None:
    one = read({"author.id": "who"}, {"who": "ann"})
    assert one.native_id == read({"author.id": "who"}, {"who": "ann", "other": 1}).native_id
    assert one.native_id != read({"author.id": "who"}, {"who": "bo"}).native_id
    assert one.native_id != read({"author.id": "who"}, {"who": "ann", "body": "Oh"}).native_id


@pytest.mark.parametrize(
    ("fields", "row", "words"),
    [
        ({"likes": "n"}, {"n": "many"}, "likes 'many' is not a number"),
        ({"likes": "n"}, {"n": "1.5"}, "is not a whole number"),
        ({"likes": "n"}, {"n": "inf"}, "is not a number"),
        ({"author.is_owner": "o"}, {"o": "maybe"}, "author.is_owner 'maybe' is neither"),
        ({"kind": "k"}, {"k": "essay"}, "is none of article, comment, message, post, review"),
        ({"rating": "r", "rating_max": "m"}, {"r": 3}, "a rating without its scale"),
        ({"title": "t"}, {"t": ["a"]}, "is not text"),
        ({"title": "t"}, {"t": True}, "is not text"),
        ({}, {"body": "  "}, "no text"),
        ({}, {"body": "a\0b"}, "NUL"),
        ({}, {"when": None}, "no time"),
    ],
)
def test_a_row_that_does_not_fit_says_which_field(
    fields: dict[str, Any], row: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        read(fields, row)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"colour": "c"}, "has colour: use author.followers"),
        ({"title": 7}, "title is 7: give a column"),
        ({"title": []}, "give a column"),
        ({"title": {"column": "c", "as": "rot13"}}, "entities, html, not, whole, addressed"),
        ({"title": {"const": "a", "as": "html"}}, "give a column"),
        ({"kind": {"const": "essay"}}, "kind 'essay' is none of"),
        ({"rating": "stars"}, "add rating_max"),
    ],
)
def test_a_wrong_map_is_told_what_is_right(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTarget, match=words):
        read(fields, {})


def test_a_map_needs_a_text_and_a_time() -> None:
    for missing in BASE:
        fields = {name: column for name, column in BASE.items() if name != missing}
        with pytest.raises(BadTarget, match=f"lacks {missing}"):
            FieldMap(fields, source="import", zone=None)


def test_a_column_that_is_not_there_is_answered_with_those_that_are() -> None:
    with pytest.raises(BadTarget, match=r"no column for title \(head\): the file has body, when"):
        read({"title": "head"}, {}, columns=["body", "when"])


def test_what_ships_is_made_of_known_fields() -> None:
    for fields in (USUAL, *PRESETS.values()):
        assert fields.keys() <= FIELDS
