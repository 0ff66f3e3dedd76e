"""Tweets in eight languages, parted; and how well an encoder reads each of them.

``python -m models.languages --folder EXPORTED --data DIR [--write]`` prints the macro-F1 of the
sentiments of held-out rows by language, and the mean over languages, as UMSAB (Barbieri et al.,
2022) is judged.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import typer

from models import data, recipe
from models.corpus import Corpus, read_corpus
from models.data import Row
from models.errors import ModelsError
from models.groups import folds, near_duplicates
from models.metrics import macro_f1
from nlp.errors import NlpError
from nlp.heads import SENTIMENT
from nlp.session import Encoder

_SENTIMENTS = (0, 1, 2)


class Tongues(msgspec.Struct, frozen=True, kw_only=True):
    """Rows to learn from, of all sets, and rows of the eight languages to be judged by."""

    train: list[Row]
    """Of the eight languages."""
    complaints: list[Row]
    airline: list[Row]
    semeval: list[Row]
    """English, as the two before it."""
    test: list[Row]

    @property
    def english(self) -> list[Row]:
        """What is learnt from the English sets."""
        return [*self.complaints, *self.airline, *self.semeval]


def read_tongues(folder: Path) -> Tongues:
    """The sets of a folder; one fifth of the tweets in eight languages is held out.

    No near-copy of a held-out row, of this set or of the English ones, is learnt from.

    Raises:
        DataMissing: if a file is not there, or lacks a column.
    """
    return part(data.multilingual(folder), read_corpus(folder))


def part(rows: list[Row], corpus: Corpus) -> Tongues:
    """As `read_tongues`, of rows in memory."""
    english = (corpus.complaints, corpus.airline, corpus.semeval)
    held = (*corpus.complaints_test, *corpus.airline_test, *corpus.semeval_test)
    parts = (rows, *english, held)
    number = iter(near_duplicates([row.text for some in parts for row in some]))
    own, *others, kept_back = ([next(number) for _ in some] for some in parts)
    test = folds(own, recipe.FOLDS, recipe.SEED)[0]
    never = {own[at] for at in test}.union(kept_back)
    train, complaints, airline, semeval = (
        [row for row, group in zip(some, groups, strict=True) if group not in never]
        for some, groups in zip((rows, *english), (own, *others), strict=True)
    )
    return Tongues(
        train=train,
        complaints=complaints,
        airline=airline,
        semeval=semeval,
        test=[rows[at] for at in test],
    )


def sentiment_figures(encoder: Encoder, rows: Sequence[Row]) -> dict[str, float]:
    """Macro-F1 of the sentiments by language, and their mean over languages."""
    scores = encoder.scores([row.text for row in rows])[:, SENTIMENT]
    said, truth = np.argmax(scores, axis=1), recipe.sentiment_labels(rows)
    figures = {}
    for language in sorted({str(row.language) for row in rows}):
        own = np.array([row.language == language for row in rows])
        figures[language] = round(macro_f1(truth[own], said[own], _SENTIMENTS), 4)
    mean = round(float(np.mean(list(figures.values()))), 4)
    return {**figures, "mean": mean, "rows": len(rows)}


def main(
    folder: Annotated[Path, typer.Option(help="A folder of models.export.")],
    data_folder: Annotated[Path, typer.Option("--data", help="Folder of the sets.")],
    write: Annotated[
        bool, typer.Option("--write", help="Write languages.json beside the encoder.")
    ] = False,
) -> None:
    """Judge an encoder on held-out tweets in eight languages."""
    try:
        rows = read_tongues(data_folder).test
        figures: dict[str, Any] = {"sentiment": sentiment_figures(Encoder(folder), rows)}
        line = msgspec.json.encode(figures)
        if write:
            (folder / "languages.json").write_bytes(msgspec.json.format(line, indent=2) + b"\n")
    except (ModelsError, NlpError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    sys.stdout.write(line.decode() + "\n")


if __name__ == "__main__":
    typer.run(main)
