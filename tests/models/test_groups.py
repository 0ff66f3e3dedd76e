from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.groups import folds, near_duplicates


def test_copies_with_other_handles_links_and_numbers_are_one_group() -> None:
    texts = [
        "@acme my parcel number 12 has not arrived since Monday morning",
        "@other My parcel number 77 has NOT arrived since Monday morning!! https://example.org/a",
        "a wholly different sentence about the weather in town",
        "my parcel number 5 has not arrived since Monday evening",
        "ok",
        "OK.",
    ]
    groups = near_duplicates(texts)
    assert groups[0] == groups[1] == groups[3]
    assert groups[4] == groups[5]
    assert len(set(groups)) == 3


@given(st.lists(st.text(alphabet="abc d"), max_size=20))
def test_equal_texts_are_always_together(texts: list[str]) -> None:
    groups = near_duplicates(texts + texts)
    assert groups[: len(texts)] == groups[len(texts) :]


@given(st.lists(st.integers(0, 8), min_size=1, max_size=60), st.integers(2, 6))
def test_folds_part_the_rows_and_never_a_group(groups: list[int], count: int) -> None:
    parts = folds(groups, count, seed=3)
    assert sorted(row for part in parts for row in part) == list(range(len(groups)))
    for group in set(groups):
        assert sum(any(groups[row] == group for row in part) for part in parts) == 1
    assert folds(groups, count, seed=3) == parts
