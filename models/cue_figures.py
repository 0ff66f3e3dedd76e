"""Judges the cues on rows labelled by hand: ``python -m models.cue_figures --data DIR LABELS``.

``LABELS`` is a CSV file of dataset, row (its id), part and kinds (between spaces): no text. Ours is
``tests/nlp/cue_rows.csv``: rows drawn at random, half from the brand-addressed part of
``complaints.csv``, half from ``airline.csv``, labelled by one reader before the rules were run on
them. The 200 of the first part had been read when the rules were last mended; the 120 of the second
had not. Products and places are not judged there: they are the operator's.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from models.errors import DataMissing, ModelsError
from nlp.cues import CueFinder, load_cues
from nlp.errors import NlpError

_ID: Mapping[str, str] = {"complaints.csv": "id", "airline.csv": "tweet_id"}

Labelled = tuple[str, frozenset[str]]
"""A text and the kinds of cue that it holds."""


def labelled_rows(folder: Path, labels: Path) -> dict[str, list[Labelled]]:
    """The texts that a file of labels names, in its order, by part.

    Raises:
        DataMissing: if a set, or a row of it, is not there.
    """
    with labels.open(encoding="utf-8", newline="") as file:
        wanted = list(csv.DictReader(file))
    texts: dict[tuple[str, str], str] = {}
    for dataset in sorted({row["dataset"] for row in wanted}):
        path = folder / dataset
        if dataset not in _ID or not path.is_file():
            raise DataMissing(f'{path} is missing; name the folder: --data "$OUTCRY_LABELLED_DATA"')
        with path.open(encoding="utf-8", newline="") as file:
            texts |= {(dataset, row[_ID[dataset]]): row["text"] for row in csv.DictReader(file)}
    parts: dict[str, list[Labelled]] = {}
    for row in wanted:
        key = row["dataset"], row["row"]
        if key not in texts:
            raise DataMissing(f"row {key[1]} is not in {key[0]}; is it the right file?")
        parts.setdefault(row["part"], []).append((texts[key], frozenset(row["kinds"].split())))
    return parts


def cue_figures(rows: Iterable[Labelled], finder: CueFinder) -> dict[str, Any]:
    """Precision and recall over all kinds; by kind, how many are right, wrong and missed."""
    rows = list(rows)
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for (_, truth), cues in zip(rows, finder.find([text for text, _ in rows]), strict=True):
        said = {cue.kind for cue in cues}
        right.update(said & truth)
        wrong.update(said - truth)
        missed.update(truth - said)
    hits = right.total()
    return {
        "texts": len(rows),
        "precision": round(hits / max(1, hits + wrong.total()), 3),
        "recall": round(hits / max(1, hits + missed.total()), 3),
        "by_kind": {
            kind: {"right": right[kind], "wrong": wrong[kind], "missed": missed[kind]}
            for kind in sorted({*right, *wrong, *missed})
        },
    }


def main(
    labels: Annotated[Path, typer.Argument(help="A file of labels.")],
    data_folder: Annotated[Path, typer.Option("--data", help="Folder of the labelled sets.")],
    cues: Annotated[Path | None, typer.Option(help="A file of cues of your own.")] = None,
) -> None:
    """Judge the cues on rows labelled by hand."""
    try:
        finder = load_cues(cues)
        for part, rows in labelled_rows(data_folder, labels).items():
            _show(part, cue_figures(rows, finder))
    except (ModelsError, NlpError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error


def _show(part: str, figures: Mapping[str, Any]) -> None:
    print(part + ": {texts} texts, precision {precision}, recall {recall}".format(**figures))
    for kind, counts in figures["by_kind"].items():
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        print(f"  {kind:15} {said}")


if __name__ == "__main__":
    typer.run(main)
