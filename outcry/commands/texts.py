"""Commands that read texts and store nothing: try, assess."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from outcry import exits
from outcry.exits import InputError
from outcry.session import AsJson, emit, note, progress, session_of

if TYPE_CHECKING:
    from nlp.assess import Assessor
    from nlp.workers import Workers
    from outcry.settings import Settings

_REPORT_EVERY = 1000


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("try")(try_)
    app.command()(assess)


def try_(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="What somebody wrote.")],
    as_json: AsJson = False,
) -> None:
    """Read one text and say what is made of it.

    Example: `outcry try "third week without internet and nobody calls back"`
    """
    from outcry import screen
    from outcry.assessing import Routes, Text, lines_of

    if not text.strip():
        raise InputError("the text is empty; write some words between the quotes")
    settings = session_of(context).settings()
    routes = Routes(settings.rules.departments, settings.rules.routing)
    (line,) = lines_of([Text(row=1, text=text)], _assessor(settings), routes)
    if as_json:
        emit(line)
    else:
        for words in screen.assessment_lines(line, text):
            typer.echo(words)


def assess(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="CSV or JSONL, packed with gzip or not; - is stdin.")],
    text_column: Annotated[
        str, typer.Option("--text-column", metavar="NAME", help="Column or key with the text.")
    ] = "text",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="OUT.jsonl", help="Where to; - is stdout.")
    ] = "-",
    form: Annotated[
        Literal["csv", "jsonl"] | None,
        typer.Option("--format", help="Of FILE, where its name does not say it."),
    ] = None,
    encoding: Annotated[str, typer.Option(metavar="NAME", help="Of FILE.")] = "utf-8",
    as_json: AsJson = False,
) -> None:
    """Read every text of a file: one JSON object a line, in the order of the rows.

    Nothing is stored in the deployment. A row that cannot be read keeps its place, with an
    `error`. A file as output appears whole or not at all. The lines are JSON with or
    without --json.

    Example: `outcry assess reviews.csv --text-column body --output read.jsonl`
    """
    import msgspec

    from outcry.assessing import BadLine, Routes, lines_of, output_to, texts_in
    from outcry.spool import spooled

    settings = session_of(context).settings()
    encode = msgspec.json.Encoder().encode
    rows = bad = 0
    with (
        tempfile.TemporaryDirectory(prefix="outcry-") as folder,
        spooled(file, Path(folder)) as path,
        texts_in(path, text_column, encoding=encoding, form=form) as texts,
        output_to(output) as out,
        progress() as show,
        _workers(settings) as workers,
    ):
        routes = Routes(settings.rules.departments, settings.rules.routing)
        for line in lines_of(texts, workers, routes):
            out.write(encode(line) + b"\n")
            rows += 1
            bad += isinstance(line, BadLine)
            if rows % _REPORT_EVERY == 0:
                show("assess", rows, 0)
    if bad:
        note(f"{bad} of {rows} rows could not be read; their lines have an 'error'")
        raise typer.Exit(exits.PARTIAL)
    if output != "-":
        note(f"{rows} rows read into {output}")


def _assessor(settings: Settings) -> Assessor:
    from outcry.pipeline import assessor_of

    return assessor_of(settings)


def _workers(settings: Settings) -> Workers:
    from outcry.pipeline import workers_of

    return workers_of(settings)
