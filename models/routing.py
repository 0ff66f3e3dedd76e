"""Judges what routing can learn: ``python -m models.routing --data DIR [--examples N]``.

The reasons of ``airline.csv`` (nine, without "Can't Tell") stand for departments. `nlp.topics`
learns from four fifths of the rows, or from so many examples of each reason, and is judged on the
rest; near-duplicates (`models.groups`) lie on one side as a whole.
"""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer

from models.data import AIRLINE
from models.errors import DataMissing, ModelsError
from models.groups import folds, near_duplicates
from models.metrics import calibration_error, macro_f1
from nlp.topics import learn

FOLDS: Final = 5
SEED: Final = 3
THRESHOLDS: Final = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_UNKNOWN: Final = frozenset({"", "Can't Tell"})

Pair = tuple[str, str]
"""A reason and a text."""


def reasons(folder: Path) -> list[Pair]:
    """The rows of ``airline.csv`` that have a reason, each text once.

    Raises:
        DataMissing: if the set is not there.
    """
    path = folder / AIRLINE
    if not path.is_file():
        raise DataMissing(f'{path} is missing; name the folder: --data "$OUTCRY_LABELLED_DATA"')
    with path.open(encoding="utf-8", newline="") as file:
        found = {row["text"]: row["negativereason"] for row in csv.DictReader(file)}
    return [(reason, text) for text, reason in found.items() if reason not in _UNKNOWN]


def routing_figures(
    pairs: list[Pair], examples: int | None = None, parts: int = FOLDS
) -> dict[str, Any]:
    """Macro-F1, calibration error, and at each threshold the coverage and precision.

    Args:
        pairs: what `reasons` gives.
        examples: how many of each reason to learn from; all by default.
        parts: how many of the five folds to judge; all five are all rows.
    """
    groups = near_duplicates([text for _, text in pairs])
    labels = sorted({reason for reason, _ in pairs})
    truth, said, chances = [], [], []
    for part in folds(groups, FOLDS, SEED)[:parts]:
        inside = set(part)
        taught: dict[str, list[str]] = defaultdict(list)
        for at, (reason, text) in enumerate(pairs):
            if at not in inside:
                taught[reason].append(text)
        if examples is not None:
            rng = random.Random(SEED)
            taught = {
                label: rng.sample(own, min(examples, len(own))) for label, own in taught.items()
            }
        topics = learn(taught, groups=near_duplicates)
        if topics is None:
            raise DataMissing("too few examples of each reason; raise --examples")
        for at, read in zip(part, topics.read([pairs[at][1] for at in part]), strict=True):
            best = max(read, key=lambda label: (read[label], label))
            truth.append(labels.index(pairs[at][0]))
            said.append(labels.index(best))
            chances.append(read[best])
    right = np.array(truth) == np.array(said)
    sure = np.array(chances)
    curve = {}
    for threshold in THRESHOLDS:
        taken = sure >= threshold
        precision = float(right[taken].mean()) if taken.any() else None
        curve[threshold] = {
            "coverage": round(float(taken.mean()), 3),
            "precision": None if precision is None else round(precision, 3),
        }
    return {
        "rows": len(truth),
        "macro_f1": round(macro_f1(np.array(truth), np.array(said), range(len(labels))), 4),
        "accuracy": round(float(right.mean()), 4),
        "calibration_error": round(calibration_error(right.astype(np.int64), sure), 4),
        "curve": curve,
    }


def main(
    data_folder: Annotated[Path, typer.Option("--data", help="Folder of the labelled sets.")],
    examples: Annotated[
        int | None, typer.Option(help="Learn from so many of each reason.", show_default="all")
    ] = None,
) -> None:
    """Judge routing on the airline reasons."""
    try:
        figures = routing_figures(reasons(data_folder), examples)
    except ModelsError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    for name, value in figures.items():
        if name != "curve":
            print(f"{name}: {value}")
    for threshold, values in figures["curve"].items():
        print(f"from {threshold}: coverage {values['coverage']}, precision {values['precision']}")


if __name__ == "__main__":
    typer.run(main)
