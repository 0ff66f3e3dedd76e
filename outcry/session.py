"""What one call of the command line works with, and what it writes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outcry.exits import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from outcry.settings import Settings
    from outcry.windows import Window
    from triage.store.base import Store

Progress = Callable[[str, int, int], None]

AsJson = Annotated[
    bool, typer.Option("--json", help="One JSON object a line on stdout; all else on stderr.")
]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Work as if it were this time, for example 2026-11-20T12:00+02:00.  (default: now)",
        show_default=False,
    ),
]
WindowStart = Annotated[
    str | None,
    typer.Option("--window", metavar="TIME", help="Start of the window.", show_default=False),
]


class Session:
    """The deployment that a call is about; settings are read when first asked for."""

    def __init__(self, home: Path | None) -> None:
        self.home = home

    def settings(self) -> Settings:
        """The deployment's settings.

        Raises:
            SettingsError: if they cannot be used.
        """
        from outcry.settings import load_settings

        return load_settings(self.home)

    @contextmanager
    def store(
        self, settings: Settings, reason: str | None = None, by: str | None = None
    ) -> Iterator[Store]:
        """The store, closed at the end.

        ``reason`` is why a person reads who somebody is, ``by`` is that person: each such read
        is logged. Without a reason it is the pipeline that reads.
        """
        from outcry.settings import operator_name
        from triage.vault import watched

        store = settings.open_store()
        try:
            if reason is None:
                yield store
            else:
                yield watched(store, by or operator_name(), reason, datetime.now(UTC))
        finally:
            store.close()


def session_of(context: typer.Context) -> Session:
    """The session that the start of the command line made."""
    found: Session = context.ensure_object(Session)
    return found


def time_of(given: str | None, option: str = "--as-of") -> datetime:
    """The instant of an option, in UTC; now where it is not given.

    Raises:
        InputError: if it is no time, or has no zone.
    """
    if given is None:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise InputError(
            f"{option} {given!r} is not a time; write it like 2026-11-20T12:00+02:00"
        ) from None
    if at.tzinfo is None:
        raise InputError(f"{option} {given!r} has no time zone; add one, as in {given}Z")
    return at.astimezone(UTC)


def window_at(settings: Settings, given: str | None) -> Window | None:
    """The window that starts at the time given, or None where none is.

    Raises:
        InputError: if no window starts at that time.
    """
    from outcry.windows import window_of

    if given is None:
        return None
    at = time_of(given, "--window")
    window = window_of(at, settings.listen.every_minutes)
    if window.start != at:
        raise InputError(
            f"--window {given!r}: no window starts then; "
            f"the one around it starts at {window.start.isoformat()}"
        )
    return window


def window_name(settings: Settings, given: str | None) -> str | None:
    """How the landing zone calls the window of `window_at`; None for all of them."""
    window = window_at(settings, given)
    return window.name if window else None


def emit(row: Any) -> None:
    """One JSON object as one line on stdout, its keys in their order."""
    import msgspec

    sys.stdout.write(msgspec.json.encode(row).decode() + "\n")


def note(line: str) -> None:
    """One line for people, on stderr."""
    typer.echo(f"outcry: {line}", err=True)


def console(*, stderr: bool = False) -> Console:
    """Where people read: as wide as the terminal, or 100 columns where there is none."""
    from shutil import get_terminal_size

    from rich.console import Console

    return Console(stderr=stderr, width=get_terminal_size((100, 24)).columns, highlight=False)


@contextmanager
def progress() -> Iterator[Progress]:
    """Bars on stderr while it is a terminal, silence otherwise."""
    if not sys.stderr.isatty():
        yield lambda what, done, total: None
        return
    from rich.progress import Progress as Bars

    with Bars(console=console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=None)
            bars.update(tasks[what], completed=done, total=total or None)

        yield show
