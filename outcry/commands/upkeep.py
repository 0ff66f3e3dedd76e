"""Commands of upkeep: coverage, reconcile, digest, recheck, purge, webhook."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from outcry.commands.report import counts_of, emit_step, leave, report, verdict
from outcry.exits import DONE, LATER, PARTIAL, InputError
from outcry.session import AsJson, AsOf, console, emit, note, session_of, time_of

if TYPE_CHECKING:
    from listeners.coverage import Line


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (coverage, reconcile, digest, recheck, purge, webhook):
        app.command()(command)


def coverage(
    context: typer.Context,
    day: Annotated[
        str | None, typer.Option(metavar="2026-11-20", help="One day, UTC.  (default: today)")
    ] = None,
    month: Annotated[
        str | None, typer.Option(metavar="2026-11", help="One month, UTC, a line for each day.")
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """What was asked and heard of each target, what is missing, who fell silent, what was spent.

    Examples: `outcry coverage`, `outcry coverage --month 2026-11 --json`
    """
    from listeners import coverage as books
    from listeners.spending import spending
    from outcry.budgets import holders_of
    from outcry.screen import coverage_table, spending_table

    if day and month:
        raise InputError("--day and --month exclude each other; choose one")
    unit: Literal["day", "month"] = "month" if month else "day"
    now = time_of(as_of)
    period = month or day or f"{now:%Y-%m-%d}"
    if not re.fullmatch(r"\d{4}-\d\d" if month else r"\d{4}-\d\d-\d\d", period):
        raise InputError(f"--{unit} {period!r} is none; write it like 2026-11{'-20' * (not month)}")
    settings = session_of(context).settings()
    landing = settings.landing
    lines: list[Line] = books.coverage(landing, unit, period, by="day")
    spent = spending(landing, unit, period, holders_of(settings), now)
    alerts = books.silences(landing, now)
    if as_json:
        for line in lines:
            emit_step("coverage", line)
        for one in spent:
            emit_step("spent", one)
        for alert in alerts:
            emit_step("alert", alert)
        return
    if lines:
        console().print(coverage_table(lines))
    else:
        typer.echo(f"Nothing was asked in {period}. ('outcry listen' asks, --month sees more)")
    if spent:
        console().print()
        console().print(spending_table(spent))
    for line in lines:
        for reason in line.missing:
            typer.echo(f"missing  {line.source}/{line.target} {line.period}: {reason}")
    for alert in alerts:
        typer.echo(f"ALERT    {alert.source}/{alert.target} since {alert.since}: {alert.words}")


def reconcile(
    context: typer.Context,
    days: Annotated[float, typer.Option(min=0, help="How far back to compare what was heard.")] = 7,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Compare what the ledger counts with what the landing zone and the store hold.

    Ends with 3 where they differ; each line says which step mends it.

    Example: `outcry reconcile --days 30`
    """
    from outcry import reconcile as books

    session = session_of(context)
    settings = session.settings()
    since = time_of(as_of) - timedelta(days=days)
    records = windows = different = 0
    with session.store(settings) as store:
        for balance in books.reconcile(settings, store, since):
            windows += 1
            records += balance.counted
            if as_json:
                emit_step("reconcile", balance)
            if balance.difference is not None:
                different += 1
                if not as_json:
                    typer.echo(f"{balance.source} {balance.window}: {balance.difference}")
    if not as_json:
        typer.echo(f"{records} records in {windows} windows; {different or 'none'} differ")
    leave(PARTIAL if different else DONE)


def digest(
    context: typer.Context,
    send: Annotated[
        bool, typer.Option("--send", help="Tell those of [alerts], too; once a day.")
    ] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Yesterday in a few lines: what came, what waits, which source is in trouble.

    Examples: `outcry digest`, `outcry digest --send`
    """
    from outcry import digest as daily
    from outcry.upkeep import watch_silences

    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    with session.store(settings) as store:
        found = daily.digest(settings, store, now)
        told = daily.send(settings, store, found, now) if send else None
        if send:
            watch_silences(settings, store, now)
    if as_json:
        emit_step("digest", found)
    else:
        typer.echo("\n".join(found.lines))
    for line in told.errors if told else ():
        note(f"{line}; the digest waits and is sent by the next run")
    leave(LATER if told and told.errors else DONE)


def recheck(context: typer.Context, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Ask networks that do not tell by themselves what became of recent posts.

    What is gone becomes a deletion that the next score and triage work in.

    Example: `outcry recheck`
    """
    from outcry import pipeline
    from outcry.windows import window_of

    settings = session_of(context).settings()
    now = time_of(as_of)
    rows = pipeline.recheck(settings, window_of(now, settings.listen.every_minutes), now)
    for row in rows:
        if as_json:
            emit_step("recheck", row)
        else:
            typer.echo(f"{row.source} {row.target} {row.window}: {row.outcome}, {counts_of(row)}")
    if not rows and not as_json:
        note("no target's network is asked again; nothing to do")
    leave(verdict(rows))


def purge(context: typer.Context, as_json: AsJson = False) -> None:
    """Take posts that were deleted out of the landing zone; a tombstone stays.

    Example: `outcry purge`
    """
    from listeners.purge import purge as purge_landing

    report("purge", purge_landing(session_of(context).settings().landing), as_json)


def webhook(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8081,
    as_json: AsJson = False,
) -> None:
    """Take posts over HTTP: POST /v1/import/CHANNEL, signed with OUTCRY_WEBHOOK_SECRET.

    Runs until it is stopped. Put TLS in front of it.

    Example: `outcry webhook --port 8081`
    """
    from outcry.webhook.serve import serve

    settings = session_of(context).settings()

    def ready(address: str) -> None:
        if as_json:
            emit({"step": "webhook", "address": address})
        else:
            note(f"listening on {address}; stop it with Ctrl-C")

    serve(settings, host, port, ready)
