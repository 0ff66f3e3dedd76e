"""Commands of the operator: demo, init, check, doctor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from outcry import exits
from outcry.exits import InputError
from outcry.session import AsJson, AsOf, console, emit, session_of, time_of

if TYPE_CHECKING:
    from outcry.checks import Check


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (demo, init, check, doctor):
        app.command()(command)


def demo(context: typer.Context, as_json: AsJson = False) -> None:
    """See it work: an invented brand, a stream of posts, the list of people to call first.

    Runs the real pipeline in a new temporary folder, or in the one of --home. No account,
    no key, no server.

    Examples: `outcry demo`, `outcry --home /tmp/kestrelline demo`
    """
    from outcry.demo import run_demo
    from outcry.demo.screen import as_objects
    from outcry.demo.screen import show as show_demo

    found = run_demo(session_of(context).home)
    if as_json:
        for row in as_objects(found):
            emit(row)
    else:
        show_demo(found, console())


def init(
    context: typer.Context,
    force: Annotated[
        bool, typer.Option("--force", help="Overwrite the settings that are there.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a commented outcry.toml with the defaults into the deployment's folder.

    Example: `outcry --home ./kestrelline init`
    """
    from outcry.home import home_folder
    from outcry.template import settings_text

    home = session_of(context).home or home_folder()
    file = home / "outcry.toml"
    try:
        home.mkdir(parents=True, exist_ok=True)
        with file.open("w" if force else "x", encoding="utf-8") as out:
            out.write(settings_text())
    except FileExistsError:
        raise InputError(f"{file} is there already; --force overwrites it") from None
    if as_json:
        emit({"written": str(file)})
    else:
        typer.echo(f"{file} written; edit [brand] and add [[targets]], then 'outcry check'")


def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Whether a run can start: settings, folder, model, store, credentials. Nothing is posted.

    Each credential is tried by a call that only reads, and what it may do is said.

    Example: `outcry check`
    """
    from outcry.checks import ready

    _report(ready(session_of(context).settings(), time_of(None)), as_json)


def doctor(context: typer.Context, as_of: AsOf = None, as_json: AsJson = False) -> None:
    """How the deployment is: versions, space, what is stored, what waits, what is missing.

    Example: `outcry doctor`
    """
    from outcry.checks import health

    _report(health(session_of(context).settings(), time_of(as_of)), as_json)


def _report(found: Iterable[Check], as_json: bool) -> None:
    from rich.text import Text

    from outcry.screen import CHECK_STYLES

    show = console()
    failed = False
    for one in found:
        failed = failed or one.status == "fail"
        if as_json:
            emit(one)
        else:
            mark = (f"{one.status:4}", CHECK_STYLES[one.status])
            show.print(Text.assemble(mark, f"  {one.name}: {one.detail}"), soft_wrap=True)
    if failed:
        raise typer.Exit(exits.FAILED)
