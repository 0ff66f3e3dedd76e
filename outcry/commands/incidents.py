"""Commands about incidents: incidents, incident, plan, notices."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from outcry.exits import InputError
from outcry.session import AsJson, AsOf, Session, console, emit, note, session_of, time_of

if TYPE_CHECKING:
    from outcry.settings import Settings
    from triage.incident import Incident, IncidentAction
    from triage.notices import Notice, NoticePlan
    from triage.store.base import Store

Name = Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id, or the beginning of it.")]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (incidents, incident, plan, notices):
        app.command()(command)


def incidents(
    context: typer.Context,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look for new ones first, and alert; 'run' does, too.")
    ] = False,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="With --watch: look back to this time.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Closed and dismissed ones, too.")
    ] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Bursts of complaints with one cause, the newest first.

    Examples: `outcry incidents`, `outcry incidents --watch --since 2026-11-20T00:00Z`
    """
    from outcry import pipeline, screen
    from triage import incidents as known

    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    with session.store(settings, "incidents") as store:
        if watch:
            start = time_of(since, "--since") if since else None
            done = pipeline.incidents(settings, store, now=now, since=start)
            for line in done.errors:
                note(f"{line}; the alert waits and is sent again by the next run")
        found = [
            one
            for one in known.incidents(store)
            if everything or one.state not in ("closed", "dismissed")
        ]
    found.reverse()
    if as_json:
        for one in found:
            emit(one)
    elif found:
        console().print(screen.incident_table(found))
    else:
        typer.echo("No incident. ('outcry incidents --watch' looks for one now)")


def incident(
    context: typer.Context,
    name: Name,
    confirm: Annotated[bool, typer.Option("--confirm", help="It is real.")] = False,
    fixed: Annotated[bool, typer.Option("--fixed", help="The cause is gone.")] = False,
    close: Annotated[bool, typer.Option("--close", help="Everybody was told.")] = False,
    dismiss: Annotated[bool, typer.Option("--dismiss", help="It is none.")] = False,
    owner: Annotated[str | None, typer.Option(metavar="NAME", help="Who takes care.")] = None,
    words: Annotated[
        str | None,
        typer.Option("--note", metavar="TEXT", help="What it is about, as notices will say it."),
    ] = None,
    by: By = "",
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """One incident: its curve, words, customers and tickets; or do something with it.

    Examples: `outcry incident I-7k2m`

    `outcry incident I-7k2m --fixed --by lindiwe --note "the fibre fault in Doornvlei"`
    """
    from outcry.settings import operator_name
    from triage import incidents as known

    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    who = by or operator_name()
    with session.store(settings, f"incident {name}", who) as store:
        found, _ = known.find_incident(store, name)
        for action, said in _actions(confirm, fixed, close, dismiss, owner, words):
            found = known.act_on(store, found.incident, action, who, now, said)
    if as_json:
        emit(found)
        return
    for line in in_words(found):
        typer.echo(line)


def _actions(
    confirm: bool, fixed: bool, close: bool, dismiss: bool, owner: str | None, words: str | None
) -> Iterator[tuple[IncidentAction, str]]:
    """What is to be done, in order."""
    if owner:
        yield "own", owner
    if words:
        yield "note", words
    if confirm:
        yield "confirm", ""
    if fixed:
        yield "fix", ""
    if close:
        yield "close", ""
    if dismiss:
        yield "dismiss", ""


def plan(
    context: typer.Context,
    title: Annotated[str, typer.Argument(metavar="TEXT", help="What will change, and when.")],
    words: Annotated[
        list[str],
        typer.Option("--about", metavar="WORD", help="A place or product; once for each."),
    ],
    days: Annotated[int, typer.Option(min=1, help="Who spoke of it in so many days.")] = 28,
    by: By = "",
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Open a planned change, to tell those whom it touches beforehand.

    Example: `outcry plan "works on the fibre in Doornvlei, Sunday 20:00" --about Doornvlei`
    """
    from outcry.settings import operator_name
    from triage import planned

    session = session_of(context)
    settings = session.settings()
    who = by or operator_name()
    with session.store(settings, "plan", who) as store:
        opened = planned.plan(
            store,
            settings.rules,
            title=title,
            words=tuple(words),
            days=days,
            by=who,
            now=time_of(as_of),
        )
    if as_json:
        emit(opened)
    else:
        typer.echo(f"{opened.incident} touches {opened.customers} customers")


def notices(
    context: typer.Context,
    name: Name,
    template: Annotated[
        str | None, typer.Option(metavar="NAME", help="Template of the settings.")
    ] = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Let all that are proposed go out.")
    ] = False,
    told: Annotated[
        bool, typer.Option("--told", help="Those that were approved have been told.")
    ] = False,
    by: By = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV, for who sends them.")] = False,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Everybody affected by a fixed incident or a planned change, once each.

    First a list, then --approve, then a CSV for who sends, then --told. Who may not be
    contacted is withheld with the reason.

    Examples: `outcry notices I-7k2m`, `outcry notices I-7k2m --approve --by lindiwe`
    """
    from outcry.settings import operator_name
    from triage import notices as lists
    from triage.incidents import find_incident

    if as_json and as_csv:
        raise InputError("--json and --csv exclude each other; choose one")
    session = session_of(context)
    settings = session.settings()
    now = time_of(as_of)
    who = by or operator_name()
    with session.store(settings, f"notices {name}", who) as store:
        found, _ = find_incident(store, name)
        rows = lists.propose(store, found, _plan_of(settings, found, template), now)
        if approve:
            lists.approve(store, found, who, now)
        if told:
            for one in lists.tell(store, found, who, now, settings.contact):
                if one.state == "withheld":
                    note(f"not told, on {one.source}: {one.why}")
        rows = lists.notices(store, found.incident)
        _print(session, store, rows, as_csv, as_json)


def _plan_of(settings: Settings, found: Incident, template: str | None) -> NoticePlan:
    from triage.notices import NoticePlan

    name = template or ("planned" if found.kind == "planned" else "fixed")
    if name not in settings.templates:
        raise InputError(
            f"there is no template {name!r}; there are {', '.join(sorted(settings.templates))}"
        )
    return NoticePlan(
        template=settings.templates[name],
        brand=settings.brand.name,
        region=settings.nlp.phone_region,
        policy=settings.contact,
    )


def _print(
    session: Session, store: Store, found: list[Notice], as_csv: bool, as_json: bool
) -> None:
    from outcry import screen
    from triage.notices import COLUMNS, as_row
    from triage.tables import csv_of

    known = store.identities(sorted({one.customer for one in found}))
    handles = {customer: who.handle or who.name or "" for customer, who in known.items()}
    rows = [as_row(one, handles) for one in found]
    if as_json:
        for row in rows:
            emit(row)
    elif as_csv:
        sys.stdout.write(csv_of([list(row.values()) for row in rows], COLUMNS))
    elif rows:
        console().print(screen.notice_table(rows))
    else:
        typer.echo("Nobody is affected.")


def in_words(one: Incident) -> Iterator[str]:
    """The incident, line by line."""
    yield f"{one.incident}  {one.severity}  {one.state}  {one.title}"
    yield f"customers   {one.customers} on {', '.join(one.sources) or 'no network'}"
    yield f"department  {one.department or 'several'}"
    yield f"owner       {one.owner or 'nobody yet'}"
    if one.note:
        yield f"note        {one.note}"
    if one.kind == "burst":
        yield f"noticed     {one.detected_at:%Y-%m-%d %H:%M} UTC, by {one.series[0]}"
        yield (
            f"            {one.reports} reports where {one.expected:.2g} were expected "
            f"(chance {one.chance:.1g})"
        )
    yield f"from, to    {one.first_at:%Y-%m-%d %H:%M} to {one.last_at:%Y-%m-%d %H:%M} UTC"
    if one.words:
        yield f"words       {', '.join(f'{w.word} ({w.posts})' for w in one.words)}"
    if one.tickets:
        yield f"tickets     {' '.join(one.tickets[:8])}"
    yield from (f"{point.at:%m-%d %H:%M} {'#' * min(point.posts, 60)}" for point in one.curve[-24:])
    for step in one.steps:
        yield f"  {step.at:%m-%d %H:%M}  {step.action} by {step.by} {step.words}".rstrip()
