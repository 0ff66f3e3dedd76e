"""Commands about files and what they rejected: import, replay."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from outcry import exits
from outcry.commands.report import builtins_of, counts_of, emit_step, leave, report, verdict
from outcry.exits import InputError
from outcry.session import (
    AsJson,
    WindowStart,
    emit,
    progress,
    session_of,
    time_of,
    window_name,
)

if TYPE_CHECKING:
    from listeners.contract import Reject

SHOWN_REJECTS = 5


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("import")(import_)
    app.command()(replay)


def import_(
    context: typer.Context,
    file: Annotated[str, typer.Argument(help="CSV, JSONL or NDJSON file; - reads stdin.")],
    preset: Annotated[
        str | None,
        typer.Option(help="Layout of the file: canonical, support-threads, airline."),
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=COLUMN", help="Where a field is; once for each field."
        ),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Zone of times that carry none: Africa/Johannesburg."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Encoding of the file.  (default: utf-8)")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring in a file of posts, with a preset or a map of its columns.

    The same file again, or a longer version of it, adds only what is new. Rows that cannot
    be understood are kept with the reason and can be replayed.

    Examples: `outcry import threads.csv --preset support-threads`

    `outcry import export.csv --map text=body --map created_at=date --timezone UTC`
    """
    from listeners.ledger import read_row
    from listeners.sources.import_file import target_for, window_for
    from outcry.importing import import_file, rejects
    from outcry.spool import spooled

    session = session_of(context)
    settings = session.settings()
    options = {
        "preset": preset,
        "fields": _pairs(fields) if fields else None,
        "timezone": timezone,
        "encoding": encoding,
    }
    with progress() as show, spooled(file, settings.home / "spool") as path:
        target = target_for(path, **options)
        before = read_row(settings.landing, target.source, window_for(target), target.key)
        row = import_file(settings, path, now=time_of(None), progress=show, **options)
    if as_json:
        emit_step("import", row)
    elif before is not None and before.got == row.got:
        typer.echo(f"{row.source} {row.target}: nothing new, imported before: {counts_of(row)}")
    elif row.outcome != "failed":
        typer.echo(f"{row.source} {row.target}: {counts_of(row)}")
    if row.outcome != "failed" and row.rejected and not as_json:
        mine = (r for r in rejects(settings) if (r.source, r.target) == (row.source, row.target))
        _show_rejects(mine, row.rejected)
    leave(verdict([row]))


def replay(
    context: typer.Context,
    listing: Annotated[
        bool, typer.Option("--list", help="Only list the rejected items, with the reason of each.")
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--triage", help="Instead: let the next triage go through all mentions again."
        ),
    ] = False,
    window: WindowStart = None,
    as_json: AsJson = False,
) -> None:
    """Try rejected items again after a fix, or make the cases again after a change of rules.

    What people decided about a ticket is never overwritten.

    Examples: `outcry replay --list`, `outcry replay`, `outcry replay --triage && outcry triage`
    """
    from outcry import importing, pipeline

    session = session_of(context)
    settings = session.settings()
    if listing:
        for reject in importing.rejects(settings):
            if as_json:
                emit({"id": reject.id, **builtins_of(reject)})
            else:
                typer.echo(_reject_line(reject))
        return
    if again:
        with session.store(settings) as store:
            parts = pipeline.replay(settings, store, window=window_name(settings, window))
        if as_json:
            emit({"step": "replay", "parts": parts})
        else:
            typer.echo(f"the next 'outcry triage' goes through {parts} parts again")
        return
    done = importing.replay_rejects(settings, now=time_of(None))
    report("replay", done, as_json)
    if done.still_rejected:
        raise typer.Exit(exits.PARTIAL)


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for pair in given:
        field, equals, column = pair.partition("=")
        if not equals or not field or not column:
            raise InputError(f"--map {pair!r} is not FIELD=COLUMN; write it like text=body")
        pairs[field] = column
    return pairs


def _show_rejects(found: Iterable[Reject], total: int) -> None:
    for reject in islice(found, SHOWN_REJECTS):
        typer.echo(f"  {_reject_line(reject)}")
    more = f"{total - SHOWN_REJECTS} more; " if total > SHOWN_REJECTS else ""
    typer.echo(f"  {more}all: 'outcry replay --list'; after a fix: 'outcry replay'")


def _reject_line(reject: Reject) -> str:
    return f"{reject.where or reject.target}: {reject.error}"
