"""Commands that move mentions: listen, score, triage, run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from outcry import exits
from outcry.commands.report import counts_of, emit_step, leave, report, verdict
from outcry.exits import InputError
from outcry.session import (
    AsJson,
    AsOf,
    Session,
    WindowStart,
    note,
    progress,
    session_of,
    time_of,
    window_at,
    window_name,
)

if TYPE_CHECKING:
    from listeners.ledger import LedgerRow
    from outcry.scoring import Scored
    from outcry.settings import Settings
    from outcry.storing import Triaged


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (listen, score, triage, run):
        app.command()(command)


def listen(
    context: typer.Context,
    window: WindowStart = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Collect every target of the settings into the landing zone, for one window.

    Without --window: the one that just closed. A target that fails stops no other.

    Example: `outcry listen --window 2026-11-20T12:00Z`
    """
    settings = session_of(context).settings()
    rows = _listen(settings, window, time_of(as_of), as_json)
    leave(verdict(rows))


def score(context: typer.Context, window: WindowStart = None, as_json: AsJson = False) -> None:
    """Read every new mention: language, sentiment, complaint, cues, personal data.

    Without --window: everything that waits.

    Example: `outcry score`
    """
    settings = session_of(context).settings()
    _score(settings, window_name(settings, window), as_json)


def triage(
    context: typer.Context,
    window: WindowStart = None,
    score_too: Annotated[
        bool, typer.Option("--score", help="Score what waits, and store it meanwhile.")
    ] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Make cases of the scored mentions, rank and route them, set their clocks.

    Without --window: everything that waits.

    Examples: `outcry triage`, `outcry triage --score`
    """
    session = session_of(context)
    settings = session.settings()
    chosen = window_name(settings, window)
    work = _catch_up if score_too else _triage
    leave(work(session, settings, chosen, time_of(as_of), as_json))


def run(
    context: typer.Context,
    window: WindowStart = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Listen, score, triage and look for incidents, one after the other.

    Without --window: listens to the window that just closed, scores and triages all that
    waits. Needs no settings after an import.

    Example: `outcry import posts.csv --preset canonical && outcry run`
    """
    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    rows = _listen(settings, window, now, as_json) if settings.targets else []
    chosen = window_name(settings, window)
    code = _catch_up(session, settings, chosen, now, as_json)
    _incidents(session, settings, now, as_json)
    if not as_json:
        typer.echo("next: 'outcry queue' shows who to call first")
    leave(verdict(rows) or code)


def _listen(settings: Settings, given: str | None, now: datetime, as_json: bool) -> list[LedgerRow]:
    from datetime import timedelta

    from outcry import pipeline
    from outcry.windows import window_of

    if not settings.targets:
        raise InputError(
            f"no targets in {settings.home / 'outcry.toml'}; "
            "add a [[targets]] table ('outcry init' writes an example), or import a file"
        )
    step = settings.listen.every_minutes
    window = window_at(settings, given) or window_of(now - timedelta(minutes=step), step)
    with progress() as show:
        rows = pipeline.listen(settings, window, now, show)
    for row in rows:
        if as_json:
            emit_step("listen", row)
        else:
            typer.echo(f"{row.source} {row.target} {row.window}: {row.outcome}, {counts_of(row)}")
        for gap in row.gaps:
            note(f"{row.source} {row.target}: known gap: {gap}")
    return rows


def _score(settings: Settings, window: str | None, as_json: bool) -> Scored:
    from outcry import pipeline

    with progress() as show:
        scored = pipeline.score(settings, window=window, progress=show)
    report("score", scored, as_json)
    return scored


def _triage(
    session: Session, settings: Settings, window: str | None, now: datetime, as_json: bool
) -> int:
    from outcry import pipeline

    with session.store(settings) as store, progress() as show:
        triaged = pipeline.triage(settings, store, window=window, now=now, progress=show)
    return _say(triaged, as_json)


def _catch_up(
    session: Session, settings: Settings, window: str | None, now: datetime, as_json: bool
) -> int:
    from outcry import pipeline

    with session.store(settings) as store, progress() as show:
        scored, triaged = pipeline.catch_up(settings, store, window=window, now=now, progress=show)
    report("score", scored, as_json)
    return _say(triaged, as_json)


def _say(triaged: Triaged, as_json: bool) -> int:
    report("triage", triaged, as_json)
    if triaged.refused:
        note(f"the store refused {triaged.refused} documents; 'outcry doctor' says more")
        return exits.PARTIAL
    return exits.DONE


def _incidents(session: Session, settings: Settings, now: datetime, as_json: bool) -> None:
    from outcry import pipeline

    with session.store(settings) as store:
        found = pipeline.incidents(settings, store, now=now)
    report("incidents", found, as_json)
    for line in found.errors:
        note(f"{line}; the alert waits and is sent again by the next run")
