"""Commands of the people who reach out: queue, next, show, resolve."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from outcry.exits import InputError
from outcry.session import AsJson, AsOf, console, emit, note, session_of, time_of

if TYPE_CHECKING:
    from outcry.case import Case
    from outcry.settings import Settings
    from triage.life import Action
    from triage.ticket import Ticket

BY_HAND = "none"

Agent = Annotated[str, typer.Option("--agent", metavar="NAME", help="Who is working.")]
Departments = Annotated[
    list[str] | None,
    typer.Option(
        "--department",
        metavar="NAME",
        help="Only this department; once for each; 'none' is the lane sorted by hand.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(queue)
    app.command("next")(next_)
    for command in (show, resolve):
        app.command()(command)


def queue(
    context: typer.Context,
    department: Departments = None,
    limit: Annotated[int, typer.Option(min=1, help="How many tickets.")] = 20,
    as_of: AsOf = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, for a spreadsheet.")] = False,
) -> None:
    """Who to reach out to, best first.

    By priority, then the nearest deadline. Tickets that somebody holds are left out.

    Examples: `outcry queue --department billing`, `outcry queue --limit 500 --csv > today.csv`
    """
    from outcry import screen
    from triage import outreach
    from triage.store.base import QueueFilter
    from triage.ticket import WAITING

    if as_json and as_csv:
        raise InputError("--json and --csv exclude each other; choose one")
    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    wanted = QueueFilter(statuses=WAITING, departments=_lanes(department, settings), free_at=now)
    with session.store(settings, "queue") as store:
        rows = outreach.queue_rows(store, wanted, limit)
    if as_json:
        for row in rows:
            emit(row)
    elif as_csv:
        sys.stdout.write(outreach.as_csv(rows))
    elif rows:
        console().print(screen.queue_table(rows, now))
    else:
        typer.echo("Nobody is waiting. ('outcry import' or 'outcry listen', then 'outcry run')")


def next_(
    context: typer.Context,
    agent: Agent,
    department: Departments = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Claim the best ticket that nobody holds, and show the case.

    Two agents never get the same one. A claim that no contact follows runs out.

    Example: `outcry next --agent lindiwe --department billing`
    """
    from outcry import case
    from triage.dossier import Reader
    from triage.outreach import claim_next

    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    with session.store(settings, "next", agent) as store:
        lanes = _lanes(department, settings)
        ticket = claim_next(store, agent, now, settings.rules, lanes)
        if ticket is None:
            note("nobody is waiting")
            return
        reader = Reader(agent, f"next {ticket.ticket}", datetime.now(UTC))
        found = case.read(store, ticket, reader)
    _show(found, as_json)


def show(
    context: typer.Context,
    ticket: Annotated[str, typer.Argument(help="Ticket id, or the beginning of one.")],
    as_json: AsJson = False,
) -> None:
    """One case: the posts, who, the priority as a sum, the clock, and its history.

    Example: `outcry show T-4f7q`
    """
    from outcry import case
    from outcry.settings import operator_name
    from triage.dossier import Reader
    from triage.outreach import find

    session = session_of(context)
    settings = session.settings()
    with session.store(settings, f"show {ticket}") as store:
        reader = Reader(operator_name(), f"show {ticket}", datetime.now(UTC))
        found = case.read(store, find(store, ticket).ticket, reader)
    _show(found, as_json)


def resolve(
    context: typer.Context,
    ticket: Annotated[str, typer.Argument(help="Ticket id, or the beginning of one.")],
    outcome: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Helped: how it ended.")
    ] = None,
    dismiss: Annotated[str | None, typer.Option(metavar="TEXT", help="Nothing to do: why.")] = None,
    contacted: Annotated[
        bool, typer.Option("--contacted", help="Reached out: the clock of the first answer stops.")
    ] = False,
    agent: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who did it.  (default: who holds the ticket)"),
    ] = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Write down what became of a ticket. One that nobody holds is claimed on the way.

    Examples: `outcry resolve T-4f7q --contacted`

    `outcry resolve T-4f7q --outcome "refunded R899"`

    `outcry resolve T-4f7q --agent lindiwe --dismiss "not our customer"`
    """
    from triage.outreach import act, find, rows_of

    if (outcome and dismiss) or not (outcome or dismiss or contacted):
        raise InputError("say what happened: --contacted, --outcome TEXT or --dismiss TEXT")
    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    with session.store(settings, f"resolve {ticket}", agent) as store:
        found = find(store, ticket).ticket
        who = agent or found.handling.agent
        if who is None:
            raise InputError(f"nobody holds {found.ticket}; add --agent NAME to say who did it")
        for action, words in _moves(found, outcome, dismiss, contacted):
            found = act(store, found.ticket, action, who, now, settings.rules, words)
        (row,) = rows_of(store, [found])
    if as_json:
        emit(row)
    else:
        typer.echo(f"{found.ticket} is {found.status}")


def _moves(
    ticket: Ticket, outcome: str | None, dismiss: str | None, contacted: bool
) -> Iterator[tuple[Action, str]]:
    """What is to be done, in order."""
    if ticket.status in ("new", "reopened") and not dismiss:
        yield "claim", ""
    if contacted:
        yield "contact", ""
    if outcome:
        yield "resolve", outcome
    if dismiss:
        yield "dismiss", dismiss


def _show(found: Case, as_json: bool) -> None:
    from outcry import case

    if as_json:
        emit(case.as_object(found))
        return
    for line in case.in_words(found):
        typer.echo(line)


def _lanes(given: list[str] | None, settings: Settings) -> tuple[str | None, ...]:
    """Department names as the store knows them.

    Raises:
        InputError: if there is no such department.
    """
    known = [department.name for department in settings.rules.departments]
    for name in given or ():
        if name != BY_HAND and name not in known:
            raise InputError(f"no department {name!r}; there are {', '.join(known)}, {BY_HAND}")
    return tuple(None if name == BY_HAND else name for name in given or ())
