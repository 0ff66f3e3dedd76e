"""Which parts are worked on together."""

from __future__ import annotations

from hypothesis import given, strategies

from listeners.landing import Part
from outcry.chunks import chunked

MOST = 1_000


@given(strategies.lists(strategies.integers(0, 2 * MOST), max_size=12))
def test_parts_stay_whole_and_in_order_and_a_chunk_is_as_full_as_may_be(sizes: list[int]) -> None:
    parts = [Part("rss", "w1", "one", number) for number in range(len(sizes))]
    chunks = list(chunked(parts, lambda part: range(sizes[part.number]), MOST))
    assert [part for chunk in chunks for part, _ in chunk] == parts
    assert all(len(found) == sizes[part.number] for chunk in chunks for part, found in chunk)
    full = [sum(len(found) for _, found in chunk) for chunk in chunks]
    assert all(size <= MOST or len(chunk) == 1 for size, chunk in zip(full, chunks, strict=True))
    nexts = [len(chunk[0][1]) for chunk in chunks[1:]]
    assert all(size + more > MOST for size, more in zip(full[:-1], nexts, strict=True))
