"""The command that keeps a help desk and us in step."""

from __future__ import annotations

from typing import Annotated

import typer

from outcry import exits
from outcry.commands.report import leave, report
from outcry.session import AsJson, AsOf, note, session_of, time_of


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(helpdesk)


def helpdesk(
    context: typer.Context,
    department: Annotated[
        list[str] | None, typer.Option("--department", metavar="NAME", help="Push only these.")
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Push open tickets to the help desk of the settings, and pull the outcomes of closed ones.

    What does not get through waits in a queue and goes with the next run; each ticket once.
    Tags of the help desk say how it ended: outcry-no-answer, outcry-wrong-person,
    outcry-not-a-complaint, outcry-already-solved.

    Example: `outcry helpdesk --department billing`
    """
    from outcry import helpdesks

    session = session_of(context)
    settings = session.settings()
    desk = helpdesks.adapter(settings.helpdesk)
    now = time_of(as_of)
    with session.store(settings) as store:
        pushed = helpdesks.push(store, desk, now, tuple(department or ()))
        pulled = helpdesks.pull(store, desk, settings.rules, now)
    report("push", pushed, as_json)
    report("pull", pulled, as_json)
    for line in dict.fromkeys((*pushed.errors, *pulled.errors)):
        note(line)
    if pushed.failed:
        leave(exits.FAILED)
    leave(exits.LATER if pushed.errors or pulled.errors else exits.DONE)
