"""Commands about reaching out: worklist, outcome, optout, labels, tone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from outcry import exits
from outcry.commands.report import leave
from outcry.exits import InputError
from outcry.session import AsJson, AsOf, console, emit, note, session_of, time_of

if TYPE_CHECKING:
    from outcry.settings import Settings

By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (worklist, shift, outcome, optout, labels, tone):
        app.command()(command)


def worklist(
    context: typer.Context,
    department: Annotated[
        list[str] | None, typer.Option("--department", metavar="NAME", help="Only this one.")
    ] = None,
    agent: Annotated[
        list[str] | None,
        typer.Option("--agent", metavar="NAME", help="Who works; once for each."),
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="Contacts that one agent can make.")] = 20,
    template: Annotated[
        str | None, typer.Option(metavar="NAME", help="A reply to start from.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write one CSV for each agent there.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, for a dialler.")] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Who to contact in this shift, in order, each customer once; and who not, and why.

    Examples: `outcry worklist --department billing --agent ann --agent thabo --each 25`

    `outcry worklist --agent ann --folder assignments`
    """
    from outcry import screen
    from triage import worklists
    from triage.tables import csv_of

    if as_json and as_csv:
        raise InputError("--json and --csv exclude each other; choose one")
    session = session_of(context)
    settings = session.settings()
    shift = worklists.Shift(
        agents=tuple(agent or ()),
        departments=tuple(None if name == "none" else name for name in department or ()),
        each=each,
    )
    with session.store(settings, "worklist") as store:
        made = worklists.worklist(store, shift, settings.contact, time_of(as_of))
        rows = worklists.rows(store, made, _reply(settings, template))
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        for name in shift.agents or ("everybody",):
            own = [list(row.values()) for row in rows if row["agent"] in (name, None)]
            file = folder / f"{''.join(c if c.isalnum() else '-' for c in name)}.csv"
            file.write_text(csv_of(own, worklists.COLUMNS), encoding="utf-8", newline="")
            note(f"{len(own)} contacts in {file}")
    elif as_csv:
        sys.stdout.write(csv_of([list(row.values()) for row in rows], worklists.COLUMNS))
    elif as_json:
        for row in rows:
            emit(row)
    else:
        console().print(screen.worklist_table(rows))
    for one in made.left_out:
        note(f"left out {one.ticket} on {one.source}: {one.why}")


def shift(
    context: typer.Context,
    department: Annotated[
        list[str] | None, typer.Option("--department", metavar="NAME", help="Only this one.")
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="ADDRESS", help="Mail it there; once for each."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="How many cases.")] = 10,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """What a shift begins with: what waits, what is overdue, whom to reach out to first.

    With --to it is mailed by the server of [alerts], once in an hour to the same people.

    Example: `outcry shift --department billing --to billing@example.com`
    """
    from outcry import shift as shifts

    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    lanes = tuple(None if name == "none" else name for name in department or ())
    with session.store(settings) as store:
        found = shifts.shift(settings, store, lanes, now, limit)
        told = shifts.send(settings, store, found, to, now) if to else None
    if as_json:
        emit(found)
    else:
        typer.echo("\n".join(shifts.lines(found, settings.desk.url)))
    for line in told.errors if told else ():
        note(f"{line}; the mail waits and is sent by the next call")
    leave(exits.LATER if told and told.errors else exits.DONE)


def _reply(settings: Settings, name: str | None) -> str:
    from triage.templates import fill

    if name is None:
        return ""
    if name not in settings.templates:
        raise InputError(
            f"there is no template {name!r}; there are {', '.join(sorted(settings.templates))}"
        )
    values = {"handle": "{handle}", "brand": settings.brand.name, "about": "your post"}
    return fill(settings.templates[name], values)


def outcome(
    context: typer.Context,
    ticket: Annotated[str, typer.Argument(help="Ticket id, or the beginning of one.")],
    how: Annotated[
        str,
        typer.Argument(
            metavar="OUTCOME",
            help="resolved, no answer, wrong person, not a complaint, or already solved.",
        ),
    ],
    by: By = "",
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """How a contact ended. It becomes a label to train with, and counts as a contact.

    'no answer' leaves the ticket contacted; the others close it.

    Example: `outcry outcome T-4f7q "already solved" --by lindiwe`
    """
    from outcry.settings import operator_name
    from triage.contacts import Outcome
    from triage.results import finish

    if how not in get_args(Outcome):
        raise InputError(f"no outcome {how!r}; there are {', '.join(get_args(Outcome))}")
    session = session_of(context)
    settings = session.settings()
    who = by or operator_name()
    with session.store(settings, f"outcome {ticket}", who) as store:
        label = finish(store, ticket, cast("Outcome", how), who, time_of(as_of), settings.rules)
    if as_json:
        emit(label)
    else:
        typer.echo(f"{label.ticket}: {label.outcome}")


def optout(
    context: typer.Context,
    ticket: Annotated[str, typer.Argument(help="A ticket of the customer.")],
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="What they wrote.")] = None,
    zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Where they live: Africa/Johannesburg.")
    ] = None,
    by: By = "",
    as_of: AsOf = None,
) -> None:
    """Write down that a customer wants no contact, or in which time zone they live.

    Example: `outcry optout T-4f7q --reason "wrote: leave me alone"`
    """
    from outcry.settings import operator_name
    from triage.contacts import Preference, prefer
    from triage.outreach import find
    from triage.policy import ContactPolicy

    if not (reason or zone):
        raise InputError("say what they wish: --reason TEXT or --zone ZONE")
    if zone:
        ContactPolicy(zone=zone).check()
    session = session_of(context)
    settings = session.settings()
    who = by or operator_name()
    with session.store(settings, f"optout {ticket}", who) as store:
        found = find(store, ticket).ticket
        if not found.customer:
            raise InputError(f"nobody knows who wrote {found.ticket}")
        wish = Preference(
            customer=found.customer, at=time_of(as_of), by=who, opted_out=reason, zone=zone
        )
        prefer(store, wish)
    typer.echo(f"the customer of {found.ticket}: noted")


def labels(context: typer.Context) -> None:
    """What contacts have taught, one JSON object a line: rows to train and judge models with.

    Example: `outcry labels > labels.jsonl`
    """
    from triage import contacts

    session = session_of(context)
    settings = session.settings()
    with session.store(settings) as store:
        for label in contacts.labels(store):
            emit(label)


def tone(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="What is to be written in public.")],
) -> None:
    """Whether a text may go out: no personal data, no promise of money, no blame, no shouting.

    Ends with 3 if it may not.

    Example: `outcry tone "Thank you, please write to us in private."`
    """
    from triage.templates import faults

    found = faults(text, session_of(context).settings().nlp.phone_region)
    for fault in found:
        typer.echo(f"{fault.kind}: {fault.words}")
    if not found:
        typer.echo("may go out")
    leave(exits.PARTIAL if found else exits.DONE)
