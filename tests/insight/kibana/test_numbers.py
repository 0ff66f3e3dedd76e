"""Each panel's question, put to a real node, has the answer that pandas finds in the files."""

from __future__ import annotations

import math
from typing import Any

import pytest

from insight.kibana.queries import Span
from tests.insight.kibana import truth
from tests.insight.kibana.filled import ONE_DAY, WHOLE, Filled

pytestmark = pytest.mark.elasticsearch

MAY_BE_NOTHING = {"Known gaps"}
"""Sums that are rightly 0 here: nothing is known to be missing."""


def differences(filled: Filled, span: Span, whole: bool = True) -> list[str]:
    """Each panel whose rows are not those of pandas, or that has none, by its title."""
    frames = truth.frames(filled.settings, filled.store)
    found = []
    for panel in filled.panels("lens"):
        asked = filled.asker.lens(panel, span)
        kind = panel.references[0]["id"].removeprefix("outcry-")
        wanted = truth.answer(panel, frames[kind], span)
        nothing = not any(_says_something(row) for row in asked.values())
        if nothing and whole and panel.title not in MAY_BE_NOTHING:
            found.append(f"{panel.title}: shows nothing")
        if not _same(asked, wanted):
            found.append(f"{panel.title}: node {asked} pandas {wanted}")
    return found


def _says_something(row: dict[str, Any]) -> bool:
    return any(row.values())


def _same(asked: dict[Any, Any], wanted: dict[Any, Any]) -> bool:
    return asked.keys() == wanted.keys() and all(
        asked[key].keys() == row.keys() and all(_equal(asked[key][n], v) for n, v in row.items())
        for key, row in wanted.items()
    )


def _equal(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def test_every_panel_of_the_demonstration_says_what_pandas_says(demonstrated: Filled) -> None:
    assert differences(demonstrated, WHOLE) == []


def test_so_it_is_hour_by_hour(demonstrated: Filled) -> None:
    assert differences(demonstrated, ONE_DAY, whole=False) == []
