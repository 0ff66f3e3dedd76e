"""A field map: which column or key fills which field of a mention.

    {"native_id": "id", "text": ["body", "message"], "created_at": "when",
     "author.handle": "user.screen_name", "kind": {"const": "review"},
     "rating": "stars", "rating_max": {"const": 5},
     "text": {"column": "html", "as": "html"}}

A value names a column, a list of columns of which the first filled one counts, a
constant, or a column with a way to read it (`READINGS`). ``a.b`` looks into nested JSON.
"""

from __future__ import annotations

import hashlib
import html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, get_args

from listeners.errors import BadTarget
from listeners.mention import Author, Engagement, Kind, Mention
from listeners.text import plain_text
from listeners.times import parse_time

MAX_TEXT = 1_000_000
"""Characters of one text; a longer one is a reject."""

Row = Mapping[str, Any]
_Getter = Callable[[Row], Any]
_Reader = Callable[[Any], Any]
_Entry = tuple[str, _Reader, _Getter]

_KINDS = frozenset(get_args(Kind))
_TRUE = frozenset({"true", "1", "yes", "y", "t"})
_FALSE = frozenset({"false", "0", "no", "n", "f"})
_ADDRESSED = re.compile(r"\s*\.?((?:@\w+[\s,]*)+)")
_HANDLE = re.compile(r"@(\w+)")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is not text")
    return str(value)


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("is not a number")
    return number


def _count(value: Any) -> int:
    number = _number(value)
    if not number.is_integer():
        raise ValueError("is not a whole number")
    return int(number)


def _flag(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("is neither true nor false")
    return word in _TRUE


def _kind(value: Any) -> Any:
    if value not in _KINDS:
        raise ValueError(f"is none of {', '.join(sorted(_KINDS))}")
    return value


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(map(_text, value))
    return (_text(value),)


def _flags(value: Any) -> tuple[str, ...]:
    return tuple(sorted(set(_words(value))))


def _whole(value: Any) -> str:
    """An id that a spreadsheet has made a float: ``3.0`` is ``3``."""
    return _text(value).removesuffix(".0")


def _addressed(value: Any) -> tuple[str, ...]:
    """The handles at the start of a text, lower case, without those that are only digits."""
    start = _ADDRESSED.match(_text(value))
    handles = _HANDLE.findall(start[1].lower()) if start else ()
    return tuple(dict.fromkeys(handle for handle in handles if not handle.isdigit()))


READINGS: dict[str, _Reader] = {
    "entities": lambda value: html.unescape(_text(value)),
    "html": lambda value: plain_text(_text(value)),
    "not": lambda value: not _flag(value),
    "whole": _whole,
    "addressed": _addressed,
}
"""Ways to read a column: text with ``&amp;``, HTML, the opposite of a flag, an id that was
made a float, the handles that a text begins with."""

_AUTHOR: dict[str, _Reader] = {
    "id": _text,
    "handle": _text,
    "name": _text,
    "url": _text,
    "followers": _count,
    "is_owner": _flag,
}
_ENGAGEMENT: dict[str, _Reader] = dict.fromkeys(
    ("likes", "replies", "shares", "views", "score"), _count
)
_OWN: dict[str, _Reader] = {
    **dict.fromkeys(("source", "instance", "native_id", "text", "title", "lang", "url"), _text),
    **dict.fromkeys(("container", "parent_id", "root_id", "repost_of"), _text),
    "kind": _kind,
    "rating": _number,
    "rating_max": _number,
    "matched": _words,
    "flags": _flags,
}
FIELDS: frozenset[str] = frozenset(
    {*_OWN, *_ENGAGEMENT, *(f"author.{name}" for name in _AUTHOR), "created_at", "edited_at"}
)
"""What a map can fill."""


class FieldMap:
    """Makes mentions of rows.

    Raises:
        BadTarget: on construction, if the map is wrong, or if ``columns`` are given and
            one that it names, or one for ``text`` or ``created_at``, is not among them.
    """

    def __init__(
        self,
        fields: Mapping[str, Any],
        *,
        source: str,
        zone: tzinfo | None,
        lenient: bool = False,
        columns: Sequence[str] | None = None,
    ) -> None:
        self._source = source
        self._zone = zone
        self._check(fields, lenient, columns)
        getters = {
            name: getter
            for name, spec in fields.items()
            if (getter := _getter(name, spec, columns)) is not None
        }
        if "rating_max" not in getters:
            getters.pop("rating", None)

        def entries(readers: Mapping[str, _Reader], prefix: str = "") -> list[_Entry]:
            return [
                (name, _reader(prefix + name, fields[prefix + name], read), getters[prefix + name])
                for name, read in readers.items()
                if prefix + name in getters
            ]

        self._created_at = getters["created_at"]
        self._edited_at = getters.get("edited_at")
        self._own = entries(_OWN)
        self._author = entries(_AUTHOR, "author.")
        self._engagement = entries(_ENGAGEMENT)

    def _check(
        self, fields: Mapping[str, Any], lenient: bool, columns: Sequence[str] | None
    ) -> None:
        unknown = sorted(fields.keys() - FIELDS)
        if unknown:
            raise BadTarget(
                f"the field map has {', '.join(unknown)}: use {', '.join(sorted(FIELDS))}"
            )
        for name in ("text", "created_at"):
            if name not in fields:
                raise BadTarget(f"the field map lacks {name}: say which column holds it")
        if not lenient and "rating" in fields and "rating_max" not in fields:
            raise BadTarget(
                "the field map has a rating without its scale: add rating_max, as in {const = 5}"
            )
        if columns is None:
            return
        for name, spec in fields.items():
            names = _columns(name, spec)
            if names and not _present(names, columns):
                if lenient and name not in ("text", "created_at"):
                    continue
                raise BadTarget(
                    f"no column for {name} ({' or '.join(names)}): "
                    f"the file has {', '.join(columns)[:500]}: "
                    f'map one with a preset or with fields, as in {{{name} = "{columns[0]}"}}'
                )

    def __call__(self, row: Row, *, collected_at: datetime, listener: str) -> Mention:
        """The mention of a row, with the row as ``raw``.

        Raises:
            ValueError: if the row cannot be understood; the message says why.
        """
        own = _read(self._own, row)
        text = own.get("text", "")
        if not text.strip():
            raise ValueError("it has no text")
        if len(text) > MAX_TEXT:
            raise ValueError(f"its text is longer than {MAX_TEXT} characters: shorten it")
        if "\0" in text:
            raise ValueError("its text holds a NUL character: remove it")
        created = self._created_at(row)
        if created is None:
            raise ValueError("it has no time")
        created_at, quality = parse_time(created, self._zone)
        edited = self._edited_at(row) if self._edited_at else None
        author = Author(**_read(self._author, row, "author."))
        own.setdefault("source", self._source)
        if "native_id" not in own:
            own["native_id"] = _digest(own["source"], text, author, created_at)
        if ("rating" in own) != ("rating_max" in own):
            own.pop("rating_max", None)
            if "rating" in own:
                raise ValueError("it has a rating without its scale")
        return Mention(
            **own,
            created_at=created_at,
            time_quality=quality,
            edited_at=parse_time(edited, self._zone)[0] if edited is not None else None,
            author=author,
            engagement=Engagement(**_read(self._engagement, row)),
            collected_at=collected_at,
            listener=listener,
            raw=row,
        )


def _read(entries: list[_Entry], row: Row, prefix: str = "") -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, read, get in entries:
        value = get(row)
        if value is None:
            continue
        try:
            values[name] = read(value)
        except ValueError as error:
            raise ValueError(f"{prefix}{name} {str(value)[:40]!r} {error}") from error
    return values


def _digest(source: str, text: str, author: Author, at: datetime) -> str:
    """An identity for a row without one: the same words, author and time are one item."""
    who = author.id or author.handle or author.name or ""
    words = "\x1f".join((source, text, who, at.isoformat()))
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def _columns(name: str, spec: Any) -> list[str]:
    """The columns that a spec names; none for a constant."""
    match spec:
        case str():
            return [spec]
        case [*names] if names and all(isinstance(n, str) for n in names):
            return list(names)
        case {"column": str(column), **rest} if not rest or rest.get("as") in READINGS:
            return [column]
        case {"const": _, **rest} if not rest:
            return []
    raise BadTarget(
        f"the field map's {name} is {spec!r}: give a column, a list of columns, "
        f"{{const = ...}} or {{column = ..., as = ...}} with one of {', '.join(READINGS)}"
    )


def _present(names: Sequence[str], columns: Sequence[str]) -> list[str]:
    return [name for name in names if name in columns]


def _getter(name: str, spec: Any, columns: Sequence[str] | None) -> _Getter | None:
    """How to get a field's value of a row; None gives None, for no value."""
    names = _columns(name, spec)
    if not names:
        constant = spec["const"]
        return lambda row: constant
    if columns is not None:
        names = _present(names, columns)
        if not names:
            return None
    return _first(names)


def _reader(name: str, spec: Any, read: _Reader) -> _Reader:
    """How to read a field's value, with the way that the map asks for."""
    if not isinstance(spec, Mapping):
        return read
    if "const" in spec:
        try:
            constant = read(spec["const"])
        except ValueError as error:
            raise BadTarget(f"the field map's {name} {spec['const']!r} {error}") from error
        return lambda _: constant
    if "as" not in spec:
        return read
    prepare = READINGS[spec["as"]]
    return lambda value: read(prepare(value))


def _first(names: Sequence[str]) -> _Getter:
    if len(names) == 1:
        return _one(names[0])
    getters = [_one(name) for name in names]

    def first(row: Row) -> Any:
        for get in getters:
            value = get(row)
            if value is not None:
                return value
        return None

    return first


def _one(name: str) -> _Getter:
    steps = name.split(".")

    def get(row: Row) -> Any:
        value = row.get(name)
        if value is None and len(steps) > 1:
            value = row
            for step in steps:
                value = value.get(step) if isinstance(value, Mapping) else None
        # An empty cell says nothing. Neither does an object where a value should be.
        if isinstance(value, str):
            return value if value.strip() else None
        return None if isinstance(value, Mapping) else value

    return get
