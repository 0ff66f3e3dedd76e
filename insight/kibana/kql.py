"""The part of Kibana's query language that our boards use, as a tree and for Elasticsearch.

    field: value    field: "two words"    field: *    field: (a or b)    field >= 3    field < now
    and    or    not    ( )

Anything else is refused, so that no panel says what we could not test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from insight.kibana.errors import KibanaError

_TOKEN = re.compile(
    r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign><=|>=|[:<>()])|(?P<word>[^\s:<>()"]+))'
)
_RANGES = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


class Term(msgspec.Struct, frozen=True):
    """One field against one value; ``sign`` is ``:``, ``*`` (there is any), or a comparison."""

    field: str
    sign: str
    value: str


class Many(msgspec.Struct, frozen=True):
    """Several together: ``and``, ``or``, or ``not`` with one part."""

    how: str
    parts: tuple[Node, ...]


Node = Term | Many
EVERYTHING = Many("and", ())


def parse(words: str) -> Node:
    """The tree of a query; of an empty one, `EVERYTHING`.

    Raises:
        KibanaError: for what is not in the part of the language that is described above.
    """
    if not words.strip():
        return EVERYTHING
    parser = _Parser(words)
    found = parser.either()
    parser.end()
    return found


def terms_of(node: Node) -> Iterator[Term]:
    """Every test in the tree."""
    if isinstance(node, Term):
        yield node
    else:
        for part in node.parts:
            yield from terms_of(part)


def elastic(node: Node, now: datetime | None = None) -> dict[str, Any]:
    """The query in Elasticsearch's own words; ``now`` is taken for now, where it is given."""
    if isinstance(node, Many):
        parts = [elastic(part, now) for part in node.parts]
        if node.how == "or":
            return {"bool": {"should": parts, "minimum_should_match": 1}}
        if node.how == "not":
            return {"bool": {"must_not": parts}}
        return {"bool": {"filter": parts}} if parts else {"match_all": {}}
    if node.sign == "*":
        return {"exists": {"field": node.field}}
    if node.sign == ":":
        return {"match": {node.field: node.value}}
    value = now.isoformat() if now and node.value == "now" else node.value
    return {"range": {node.field: {_RANGES[node.sign]: value}}}


class _Parser:
    def __init__(self, words: str) -> None:
        self._words = words
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(words.rstrip()):
            match = _TOKEN.match(words, place)
            if match is None or match.lastgroup is None:
                raise self._wrong()
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()

    def either(self) -> Node:
        return self._several("or", self._both)

    def end(self) -> None:
        if self._tokens:
            raise self._wrong()

    def _both(self) -> Node:
        return self._several("and", self._one)

    def _several(self, how: str, part: Any) -> Node:
        parts = [part()]
        while self._next(how):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Many(how, tuple(parts))

    def _one(self) -> Node:
        if self._next("not"):
            return Many("not", (self._one(),))
        if self._next("("):
            found = self.either()
            self._need(")")
            return found
        kind, field = self._take()
        if kind != "word":
            raise self._wrong()
        _, sign = self._take()
        if sign in _RANGES:
            return Term(field, sign, self._value()[1])
        if sign != ":":
            raise self._wrong()
        if self._next("("):
            values = [self._test(field)]
            while self._next("or"):
                values.append(self._test(field))
            self._need(")")
            return Many("or", tuple(values))
        return self._test(field)

    def _test(self, field: str) -> Term:
        kind, value = self._value()
        if (kind, value) == ("word", "*"):
            return Term(field, "*", "")
        if kind == "word" and "*" in value:
            raise self._wrong()
        return Term(field, ":", value)

    def _value(self) -> tuple[str, str]:
        kind, value = self._take()
        if kind == "quoted":
            return kind, re.sub(r"\\(.)", r"\1", value[1:-1])
        if kind != "word" or value in ("and", "or", "not"):
            raise self._wrong()
        return kind, value

    def _take(self) -> tuple[str, str]:
        if not self._tokens:
            raise self._wrong()
        return self._tokens.pop(0)

    def _next(self, word: str) -> bool:
        if self._tokens and self._tokens[0][1] == word and self._tokens[0][0] != "quoted":
            self._tokens.pop(0)
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._next(word):
            raise self._wrong()

    def _wrong(self) -> KibanaError:
        return KibanaError(f"the query {self._words!r} cannot be read: use field: value, and, or")
