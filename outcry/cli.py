"""The command line: what there is, how it starts, and how it ends.

A thin skin over `outcry.pipeline` and `triage.outreach`. The commands import the heavy
rooms inside themselves, so that ``outcry --help`` answers at once.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from outcry import exits
from outcry.commands import (
    analysts,
    casework,
    desk,
    files,
    helpdesk,
    incidents,
    kibana,
    model,
    outreach,
    pipeline,
    privacy,
    setup,
    texts,
    upkeep,
    web,
)
from outcry.session import Session, note

EXAMPLES = """\
Hears public complaints about a brand and hands the contact centre a ranked list of people
to reach out to.

First steps:

    outcry demo                                  see it work on an invented brand
    outcry import posts.csv --preset canonical   bring your own posts
    outcry run                                   score them and make cases of them
    outcry queue                                 who to call first, and why
"""


class OutcryGroup(TyperGroup):
    """Turns every ending into one line on stderr and a documented exit code."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **extra: Any) -> Any:
        """Run, and leave by `SystemExit` with one of the codes of `outcry.exits`."""
        try:
            extra["standalone_mode"] = False
            result = super().main(args, *more, **extra)
            code = result if isinstance(result, int) else exits.DONE
        except Exception as error:  # noqa: BLE001 - no ending may show a traceback
            code = _explain(error, debug="--debug" in (args or sys.argv))
        if code == exits.INTERRUPTED:
            note("interrupted; what was done is kept, run again to go on")
        sys.exit(code)

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the words of the command; ``--help`` prints in here."""
        with _quiet_pipe():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        with _quiet_pipe():
            return super().invoke(ctx)


@contextmanager
def _quiet_pipe() -> Iterator[None]:
    """A reader that has gone (``| head``) ends the command without a word."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # rich turns the one into the other
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        raise typer.Exit(exits.PIPE_CLOSED) from None


app = typer.Typer(
    cls=OutcryGroup,
    name="outcry",
    help=EXAMPLES,
    epilog=exits.EPILOG,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"outcry {version('outcry-triage')}")
        raise typer.Exit


@app.callback()
def start(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the deployment: settings, files and embedded store.  "
            "(default: $OUTCRY_HOME, else the platform's data folder)",
            show_default=False,
        ),
    ] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Log more, and show the traceback of an error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options that come before the command."""
    logging.basicConfig(
        level=logging.INFO if debug else logging.WARNING,
        stream=sys.stderr,
        format="outcry: %(message)s",
    )
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit
    context.obj = Session(home=home.expanduser() if home else None)


setup.register(app)
files.register(app)
pipeline.register(app)
desk.register(app)
casework.register(app)
incidents.register(app)
helpdesk.register(app)
outreach.register(app)
privacy.register(app)
texts.register(app)
model.register(app)
upkeep.register(app)
analysts.register(app)
kibana.register(app)
web.register(app)


def main() -> None:
    """The console script's entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    app(prog_name="outcry")


def _explain(error: Exception, *, debug: bool) -> int:
    """Say in one line what went wrong, and choose the exit code."""
    if isinstance(error, typer.TyperException):
        message = error.format_message().rstrip(".")
        note(f"{message}{'' if message.endswith('?') else ';'} {_hint(error)}")
        return exits.WRONG
    if isinstance(error, typer.Abort):
        return exits.INTERRUPTED
    code = exits.code_of(error)
    if debug:
        traceback.print_exception(error)
    if code is None and not isinstance(error, OSError):
        note(
            f"unexpected {type(error).__name__}: {exits.in_one_line(error)}; "
            "run again as 'outcry --debug …' and report what it shows"
        )
        return exits.FAILED
    note(exits.in_one_line(error))
    return exits.FAILED if code is None else code


def _hint(error: typer.TyperException) -> str:
    option = getattr(error, "option_name", None)
    if option in ("--home", "--debug"):
        return f"it goes before the command, as in 'outcry {option} … COMMAND'"
    context = getattr(error, "ctx", None)
    return f"see '{context.command_path if context else 'outcry'} --help'"
