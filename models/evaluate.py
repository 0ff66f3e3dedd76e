"""Judges a model: ``python -m models.evaluate --data DIR [--model NAME] [--json] [--write]``.

Every figure is of rows that the judged heads did not see, nor near-copies of them. Of the
baseline, whose heads are fitted to all rows, the recipe is run again on parts of the sets; an
encoder is judged as it is shipped, on the rows that were held out from it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models import registry
from models.behaviour import LANGUAGES, cases, failure_rates
from models.card import card
from models.card_encoder import card as encoder_card
from models.errors import ModelsError
from models.judge import judge_heads
from models.judge_plain import card as plain_card
from models.judge_plain import judge_plain
from models.measure import language_figures, speed_figures
from nlp.artefact import read_metadata
from nlp.encoder import KIND as ENCODER
from nlp.encoder import read_encoder_metadata
from nlp.errors import NlpError
from nlp.loading import kind, load
from nlp.plain import KIND as PLAIN
from nlp.plain import load_plain

_ENCODER_TEXTS = 1_500


def evaluate(data_folder: Path, model_folder: Path) -> dict[str, Any]:
    """All figures, by subject; rounded, ready for JSON.

    Raises:
        DataMissing: if a set is not there.
        NlpError: if the shipped model cannot be loaded.
    """
    if kind(model_folder) == ENCODER:
        return evaluate_encoder(data_folder, model_folder)
    if kind(model_folder) == PLAIN:
        return evaluate_plain(data_folder, model_folder)
    with threadpool_limits(1):
        metadata = read_metadata(model_folder / "metadata.json")
        return {
            "model": f"{metadata.name}/{metadata.version}",
            "weights_sha256": metadata.weights_sha256,
            "megabytes": round((model_folder / "weights.npz").stat().st_size / 1e6, 1),
            **judge_heads(data_folder),
            "behaviour": failure_rates(load(model_folder), cases()),
            "language": language_figures(data_folder),
            "speed": speed_figures(data_folder, model_folder),
        }


def evaluate_encoder(data_folder: Path, model_folder: Path) -> dict[str, Any]:
    """As `evaluate`, of an encoder."""
    from models.judge_encoder import judge_encoder

    with threadpool_limits(1):
        metadata = read_encoder_metadata(model_folder)
        return {
            "model": f"{metadata.name}/{metadata.version}",
            "files": metadata.files,
            "megabytes": round(megabytes(model_folder), 1),
            **judge_encoder(data_folder, model_folder),
            "behaviour": failure_rates(load(model_folder), cases()),
            "language": language_figures(data_folder),
            "speed": speed_figures(data_folder, model_folder, _ENCODER_TEXTS),
        }


def evaluate_plain(data_folder: Path, model_folder: Path) -> dict[str, Any]:
    """As `evaluate`, of an encoder of many languages."""
    with threadpool_limits(1):
        metadata = load_plain(model_folder).metadata
        return {
            "model": f"{metadata.name}/{metadata.version}",
            "files": metadata.files,
            "megabytes": round(megabytes(model_folder), 1),
            **judge_plain(data_folder, model_folder),
            "behaviour": failure_rates(load(model_folder), cases(LANGUAGES)),
        }


def megabytes(folder: Path) -> float:
    """Of all files of a model."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def write_card(folder: Path, figures: dict[str, Any]) -> None:
    """``metrics.json`` and ``card.md`` of a model."""
    raw = msgspec.json.encode(figures)
    (folder / "metrics.json").write_bytes(msgspec.json.format(raw, indent=2) + b"\n")
    (folder / "card.md").write_text(written_card(folder, figures), "utf-8")


def written_card(folder: Path, figures: dict[str, Any]) -> str:
    """The card of the model in a folder, with these figures."""
    if kind(folder) == ENCODER:
        return encoder_card(figures, read_encoder_metadata(folder))
    if kind(folder) == PLAIN:
        return plain_card(figures, load_plain(folder).metadata)
    return card(figures, read_metadata(folder / "metadata.json"))


def _show(figures: dict[str, Any], console: Console) -> None:
    for subject, values in figures.items():
        if not isinstance(values, dict):
            console.print(f"{subject}: {values}")
            continue
        table = Table(title=subject, title_justify="left", show_header=False)
        for name, value in values.items():
            table.add_row(name, str(value))
        console.print(table)


def main(
    data_folder: Annotated[
        Path, typer.Option("--data", help='Folder of the sets: --data "$OUTCRY_LABELLED_DATA".')
    ],
    model: Annotated[str, typer.Option(help="Name of a shipped model.")] = registry.DEFAULT,
    model_folder: Annotated[
        Path | None, typer.Option("--folder", help="A folder of models.export instead.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON on stdout.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write metrics.json and card.md beside the model.")
    ] = False,
) -> None:
    """Judge a model on rows it did not see."""
    try:
        folder = model_folder or registry.folder(model)
        figures = evaluate(data_folder, folder)
        if write:
            write_card(folder, figures)
    except (ModelsError, NlpError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
    else:
        _show(figures, Console())


if __name__ == "__main__":
    typer.run(main)
