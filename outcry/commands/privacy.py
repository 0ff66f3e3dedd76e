"""Commands about privacy: forget, vault, retention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outcry import exits
from outcry.commands.report import leave, report
from outcry.session import AsJson, AsOf, emit, note, session_of, time_of

if TYPE_CHECKING:
    from outcry.forgetting import Forgotten


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (forget, vault, retention):
        app.command()(command)


def forget(
    context: typer.Context,
    who: Annotated[
        str, typer.Argument(metavar="ACCOUNT", help="source:handle, or the id of a ticket.")
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for the record.")],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who does it.")] = "",
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Erase one person everywhere, and show each place that was searched for what is left.

    Posts, reposts of them, cases, history, the vault and the landing zone. A tombstone that
    names nobody keeps replays and new posts from bringing them back. Ends with 3 if something
    is left in a file that is not ours to change.

    Example: `outcry forget mastodon:thandeka_m --reason "asked by mail on 3 March"`
    """
    from outcry import forgetting
    from outcry.settings import operator_name

    session = session_of(context)
    settings = session.settings()
    who_does = by or operator_name()
    with session.store(settings, f"forget: {reason}", who_does) as store:
        done = forgetting.forget(
            settings, store, who, by=who_does, reason=reason, now=time_of(as_of)
        )
    _print(done, as_json)
    leave(exits.PARTIAL if done.found else exits.DONE)


def _print(done: Forgotten, as_json: bool) -> None:
    if as_json:
        emit(done)
        return
    typer.echo(
        f"forgotten: {done.accounts} accounts, {done.mentions} mentions, {done.tickets} cases; "
        f"{done.files} files written anew"
    )
    for place in done.places:
        typer.echo(f"  {place.found:>6} bytes in {place.searched:>6} of {place.place}")
        if place.note:
            note(f"{place.place} still holds {place.found} bytes; {place.note}")
    typer.echo(f"  {done.found:>6} bytes left")


def vault(
    context: typer.Context,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Not before this.")] = None,
    as_json: AsJson = False,
) -> None:
    """Who has read who somebody is, when and why.

    Example: `outcry vault --since 2026-11-20T00:00Z`
    """
    from triage.vault import reads

    session = session_of(context)
    settings = session.settings()
    start = time_of(since, "--since") if since else None
    with session.store(settings) as store:
        found = list(reads(store, start))
    for read in found:
        if as_json:
            emit(read)
        else:
            count = len(read.customers)
            people = "1 person" if count == 1 else f"{count} people"
            typer.echo(f"{read.at:%Y-%m-%d %H:%M:%S}  {read.by}: {people}, {read.reason}")
    if not found and not as_json:
        typer.echo("Nobody has read it.")


def retention(context: typer.Context, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Remove what was said longer ago than the settings keep it, source by source.

    Example: `outcry retention`
    """
    from outcry.retention import retain

    session = session_of(context)
    settings = session.settings()
    if not settings.retention:
        note("[retention] of the settings names no source: everything is kept")
        return
    with session.store(settings) as store:
        done = retain(settings, store, time_of(as_of))
    report("retention", done, as_json)
