from __future__ import annotations

import pytest

from nlp.stars import shift, stars


@pytest.mark.parametrize(
    ("rating", "highest", "own"),
    [(1, 5, 0.0), (5, 5, 1.0), (3, 5, 0.5), (10, 10, 1.0), (1, 1, 1.0), (0, 1, 0.0), (9, 5, 1.0)],
)
def test_ratings_of_any_scale_are_read_alike(rating: float, highest: float, own: float) -> None:
    assert stars(rating, highest) == own


@pytest.mark.parametrize(
    ("rating", "highest"), [(None, 5), (3, None), (3, 0), (3, float("nan")), (float("nan"), 5)]
)
def test_a_rating_without_a_scale_says_nothing(rating: float | None, highest: float | None) -> None:
    assert stars(rating, highest) is None
    assert shift(stars(rating, highest)) == 0


def test_few_stars_speak_for_a_complaint_and_many_against() -> None:
    assert shift(0.0) == -shift(1.0) > 0 == shift(0.5)
