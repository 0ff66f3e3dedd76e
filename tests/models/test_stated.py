"""Every stated figure beside what is measured now; a point of difference fails."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from threadpoolctl import threadpool_limits

from models import registry
from models.cue_figures import cue_figures, labelled_rows
from models.judge import judge_heads
from models.judge_encoder import judge_encoder
from models.privacy_figures import privacy_figures, rows
from nlp.cues import load_cues

POINT = 0.0101
PAGE = Path(__file__).parents[2] / "docs" / "models.md"
CUE_ROWS = Path(__file__).parents[1] / "nlp" / "cue_rows.csv"
_UNSTEADY = {"thresholds", "macro_f1_interval"}
"""Each hangs on a row or two; what they are made of is compared."""


def differing(stated: Mapping[str, Any], found: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The figures of ``found`` that are stated otherwise, or not at all."""
    for name, value in found.items():
        if name in _UNSTEADY:
            continue
        if isinstance(value, Mapping):
            yield from differing(stated.get(name, {}), value, f"{path}{name}.")
        elif abs(value - stated.get(name, float("inf"))) > POINT:
            yield f"{path}{name}: {stated.get(name)} is stated, {value} is measured"


def stated_by(model: str) -> dict[str, Any]:
    figures: dict[str, Any] = msgspec.json.decode(
        (registry.folder(model) / "metrics.json").read_bytes()
    )
    return figures


def table(heading: str) -> dict[str, list[float]]:
    """The rows of the first table under a heading of the page: a name, and its numbers."""
    part = PAGE.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [
        re.split(r"\s*\|\s*", line.strip("| ")) for line in part.splitlines() if line[:1] == "|"
    ]
    return {row[0]: [float(cell) for cell in row[1:]] for row in cells[2:]}


def test_a_figure_that_is_off_by_more_than_a_point_is_named() -> None:
    stated = {"a": {"b": 0.5, "c": 0.5}, "n": 10}
    assert list(differing(stated, {"a": {"b": 0.51, "c": 0.489}, "n": 10})) == [
        "a.c: 0.5 is stated, 0.489 is measured"
    ]
    assert list(differing(stated, {"d": 0.1})) == ["d: None is stated, 0.1 is measured"]


@pytest.mark.slow
def test_the_baselines_figures_are_measured_again(labelled_data: Path) -> None:
    with threadpool_limits(1):
        found = judge_heads(labelled_data)
    assert list(differing(stated_by("baseline-en"), found)) == []


@pytest.mark.slow
def test_the_encoders_figures_are_measured_again(labelled_data: Path) -> None:
    with threadpool_limits(1):
        found = judge_encoder(labelled_data, registry.folder("outcry-en"))
    assert list(differing(stated_by("outcry-en"), found)) == []


def test_the_cues_figures_are_measured_again(labelled_data: Path) -> None:
    finder = load_cues()
    found = {
        part: cue_figures(some, finder)
        for part, some in labelled_rows(labelled_data, CUE_ROWS).items()
    }
    stated = table("Cues")
    assert stated.keys() == found.keys()
    for part, (texts, precision, recall) in stated.items():
        own = {"texts": texts, "precision": precision, "recall": recall}
        del found[part]["by_kind"]
        assert list(differing(own, found[part])) == []


@pytest.mark.slow
def test_the_privacy_figures_are_measured_again(labelled_data: Path) -> None:
    figures = privacy_figures(rows(labelled_data))
    for heading, subject in (
        ("Personal data found", "recall"),
        ("Personal data, what else was touched", "traps_left_alone"),
        ("Personal data, precision", "precision"),
    ):
        stated = {name: share for name, (share,) in table(heading).items()}
        assert stated.keys() == figures[subject].keys()
        assert list(differing(stated, figures[subject])) == []
