"""An order is judged by what stands early in it."""

from __future__ import annotations

import numpy as np
import pytest

from models.data import Row
from models.order import SHARE, Judged, figures, mixed, order_figures, regret


def judged(count: int, complaints: int) -> Judged:
    rows = [
        Row(text=f"row {n}", complaint=n < complaints, severity=1 + n % 4 if n < complaints else 0)
        for n in range(count)
    ]
    return Judged(
        rows=rows,
        chances=np.linspace(1, 0, count),
        levels=np.ones(count, dtype=np.int64),
        negative=np.zeros(count),
        threshold=0.5,
    )


@pytest.mark.parametrize(("complaints", "background"), [(400, 1000), (10, 5000)])
def test_a_stream_holds_its_share_of_complaints_whichever_there_are_fewer_of(
    complaints: int, background: int
) -> None:
    stream = mixed(judged(complaints, complaints), judged(background, 0))
    assert stream.truth.mean() == pytest.approx(SHARE, abs=0.003)
    again = mixed(judged(complaints, complaints), judged(background, 0))
    assert [row.text for row in again.rows] == [row.text for row in stream.rows]
    assert figures(stream)["complaints"] == int(stream.truth.sum())


def test_nothing_is_regretted_of_the_best_order_and_everything_of_an_empty_one() -> None:
    stream = judged(2000, 100)
    assert order_figures(stream, stream.gains)["regret"] == pytest.approx(0)
    assert order_figures(stream, stream.gains)["precision_at_100"] == 1
    assert regret(np.zeros(0), stream.gains) == 1
    late = order_figures(stream, -stream.gains)
    assert (late["precision_at_500"], late["regret"]) == (0, 1)
