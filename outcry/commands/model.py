"""Commands about the model in use: model list, compare, train, promote, rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outcry.session import AsJson, AsOf, emit, session_of, time_of

if TYPE_CHECKING:
    from outcry.champions import Champions, Routers

Name = Annotated[
    str | None,
    typer.Argument(metavar="CHALLENGER", help="A name of 'model list'.  (default: the newest)"),
]
Routing = Annotated[
    bool, typer.Option("--routing", help="Not what reads, but what sends cases to departments.")
]

group = typer.Typer(help="The model in use, and its challengers.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands, below ``model``."""
    app.add_typer(group, name="model")


@group.command("list")
def names(context: typer.Context, routing: Routing = False, as_json: AsJson = False) -> None:
    """The model in use, and the challengers that were trained here, the newest last.

    Examples: `outcry model list`, `outcry model list --routing`
    """
    line = _line(context, routing)
    in_use = line.in_use
    if as_json:
        emit({"model": line.first, "in_use": in_use == line.first, "won": None, "why": []})
    else:
        words = "by the settings' examples and phrases" if routing else "as shipped"
        typer.echo(f"{'*' if in_use == line.first else ' '} {line.first}  {words}")
    for name in line.names():
        found = line.contest(name)
        if as_json:
            emit({"model": name, "in_use": in_use == name, "won": found.won, "why": found.why})
        else:
            mark = "*" if in_use == name else " "
            typer.echo(f"{mark} {name}  {'won' if found.won else 'lost'}: {'; '.join(found.why)}")


@group.command()
def compare(
    context: typer.Context, name: Name = None, routing: Routing = False, as_json: AsJson = False
) -> None:
    """A challenger and the champion that it met, side by side.

    Examples: `outcry model compare`, `outcry model compare --routing`
    """
    line = _line(context, routing)
    chosen = _chosen(line, name)
    found = line.contest(chosen)
    if as_json:
        emit(found)
    else:
        typer.echo((line.folder / chosen / "cards.md").read_text("utf-8"), nl=False)


@group.command()
def train(
    context: typer.Context,
    routing: Routing = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Train a challenger on what agents decided, and compare it; nothing is put in use.

    Examples: `outcry model train`, `outcry model train --routing`
    """
    from outcry import rerouting, retraining

    session = session_of(context)
    settings = session.settings()
    with session.store(settings) as store:
        challenge = rerouting.challenge if routing else retraining.challenge
        done = challenge(settings, store, time_of(as_of))
    if as_json:
        emit(done)
    else:
        typer.echo(f"{done.challenger or 'nothing trained'}: {done.words}")


@group.command()
def promote(
    context: typer.Context,
    name: Name = None,
    lost_too: Annotated[bool, typer.Option("--lost-too", help="Although it has not won.")] = False,
    routing: Routing = False,
    as_json: AsJson = False,
) -> None:
    """Put a challenger in the champion's place, from the next window on.

    Examples: `outcry model promote baseline-en-own~3`, `outcry model promote --routing`
    """
    line = _line(context, routing)
    line.promote(_chosen(line, name), lost_too=lost_too)
    _say(line.in_use, as_json)


@group.command()
def rollback(context: typer.Context, routing: Routing = False, as_json: AsJson = False) -> None:
    """Put the model back that was in use before, from the next window on.

    Examples: `outcry model rollback`, `outcry model rollback --routing`
    """
    _say(_line(context, routing).rollback(), as_json)


def _say(in_use: str, as_json: bool) -> None:
    if as_json:
        emit({"in_use": in_use})
    else:
        typer.echo(f"in use from now on: {in_use}")


def _line(context: typer.Context, routing: bool) -> Champions | Routers:
    settings = session_of(context).settings()
    return settings.routers if routing else settings.champions


def _chosen(line: Champions | Routers, name: str | None) -> str:
    return name or next(reversed(line.names()), "the newest")
