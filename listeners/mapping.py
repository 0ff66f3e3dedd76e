"""Map a page item by item: one that cannot be understood does not cost the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from listeners.contract import Listener, Reject, Target
from listeners.mention import Deletion, Mention, decode, encode

Mapper = Callable[[Any], Mention | Deletion | None]
"""Makes a record of one raw item; None leaves it out on purpose.

Raises ValueError, or what looking into a malformed payload raises, if it cannot.
"""

MALFORMED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
"""What a mapper may raise over an item."""


def map_items(
    items: Iterable[Any],
    mapper: Mapper,
    *,
    listener: Listener,
    target: Target,
    at: datetime,
) -> tuple[list[Mention | Deletion], list[Reject]]:
    """The records and the rejects of a page's items, each in the page's order."""
    records: list[Mention | Deletion] = []
    rejects: list[Reject] = []
    for item in items:
        try:
            record = mapper(item)
            # A record is not checked when it is made; a source may send a number for a name.
            checked = None if record is None else decode(encode(record))
        except MALFORMED as error:
            rejects.append(
                Reject(
                    source=target.source,
                    target=target.key,
                    stage="map",
                    error=one_line(error),
                    raw=item,
                    at=at,
                    listener=f"{listener.name}/{listener.version}",
                )
            )
        else:
            if checked is not None:
                records.append(checked)
    return records, rejects


def map_again(
    raw: Any, mapper: Mapper, left_out: str = "it is not what the target is about"
) -> Mention | Deletion:
    """The record of an item that was rejected once, for `Replays`.

    ``left_out`` says what it means that the mapper leaves an item out.

    Raises:
        ValueError: if it still cannot be understood, or is to be left out.
    """
    try:
        record = mapper(raw)
        if record is not None:
            return decode(encode(record))
    except MALFORMED as error:
        raise ValueError(one_line(error)) from error
    raise ValueError(f"{left_out}: leave it out")


def one_line(error: Exception) -> str:
    """What is wrong with an item, in a line."""
    words = " ".join(str(error).split())
    if isinstance(error, KeyError):
        return f"{words} is missing"
    if isinstance(error, ValueError):
        return words
    return f"{type(error).__name__}: {words}"
