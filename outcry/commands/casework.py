"""Commands about single cases: explain, hold, send, split, merge, unmerge, customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from outcry.exits import InputError
from outcry.session import AsJson, AsOf, emit, session_of, time_of

if TYPE_CHECKING:
    from triage.store.base import Identity

Name = Annotated[str, typer.Argument(metavar="TICKET", help="Ticket id, or the beginning of one.")]
Agent = Annotated[str, typer.Option("--agent", metavar="NAME", help="Who is working.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why, for the history.")]


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (explain, hold, send, split, merge, unmerge, customer):
        app.command()(command)


def explain(context: typer.Context, ticket: Name, as_json: AsJson = False) -> None:
    """Why a ticket stands where it stands: the sum, a line a part.

    Example: `outcry explain T-4f7q`
    """
    from triage import priority
    from triage.claims import find

    session = session_of(context)
    with session.store(session.settings()) as store:
        found = find(store, ticket).ticket
    if as_json:
        emit({"ticket": found.ticket, "priority": found.priority, "parts": found.parts})
        return
    for line in priority.explain(found):
        typer.echo(line)


def hold(
    context: typer.Context,
    ticket: Name,
    agent: Agent,
    release: Annotated[bool, typer.Option("--release", help="Put it back.")] = False,
    transfer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Hand it to a colleague.")
    ] = None,
    snooze: Annotated[
        str | None, typer.Option(metavar="TIME", help="Put it off until then.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="It is the customer's turn.")] = False,
    why: Why = "",
    as_of: AsOf = None,
) -> None:
    """Keep a claimed ticket a while longer, or let go of it in one of four ways.

    Examples: `outcry hold T-4f7q --agent lindiwe`

    `outcry hold T-4f7q --agent lindiwe --snooze 2026-11-23T08:00+02:00`
    """
    from triage import claims
    from triage.life import Action

    ways: dict[Action, bool] = {
        "release": release,
        "transfer": transfer is not None,
        "snooze": snooze is not None,
        "wait": wait,
    }
    chosen = [action for action, given in ways.items() if given]
    if len(chosen) > 1:
        raise InputError(f"--{chosen[0]} and --{chosen[1]} exclude each other; choose one")
    session = session_of(context)
    settings, now = session.settings(), time_of(as_of)
    until = time_of(snooze, "--snooze") if snooze else None
    with session.store(settings) as store:
        if not chosen:
            found = claims.heartbeat(store, ticket, agent, now, settings.rules)
        else:
            found = claims.act(
                store,
                ticket,
                chosen[0],
                agent,
                now,
                settings.rules,
                why,
                to=transfer or "",
                until=until,
            )
    who = f", {found.handling.agent}" if found.handling.agent else ""
    free = f", out of the queue until {found.free_from:%Y-%m-%d %H:%M} UTC"
    typer.echo(f"{found.ticket} is {found.status}{who}{free if found.free_from else ''}")


def send(
    context: typer.Context,
    ticket: Name,
    to: Annotated[str, typer.Argument(metavar="DEPARTMENT", help="'none' is sorted by hand.")],
    agent: Agent,
    as_of: AsOf = None,
) -> None:
    """Send a ticket to another department; the router will not send it back.

    Example: `outcry send T-4f7q billing --agent lindiwe`
    """
    from triage.claims import route

    session = session_of(context)
    settings = session.settings()
    with session.store(settings) as store:
        lane = None if to == "none" else to
        found = route(store, ticket, lane, agent, time_of(as_of), settings.rules)
    typer.echo(f"{found.ticket} is with {found.department or 'those who sort by hand'}")


def split(
    context: typer.Context,
    ticket: Name,
    posts: Annotated[list[str], typer.Argument(metavar="POST...", help="Uids of posts in it.")],
    agent: Agent,
    why: Why = "",
    as_of: AsOf = None,
) -> None:
    """Make posts of a ticket cases of their own; no later run folds them in again.

    `outcry show TICKET --json` lists the uids. Example: `outcry split T-4f7q 9f2c… --agent lindiwe`
    """
    from triage import regroup

    session = session_of(context)
    settings = session.settings()
    with session.store(settings) as store:
        made = regroup.split(store, ticket, posts, agent, time_of(as_of), settings.rules, why)
    for one in made:
        typer.echo(f"{one.ticket}  {one.tier}  {one.excerpt}")


def merge(
    context: typer.Context,
    ticket: Name,
    into: Annotated[str, typer.Argument(metavar="INTO", help="The ticket that stays.")],
    agent: Agent,
    why: Why = "",
    as_of: AsOf = None,
) -> None:
    """Make one case of two; 'outcry unmerge' gives back what was merged.

    Example: `outcry merge T-4f7q T-9k2m --agent lindiwe`
    """
    from triage import regroup

    session = session_of(context)
    settings = session.settings()
    with session.store(settings) as store:
        found = regroup.merge(store, ticket, into, agent, time_of(as_of), settings.rules, why)
    typer.echo(f"{found.ticket} has {found.posts} posts by {found.voices} people now")


def unmerge(context: typer.Context, ticket: Name, agent: Agent, as_of: AsOf = None) -> None:
    """Undo a merge: the ticket is back in the queue with what it held.

    Example: `outcry unmerge T-4f7q --agent lindiwe`
    """
    from triage import regroup

    session = session_of(context)
    settings = session.settings()
    with session.store(settings) as store:
        found = regroup.unmerge(store, ticket, agent, time_of(as_of), settings.rules)
    typer.echo(f"{found.ticket} is {found.status}")


def customer(
    context: typer.Context,
    ticket: Name,
    agent: Annotated[str | None, typer.Option(metavar="NAME", help="Who decides.")] = None,
    join: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="This account is theirs, too.")
    ] = None,
    part: Annotated[
        str | None, typer.Option(metavar="ACCOUNT", help="This account is somebody else's.")
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Who the customer of a ticket is on every network, and which accounts may be theirs, too.

    Example: `outcry customer T-4f7q --agent lindiwe --join 5f0c…`
    """
    from triage import customers, joining
    from triage.claims import find

    if (join or part) and not agent:
        raise InputError("--join and --part need --agent NAME: say who decides")
    session = session_of(context)
    settings, now = session.settings(), time_of(as_of)
    with session.store(settings) as store:
        own = find(store, ticket).ticket.customer
        if not own:
            raise InputError(f"{ticket} has no customer that is known")
        if join:
            joining.join(store, own, join, agent or "", now, settings.rules)
        if part:
            joining.part(store, own, part, agent or "", now, settings.rules)
        for account in customers.identities(store, own):
            typer.echo(_line("is", account))
        everywhere = set(customers.accounts(store, own))
        for link in customers.links(store, "proposed"):
            if {link.one, link.other} & everywhere:
                other = link.other if link.one in everywhere else link.one
                found = store.identities([other]).get(other)
                reasons = ", ".join(one.words for one in link.evidence)
                if found is not None:
                    typer.echo(f"{_line('may be', found)}: {reasons}")


def _line(word: str, account: Identity) -> str:
    name = account.handle or account.name or account.native_id or "unknown"
    return f"{word:6}  {name} on {account.source}  ({account.customer})"
