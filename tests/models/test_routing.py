from __future__ import annotations

import csv
from pathlib import Path

import pytest

from models.errors import DataMissing
from models.routing import reasons, routing_figures

WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "joust")
SAID = {"Late Flight": "the plane {} left {} late", "Lost Luggage": "my bag {} is {} lost"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with (tmp_path / "airline.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["negativereason", "text"])
        for one in WORDS:
            for other in WORDS[:6]:
                for reason, said in SAID.items():
                    writer.writerow([reason, said.format(one, other)])
        writer.writerows([["Can't Tell", "hm"], ["", "nice"]])
    return tmp_path


def test_rows_without_a_reason_are_left_out(folder: Path) -> None:
    assert {reason for reason, _ in reasons(folder)} == set(SAID)


def test_what_differs_is_learnt_and_less_is_covered_where_more_is_asked(folder: Path) -> None:
    figures = routing_figures(reasons(folder), examples=20)
    assert figures["rows"] == 120
    assert figures["macro_f1"] > 0.95
    coverage = [point["coverage"] for point in figures["curve"].values()]
    assert coverage == sorted(coverage, reverse=True)
    assert coverage[0] == 1.0


def test_a_missing_set_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataMissing, match="OUTCRY_LABELLED_DATA"):
        reasons(tmp_path)
