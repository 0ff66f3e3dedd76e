"""Commands of the web desk: desk, and who may sign in there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from outcry.exits import InputError
from outcry.session import AsJson, emit, note, session_of, time_of

if TYPE_CHECKING:
    from desk.rights import Role

Name = Annotated[str, typer.Argument(metavar="NAME", help="What they are called at the desk.")]

desk = typer.Typer(name="desk", invoke_without_command=True, no_args_is_help=False)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(desk)


@desk.callback()
def serve(
    context: typer.Context,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on.  (default: the settings')")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one.  (default: the settings')")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """The web desk: the queue, cases, incidents and customers in a browser, and an API.

    Runs until it is stopped, on this machine alone until it is told otherwise, and then only if
    there are accounts. Put TLS in front of it.

    Examples: `outcry desk add-user lindiwe --role agent`, `outcry desk --port 8321`
    """
    if context.invoked_subcommand is not None:
        return
    from outcry import front

    settings = session_of(context).settings()

    def ready(address: str) -> None:
        if as_json:
            emit({"step": "desk", "address": address})
            sys.stdout.flush()
        else:
            note(f"the desk is at {address}; stop it with Ctrl-C")

    front.serve(
        settings,
        settings.desk.host if host is None else host,
        settings.desk.port if port is None else port,
        ready,
    )


@desk.command("add-user")
def add_user(
    context: typer.Context,
    name: Name,
    role: Annotated[
        list[str],
        typer.Option(metavar="ROLE", help="agent, lead, analyst, operator, privacy; repeatable."),
    ],
    as_json: AsJson = False,
) -> None:
    """Add somebody who may sign in, or give them new roles and a new password.

    Asks for the password; without a terminal it is the first line of stdin.

    Example: `outcry desk add-user lindiwe --role agent --role lead`
    """
    from desk import accounts

    password = _password()
    session = session_of(context)
    settings = session.settings()
    roles: tuple[Role, ...] = tuple(dict.fromkeys(role))  # type: ignore[arg-type]
    with session.store(settings) as store:
        user = accounts.add_user(store, name, roles, password, time_of(None))
    if as_json:
        emit({"name": user.name, "roles": user.roles})
    else:
        typer.echo(f"{user.name} may sign in as {', '.join(user.roles)}")


@desk.command("users")
def users(context: typer.Context, as_json: AsJson = False) -> None:
    """Who may sign in, and as what.

    Example: `outcry desk users`
    """
    from desk import accounts

    session = session_of(context)
    settings = session.settings()
    with session.store(settings) as store:
        found = accounts.users(store)
    for user in found:
        if as_json:
            emit({"name": user.name, "roles": user.roles, "active": user.active})
        else:
            off = "" if user.active else "  (switched off)"
            typer.echo(f"{user.name}  {', '.join(user.roles)}{off}")
    if not found and not as_json:
        typer.echo("Nobody. ('outcry desk add-user NAME --role agent' adds somebody)")


@desk.command("remove-user")
def remove_user(context: typer.Context, name: Name) -> None:
    """Switch an account off; its sessions and tokens end within seconds, its history stays.

    Example: `outcry desk remove-user lindiwe`
    """
    from desk import accounts

    session = session_of(context)
    settings = session.settings()
    with session.store(settings) as store:
        user = accounts.switch_off(store, accounts.checked_name(name), time_of(None))
    typer.echo(f"{user.name} may not sign in any more")


@desk.command("token")
def token(
    context: typer.Context,
    owner: Annotated[str, typer.Argument(metavar="NAME", help="Whose token it is.")],
    scope: Annotated[
        list[str], typer.Option(metavar="SCOPE", help="What it may do; once for each.")
    ],
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="What it is for.")] = "token",
    days: Annotated[float, typer.Option(help="How long it is good.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Make a token for a program that uses the API; it is shown this once.

    Example: `outcry desk token lindiwe --scope queue.read --name "wallboard"`
    """
    from desk import tokens

    session = session_of(context)
    settings = session.settings()
    with session.store(settings) as store:
        made, words = tokens.make_token(store, owner, name, scope, time_of(None), days)
    if as_json:
        emit({"id": made.id, "token": words, "scopes": made.scopes, "until": made.until})
    else:
        typer.echo(words)


def _password() -> str:
    if sys.stdin.isatty():
        password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        return password
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise InputError("there is no password: write it as the first line of stdin")
    return line
