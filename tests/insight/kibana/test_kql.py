"""The part of the query language that boards use."""

from __future__ import annotations

import pytest

from insight.kibana import KibanaError
from insight.kibana.kql import EVERYTHING, Many, Term, elastic, parse, terms_of


def test_and_binds_closer_than_or() -> None:
    found = parse("a: 1 or b: 2 and not c: 3")
    both = Many("and", (Term("b", ":", "2"), Many("not", (Term("c", ":", "3"),))))
    assert found == Many("or", (Term("a", ":", "1"), both))


def test_brackets_group_queries_and_values() -> None:
    values = Many("or", (Term("cues", ":", "safety"), Term("cues", ":", "legal")))
    assert parse("cues: (safety or legal)") == values
    assert parse("(cues: safety or cues: legal)") == values


def test_each_form_in_elasticsearchs_words() -> None:
    assert elastic(EVERYTHING) == {"match_all": {}}
    assert elastic(parse('state: "in two words"')) == {"match": {"state": "in two words"}}
    assert elastic(parse("team: *")) == {"exists": {"field": "team"}}
    assert elastic(parse("n >= 3")) == {"range": {"n": {"gte": "3"}}}
    assert elastic(parse("not a: 1")) == {"bool": {"must_not": [{"match": {"a": "1"}}]}}


def test_every_field_is_found() -> None:
    found = terms_of(parse("a: 1 and (b < now or not c: (x or y))"))
    assert [one.field for one in found] == ["a", "b", "c", "c"]


@pytest.mark.parametrize(
    "words",
    [
        "a:",
        "a",
        "a: b c: d",
        "(a: 1",
        "a: 1)",
        "a: tr*",
        ": 1",
        'a: "open',
        "a: 1 and",
        "a < ",
        "not",
    ],
)
def test_anything_else_is_refused(words: str) -> None:
    with pytest.raises(KibanaError, match="cannot be read"):
        parse(words)
