"""Trains the baseline: ``python -m models.train --data DIR --out FOLDER``.

A few minutes on two cores; the same data give the same bytes. The shipped model is fitted to all
rows; its calibration and threshold come from folds that it did not see.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models import data, recipe
from models.errors import ModelsError
from models.linear import Integers, Matrix
from models.recipe import Basis, Sets
from models.registry import DEFAULT
from nlp.artefact import KIND, LEVELS, SENTIMENTS, Calibration, Metadata, Weights, pack
from nlp.baseline import softmax
from nlp.features import Spellings

VERSION = 1
_FILES = (data.SENTIMENT, data.AIRLINE, data.COMPLAINTS, data.THREADS)
_TEMPERATURES = np.arange(50, 201, 5) / 100


def train(folder: Path, step: Progress | None = None) -> tuple[Metadata, bytes]:
    """The model of a folder of sets: its description and its file of weights.

    Raises:
        DataMissing: if a set is not there.
    """
    bar = step.add_task("training", total=5) if step else None

    def done() -> None:
        if step and bar is not None:
            step.advance(bar)

    with threadpool_limits(1):  # sums in one order: the same bytes
        sets = recipe.read_sets(folder)
        done()
        spellings = Spellings(recipe.SETTINGS)
        basis = recipe.fit_basis(sets.semeval, sets.airline, sets.threads, spellings)
        done()
        rows = recipe.count(sets.complaints, spellings).weighted(basis.idf)
        labels = recipe.complaint_labels(sets.complaints)
        scores, _ = recipe.held_out_scores(rows, labels, sets.complaint_groups, basis)
        calibration = recipe.calibrate(
            scores, labels, temperature(rows, recipe.sentiment_labels(sets.complaints), basis)
        )
        done()
        complaint = recipe.fit_complaint_head(rows, labels, recipe.COMPLAINT_STRENGTH, basis)
        done()
        severity = recipe.fit_severity_head(rows, recipe.severity_labels(sets.complaints), basis)
        done()
    return _describe(folder, sets, calibration, recipe.assemble(basis, complaint, severity))


def temperature(rows: Matrix, labels: Integers, basis: Basis) -> float:
    """The temperature at which sentiment on rows that taught it nothing is the likeliest."""
    known = np.flatnonzero(labels >= 0)
    scores = (rows[known] @ basis.sentiment + basis.sentiment_intercepts).tolist()
    truth = labels[known].tolist()

    def loss(heat: float) -> float:
        chances = (softmax([value / heat for value in score]) for score in scores)
        return -float(
            np.mean(np.log([row[label] for row, label in zip(chances, truth, strict=True)]))
        )

    return float(min(_TEMPERATURES, key=loss))


def _describe(
    folder: Path, sets: Sets, calibration: Calibration, weights: Weights
) -> tuple[Metadata, bytes]:
    packed = pack(weights)
    metadata = Metadata(
        kind=KIND,
        name=DEFAULT,
        version=VERSION,
        languages=("en",),
        features=recipe.SETTINGS,
        calibration=calibration,
        sentiments=SENTIMENTS,
        severity_levels=LEVELS,
        seed=recipe.SEED,
        training_rows={
            data.SENTIMENT: len(sets.semeval),
            data.AIRLINE: len(sets.airline),
            data.COMPLAINTS: len(sets.complaints),
            data.THREADS: len(sets.threads),
        },
        training_sha256={name: data.digest(folder / name) for name in _FILES},
        weights_sha256=hashlib.sha256(packed).hexdigest(),
    )
    return metadata, packed


@contextmanager
def _progress() -> Iterator[Progress | None]:
    if not sys.stderr.isatty():
        yield None
        return
    with Progress(console=Console(stderr=True)) as progress:
        yield progress


def main(
    data_folder: Annotated[
        Path, typer.Option("--data", help='Folder of the sets: --data "$OUTCRY_LABELLED_DATA".')
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the model to.")],
) -> None:
    """Train the baseline on the labelled sets and write its two files."""
    try:
        with _progress() as progress:
            metadata, packed = train(data_folder, progress)
        out.mkdir(parents=True, exist_ok=True)
        (out / "weights.npz").write_bytes(packed)
        raw = msgspec.json.encode(metadata, order="deterministic")
        (out / "metadata.json").write_bytes(msgspec.json.format(raw, indent=2) + b"\n")
    except (ModelsError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    size = len(packed) / 1e6
    typer.echo(f"{metadata.name}/{metadata.version} in {out}: {size:.1f} MB of weights")


if __name__ == "__main__":
    typer.run(main)
