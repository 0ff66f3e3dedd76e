"""From a trained encoder to the files that are shipped: ``python -m models.export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from models.corpus import Corpus, read_corpus
from models.data import Row
from models.errors import ModelsError, lacking
from models.plan import Made

MOST_PIECES = 24_000


def main(
    checkpoint: Annotated[Path, typer.Option(help="A folder of models.train.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    data_folder: Annotated[
        Path | None,
        typer.Option("--data", help="The sets. Without them only what a teacher needs is written."),
    ] = None,
    name: Annotated[str, typer.Option(help="What the model is called.")] = "outcry-en",
    version: Annotated[int, typer.Option(help="Its version; a new one for every export.")] = 1,
    most_pieces: Annotated[int, typer.Option(help="Word pieces that are kept.")] = MOST_PIECES,
) -> None:
    """Write a trained encoder as an eight-bit ONNX file, and all that is shipped beside it."""
    try:
        from models.encoders import LONGEST
        from models.graph import export
        from models.quantise import BATCH
    except ImportError as error:
        typer.echo(f"error: {lacking(error, 'train-encoders')}", err=True)
        raise typer.Exit(1) from error
    try:
        if data_folder is None:
            size = export(checkpoint, out, [], None)
        else:
            made = msgspec.json.decode((checkpoint / "recipe.json").read_bytes(), type=Made)
            if made.recipe == "multilingual":
                from models import seal_plain

                size = export(checkpoint, out, seal_plain.texts(data_folder), most_pieces)
                complete = seal_plain.seal
            else:
                from models.reasons import refit_reasons
                from models.seal import seal

                corpus = read_corpus(data_folder)
                size = export(checkpoint, out, _texts(corpus), most_pieces)
                refit_reasons(out, corpus.airline)
                complete = seal
            complete(out, data_folder, name, version, made, longest=LONGEST, batch=BATCH)
    except (ModelsError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{out}: encoder and tokenizer {size / 1e6:.1f} MB; next: python -m models.evaluate")


def _texts(corpus: Corpus) -> list[str]:
    rows: list[Row] = [*corpus.complaints, *corpus.airline, *corpus.semeval, *corpus.threads]
    return [row.text for row in rows]


if __name__ == "__main__":
    typer.run(main)
