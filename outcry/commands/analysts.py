"""Commands of analysts: report, search, themes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outcry.exits import InputError
from outcry.session import AsJson, AsOf, emit, note, session_of, time_of

if TYPE_CHECKING:
    from insight.scope import Scope
    from outcry.settings import Settings
    from triage.store.base import Store

PACKAGES = ("altair", "jinja2", "pandas", "pyarrow", "sklearn", "vl_convert")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(report)


@contextmanager
def extra() -> Iterator[None]:
    """Say which extra is missing, where it is."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES:
            raise
        raise InputError(
            f"{error.name} is missing; run: pip install 'outcry-triage[analysts]'"
        ) from None


def report(
    context: typer.Context,
    week: Annotated[
        bool, typer.Option("--week", help="The seven days before now.  (default)")
    ] = False,
    month: Annotated[bool, typer.Option("--month", help="The 28 days before now.")] = False,
    incident: Annotated[
        str | None, typer.Option(metavar="ID", help="One incident, from its first post on.")
    ] = None,
    department: Annotated[
        str | None, typer.Option(metavar="NAME", help="One department alone.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Where to.  (default: report.html)"),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """What people are unhappy about, and whether we keep up: one page for a manager to forward.

    One HTML file that needs no network. With --json the numbers of it instead, a table a line.

    Examples: `outcry report --week --out week.html`, `outcry report --month --department billing`
    """
    if sum((week, month, incident is not None)) > 1:
        raise InputError("--week, --month and --incident exclude each other; choose one")
    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    with extra(), session.store(settings) as store:
        from insight.figures import figures, tables_of
        from insight.frames import Frames
        from insight.report import page

        scope = _scope(settings, store, now, month, incident, department)
        found = figures(Frames(store), scope, settings.products)
        if as_json:
            for name, rows in tables_of(found):
                emit({"table": name, "rows": rows})
            return
        made = page(found, now)
    file = out or Path("report.html")
    file.write_text(made, encoding="utf-8")
    note(f"{file}: {scope.title}, {len(made) // 1000} kB")


def _scope(
    settings: Settings,
    store: Store,
    now: datetime,
    month: bool,
    incident: str | None,
    department: str | None,
) -> Scope:
    """What the report is about.

    Raises:
        InputError: if there is no such department.
        NoSuchTicket: if there is no such incident.
    """
    from insight.scope import MONTH, SORTED_BY_HAND, WEEK, Scope
    from triage.incidents import find_incident

    brand = settings.brand.name or "All brands"
    if department is not None:
        known = [*(one.name for one in settings.rules.departments), SORTED_BY_HAND]
        if department not in known:
            raise InputError(f"no department {department!r}; there are {', '.join(known)}")
    of = f", {department}" if department else ""
    if incident is not None:
        found, _ = find_incident(store, incident)
        title = f"{brand}{of}: {found.note or found.title}"
        return Scope(title, found.first_at, now, department, found.incident)
    length, name = (MONTH, "four weeks") if month else (WEEK, "week")
    return Scope(f"{brand}{of}: the {name} to {now:%-d %B %Y}", now - length, now, department)
