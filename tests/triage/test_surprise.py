"""The arithmetic of bursts, against scipy and against what the papers say."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from triage.surprise import baseline, log_likelihood, nb_tail


@given(
    st.integers(0, 60),
    st.floats(0.01, 40),
    st.one_of(st.floats(0.3, 50), st.just(math.inf)),
)
def test_the_tail_is_that_of_the_negative_binomial(count: int, mean: float, size: float) -> None:
    if math.isinf(size):
        expected = stats.poisson.sf(count - 1, mean)
    else:
        expected = stats.nbinom.sf(count - 1, size, size / (size + mean))
    assert nb_tail(count, mean, size) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_a_past_outbreak_does_not_hide_the_next_one() -> None:
    quiet = [2, 1, 3, 2, 2, 1, 3, 2, 2, 1, 2, 3]
    assert baseline([*quiet, 60]).tail(20) < 1e-4
    assert baseline([*quiet, 60]).mean == pytest.approx(baseline(quiet).mean, rel=0.05)


def test_noisy_counts_need_more_to_surprise_than_steady_ones() -> None:
    assert baseline([0, 12, 1, 9, 0, 14, 2, 10]).tail(18) > baseline([6] * 8).tail(18)


def test_a_short_past_of_nothing_is_less_sure_than_a_long_one() -> None:
    assert baseline([0] * 4).tail(4) > baseline([0] * 40).tail(4) > 0


def test_under_no_change_alarms_are_as_rare_as_promised() -> None:
    dice = random.Random(7)

    def poisson() -> int:
        count, product, bound = 0, dice.random(), math.exp(-3)
        while product > bound:
            count, product = count + 1, product * dice.random()
        return count

    tails = [baseline([poisson() for _ in range(30)]).tail(poisson()) for _ in range(4000)]
    assert sum(tail <= 0.01 for tail in tails) <= 0.015 * len(tails)


def test_the_ratio_is_that_of_a_g_test_and_zero_for_common_words() -> None:
    g = stats.chi2_contingency([[9, 1], [20, 970]], correction=False, lambda_="log-likelihood")
    assert log_likelihood(9, 10, 20, 990) == pytest.approx(g.statistic)
    assert log_likelihood(1, 10, 500, 990) == 0
    assert log_likelihood(0, 0, 1, 10) == 0
