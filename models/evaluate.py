"""Judges the baseline: ``python -m models.evaluate --data DIR [--json] [--write]``.

Every figure is of rows that the judged heads did not see, nor near-copies of them: the recipe is
run again on parts of the sets. Speed, language and size are of the shipped model itself.
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
from models.card import card
from models.errors import ModelsError
from models.judge import judge_heads
from models.measure import language_figures, speed_figures
from nlp.artefact import read_metadata
from nlp.errors import NlpError


def evaluate(data_folder: Path, model_folder: Path) -> dict[str, Any]:
    """All figures, by subject; rounded, ready for JSON.

    Raises:
        DataMissing: if a set is not there.
        NlpError: if the shipped model cannot be loaded.
    """
    with threadpool_limits(1):
        metadata = read_metadata(model_folder / "metadata.json")
        return {
            "model": f"{metadata.name}/{metadata.version}",
            "weights_sha256": metadata.weights_sha256,
            "megabytes": round((model_folder / "weights.npz").stat().st_size / 1e6, 1),
            **judge_heads(data_folder),
            "language": language_figures(data_folder),
            "speed": speed_figures(data_folder, model_folder),
        }


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
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON on stdout.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Write metrics.json and card.md beside the model.")
    ] = False,
) -> None:
    """Judge the baseline on rows it did not see."""
    try:
        folder = registry.folder(model)
        figures = evaluate(data_folder, folder)
        if write:
            raw = msgspec.json.encode(figures)
            (folder / "metrics.json").write_bytes(msgspec.json.format(raw, indent=2) + b"\n")
            text = card(figures, read_metadata(folder / "metadata.json"))
            (folder / "card.md").write_text(text, "utf-8")
    except (ModelsError, NlpError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    if as_json:
        sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
    else:
        _show(figures, Console())


if __name__ == "__main__":
    typer.run(main)
