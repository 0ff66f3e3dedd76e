"""Small parts together: what a step costs a part, a chunk of them pays once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from listeners.landing import Part

T = TypeVar("T")


def chunked(
    parts: Iterable[Part], read: Callable[[Part], Sequence[T]], most: int
) -> Iterator[list[tuple[Part, Sequence[T]]]]:
    """The parts in order, each with what is read of it; a part is never cut.

    A chunk has at most ``most`` records, unless a part alone has more.
    """
    some: list[tuple[Part, Sequence[T]]] = []
    size = 0
    for part in parts:
        found = read(part)
        if some and size + len(found) > most:
            yield some
            some, size = [], 0
        some.append((part, found))
        size += len(found)
    if some:
        yield some
