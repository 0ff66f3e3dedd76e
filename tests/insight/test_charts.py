"""A colour means the same in a report as on the boards."""

from __future__ import annotations

import re

import pandas as pd

from insight import charts
from insight.kibana.files import FOLDER, colours

NEUTRAL = {"#000", "#000000", "#333", "#444", "#666", "#888", "#ddd", "#fff", "#ffffff"}
"""Axes, grids and words."""


def test_each_colour_of_a_report_is_that_of_the_boards() -> None:
    palette = {word: colour for colour, words in colours().items() for word in words}
    assert {name: palette[charts.MEANINGS[name]] for name in charts.COLOURS} == charts.COLOURS
    assert len({*charts.COLOURS.values()}) == len(charts.COLOURS)


def test_no_drawing_has_a_colour_of_its_own() -> None:
    answers = pd.DataFrame(
        {"department": ["billing", "all"], "kept": [3, 3], "running": [2, 2], "breached": [1, 1]}
    )
    days = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-11-19", "2026-11-20"], utc=True),
            "mentions": [5, 6],
            "complaints": [2, 3],
            "before": [4, 4],
        }
    )
    points = pd.DataFrame({"incident": ["I", "I"], "at": days["day"], "posts": [2, 1]})
    drawn = charts.bars_of_sla(answers) + charts.bars_by_day(days) + charts.curve(points)
    used = {colour.lower() for colour in re.findall(r"#[0-9A-Fa-f]{3,6}\b", drawn)}
    ours = {charts.COLOURS[name].lower() for name in charts.MEANINGS if name != "as predicted"}
    assert used - NEUTRAL == ours


def test_a_colour_is_written_down_in_one_place() -> None:
    source = (FOLDER.parent / "insight" / "charts.py").read_text()
    assert re.findall(r"#[0-9a-fA-F]{6}", source) == []


def test_posts_are_counted_in_whole_numbers_and_in_utc() -> None:
    at = pd.to_datetime(["2026-11-20T05:00Z", "2026-11-20T06:00Z"], utc=True)
    drawn = charts.curve(pd.DataFrame({"incident": "I", "at": at, "posts": [2, 1]}))
    marks = re.findall(r">([^<>]+)</text>", drawn)
    assert sorted(mark for mark in marks if mark.isdigit()) == ["0", "1", "2"]
    assert "20 Nov 05:00" in marks
