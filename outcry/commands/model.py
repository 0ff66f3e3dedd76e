"""Commands about the model in use: model list, compare, train, promote, rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outcry.session import AsJson, AsOf, emit, session_of, time_of

if TYPE_CHECKING:
    from models.contest import Contest

Name = Annotated[
    str | None,
    typer.Argument(metavar="CHALLENGER", help="A name of 'model list'.  (default: the newest)"),
]

group = typer.Typer(help="The model in use, and its challengers.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add these commands, below ``model``."""
    app.add_typer(group, name="model")


@group.command("list")
def names(context: typer.Context, as_json: AsJson = False) -> None:
    """The model in use, and the challengers that were trained here, the newest last.

    Example: `outcry model list`
    """
    champions = session_of(context).settings().champions
    in_use = champions.champion.name
    rows = [{"model": champions.shipped.name, "in_use": in_use == champions.shipped.name}]
    if as_json:
        for row in rows:
            emit({**row, "won": None, "why": []})
    else:
        typer.echo(f"{'*' if rows[0]['in_use'] else ' '} {champions.shipped.name}  as shipped")
    for name in champions.names():
        found = champions.contest(name)
        if as_json:
            emit({"model": name, "in_use": in_use == name, "won": found.won, "why": found.why})
        else:
            mark = "*" if in_use == name else " "
            typer.echo(f"{mark} {name}  {'won' if found.won else 'lost'}: {'; '.join(found.why)}")


@group.command()
def compare(context: typer.Context, name: Name = None, as_json: AsJson = False) -> None:
    """A challenger and the champion that it met, side by side.

    Example: `outcry model compare`
    """
    from models.contest import cards

    found = _contest(context, name)[1]
    if as_json:
        emit(found)
    else:
        typer.echo(cards(found), nl=False)


@group.command()
def train(context: typer.Context, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """Train a challenger on what agents decided, and compare it; nothing is put in use.

    Example: `outcry model train`
    """
    from outcry import retraining

    session = session_of(context)
    settings = session.settings()
    with session.store(settings) as store:
        done = retraining.challenge(settings, store, time_of(as_of))
    if as_json:
        emit(done)
    else:
        typer.echo(f"{done.challenger or 'nothing trained'}: {done.words}")


@group.command()
def promote(
    context: typer.Context,
    name: Name = None,
    lost_too: Annotated[bool, typer.Option("--lost-too", help="Although it has not won.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a challenger in the champion's place, from the next window on.

    Example: `outcry model promote baseline-en-own~3`
    """
    chosen, _ = _contest(context, name)
    champions = session_of(context).settings().champions
    champions.promote(chosen, lost_too=lost_too)
    _say(champions.champion.name, as_json)


@group.command()
def rollback(context: typer.Context, as_json: AsJson = False) -> None:
    """Put the model back that was in use before, from the next window on.

    Example: `outcry model rollback`
    """
    _say(session_of(context).settings().champions.rollback().name, as_json)


def _say(in_use: str, as_json: bool) -> None:
    if as_json:
        emit({"in_use": in_use})
    else:
        typer.echo(f"in use from now on: {in_use}")


def _contest(context: typer.Context, name: str | None) -> tuple[str, Contest]:
    champions = session_of(context).settings().champions
    chosen = name or next(reversed(champions.names()), "the newest")
    return chosen, champions.contest(chosen)
