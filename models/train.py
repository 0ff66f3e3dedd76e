"""Trains a model: ``python -m models.train --data DIR --out FOLDER [--recipe NAME]``.

``linear`` is the baseline; ``labels``, ``student`` and ``multilingual`` make encoders and need the
extra ``train-encoders``.

The baseline takes a few minutes on two cores; the same data give the same bytes. The shipped
model is fitted to all rows; its calibration and threshold come from folds that it did not see.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models import data, recipe
from models.errors import ModelsError, lacking
from models.linear import Integers, Matrix
from models.plan import Options
from models.recipe import Basis, Sets
from models.registry import DEFAULT
from nlp.artefact import KIND, LEVELS, SENTIMENTS, Calibration, Metadata, Weights, pack
from nlp.baseline import softmax
from nlp.features import Spellings

VERSION = 1


class Recipe(StrEnum):
    """What is trained."""

    LINEAR = "linear"
    LABELS = "labels"
    STUDENT = "student"
    MULTILINGUAL = "multilingual"


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
        return train_sets(folder, sets, done)


def train_sets(folder: Path, sets: Sets, done: Callable[[], None]) -> tuple[Metadata, bytes]:
    """The model of sets in memory; ``folder`` is where they were read, ``done`` ends a step."""
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


def write(out: Path, metadata: Metadata, packed: bytes) -> None:
    """The two files of a model, in a folder."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "weights.npz").write_bytes(packed)
    raw = msgspec.json.encode(metadata, order="deterministic")
    (out / "metadata.json").write_bytes(msgspec.json.format(raw, indent=2) + b"\n")


@contextmanager
def _progress() -> Iterator[Progress | None]:
    if not sys.stderr.isatty():
        yield None
        return
    with Progress(console=Console(stderr=True)) as progress:
        yield progress


def _train_encoder(
    name: Recipe, folder: Path, out: Path, base: str, teachers: list[Path], options: Options
) -> None:
    if not base:
        raise typer.BadParameter("an encoder needs --base, a hub name or a folder")
    try:
        from models import encoders
    except ImportError as error:
        typer.echo(f"error: {lacking(error, 'train-encoders')}", err=True)
        raise typer.Exit(1) from error
    try:
        if name is Recipe.LABELS:
            encoders.train_on_labels(folder, base, out, options)
        elif name is Recipe.STUDENT:
            encoders.train_student(folder, base, teachers, out, options)
        else:
            encoders.train_multilingual(folder, base, teachers, out, options)
    except (ModelsError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{name.value} in {out}; next: python -m models.export")


def main(
    data_folder: Annotated[
        Path, typer.Option("--data", help='Folder of the sets: --data "$OUTCRY_LABELLED_DATA".')
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to write the model to.")],
    recipe_name: Annotated[
        Recipe, typer.Option("--recipe", help="linear, labels, student or multilingual.")
    ] = Recipe.LINEAR,
    base: Annotated[
        str, typer.Option(help="Encoders: a hub name, or a folder, of the weights to start from.")
    ] = "",
    teacher: Annotated[
        list[Path] | None,
        typer.Option(help="A folder of an exported encoder to learn from; repeat."),
    ] = None,
    share: Annotated[
        float, typer.Option(help="Encoders: how much of the larger sets is sampled.")
    ] = 1.0,
    rate: Annotated[float | None, typer.Option(help="Encoders: the learning rate.")] = None,
    frozen: Annotated[int, typer.Option(help="Encoders: lowest layers left as they are.")] = 0,
    seed: Annotated[int | None, typer.Option(help="Encoders: another seed.")] = None,
    passes: Annotated[
        int | None, typer.Option(min=1, help="Encoders: how often all is seen.")
    ] = None,
) -> None:
    """Train a model on the labelled sets."""
    if recipe_name is not Recipe.LINEAR:
        options = Options(share=share, rate=rate, frozen_layers=frozen, seed=seed, passes=passes)
        _train_encoder(recipe_name, data_folder, out, base, teacher or [], options)
        return
    try:
        with _progress() as progress:
            metadata, packed = train(data_folder, progress)
        write(out, metadata, packed)
    except (ModelsError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    size = len(packed) / 1e6
    typer.echo(f"{metadata.name}/{metadata.version} in {out}: {size:.1f} MB of weights")


if __name__ == "__main__":
    typer.run(main)
