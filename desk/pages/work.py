"""Working on a case: every form of its page, each one call of `desk.actions`.

What cannot be done shows the case as it is now, says why, and keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Literal, cast, get_args

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from desk import actions
from desk.context import Here, needs
from desk.errors import Unusable
from desk.pages.case import Mark, Page, Text, Worker, show, trouble
from desk.pages.drawing import go, zone_of
from triage.contacts import Outcome
from triage.errors import BadRules, Conflict, IllegalMove, NoSuchTicket
from triage.life import Action

router = APIRouter()

Regrouper = Annotated[Here, needs("case.regroup")]
ASKS_ANEW: tuple[Action, ...] = ("claim", "note")
"""What is right whatever has changed since the case was read."""
LONGEST_HOURS = 24 * 90


@router.post("/cases/{name}/answer")
def answer(
    request: Request,
    here: Worker,
    name: str,
    outcome: Annotated[str, Form(max_length=40)] = "check",
    reply: Text = "",
    note: Text = "",
    seen: Mark = "",
    last: Mark = "",
) -> Response:
    """Check the reply, write down that the customer was contacted, or how it ended."""
    typed = {"reply": reply, "note": note}
    if outcome == "check":
        page = Page(typed=typed, faults=actions.tone(here, reply))
        return show(request, here, name, page)

    def change() -> str:
        if outcome == "contact":
            actions.act(here, name, "contact", note, seen=seen or None)
            return "contact"
        if outcome not in get_args(Outcome):
            raise Unusable(f"no outcome {outcome!r}: there are {', '.join(get_args(Outcome))}")
        actions.finish(here, name, cast("Outcome", outcome), note, seen or None)
        return "finish"

    return _tried(request, here, name, change, typed, last)


@router.post("/cases/{name}/move")
def move(
    request: Request,
    here: Worker,
    name: str,
    action: Annotated[Action, Form()],
    words: Text = "",
    to: Annotated[str, Form(max_length=64)] = "",
    hours: Annotated[float, Form(ge=0, le=LONGEST_HOURS)] = 0,
    until: Annotated[str, Form(max_length=40)] = "",
    seen: Mark = "",
    last: Mark = "",
) -> Response:
    """Claim, release, transfer, snooze, wait, reopen, dismiss, note."""
    typed = {f"{action}_words": words, "to": to, "until": until}

    def change() -> str:
        end = _end(here, hours, until)
        mark = None if action in ASKS_ANEW else seen or None
        actions.act(here, name, action, words, to=to, until=end, seen=mark)
        return action

    return _tried(request, here, name, change, typed, last)


@router.post("/cases/{name}/send")
def send(
    request: Request,
    here: Worker,
    name: str,
    department: Annotated[str, Form(max_length=200)],
    seen: Mark = "",
    last: Mark = "",
) -> Response:
    """To another department."""

    def change() -> str:
        actions.send(here, name, department, seen or None)
        return "send"

    return _tried(request, here, name, change, {}, last)


@router.post("/cases/{name}/split")
def split(
    request: Request,
    here: Regrouper,
    name: str,
    post: Annotated[list[str], Form(max_length=500)] = [],  # noqa: B006 - FastAPI copies it
    words: Text = "",
    seen: Mark = "",
    last: Mark = "",
) -> Response:
    """Make the chosen posts cases of their own."""

    def change() -> str:
        if not post:
            raise Unusable("no post is chosen: tick those that are another matter")
        actions.split(here, name, post, words, seen or None)
        return "split"

    return _tried(request, here, name, change, {"split_words": words}, last)


@router.post("/cases/{name}/merge")
def merge(
    request: Request,
    here: Regrouper,
    name: str,
    other: Annotated[str, Form(max_length=64)] = "",
    words: Text = "",
    last: Mark = "",
) -> Response:
    """Take another case into this one."""

    def change() -> str:
        if not other.strip():
            raise Unusable("no case is named: give the id of the one that is the same matter")
        actions.merge(here, other.strip(), name, words)
        return "merge"

    return _tried(request, here, name, change, {"other": other, "merge_words": words}, last)


@router.post("/cases/{name}/unmerge")
def unmerge(request: Request, here: Regrouper, name: str, last: Mark = "") -> Response:
    """Give back what was merged into another case."""

    def change() -> str:
        actions.unmerge(here, name)
        return "unmerge"

    return _tried(request, here, name, change, {}, last)


@router.post("/cases/{name}/wish")
def wish(
    request: Request,
    here: Worker,
    name: str,
    kind: Annotated[Literal["no contact", "zone"], Form()] = "no contact",
    reason: Text = "",
    last: Mark = "",
) -> Response:
    """The customer wants no contact, or lives in another time zone."""

    def change() -> str:
        if kind == "zone":
            actions.wish(here, name, None, reason.strip() or None)
        else:
            actions.wish(here, name, reason.strip() or None, None)
        return "wish"

    return _tried(request, here, name, change, {"wish": reason}, last)


def _tried(
    request: Request,
    here: Here,
    name: str,
    change: Callable[[], str],
    typed: Mapping[str, str],
    last: str,
) -> Response:
    try:
        done = change()
    except (IllegalMove, Conflict, NoSuchTicket, BadRules, Unusable) as error:
        return trouble(request, here, name, error, typed, last)
    return go(f"/cases/{name}", done=done)


def _end(here: Here, hours: float, until: str) -> datetime | None:
    """A time by the desk's clock, or so many hours from now."""
    if until.strip():
        try:
            given = datetime.fromisoformat(until.strip())
        except ValueError:
            raise Unusable(f"{until!r} is no time: write it like 2026-11-23T08:00") from None
        zone = zone_of(here.deployment.policy.zone)
        return given if given.tzinfo is not None else given.replace(tzinfo=zone)
    return here.now + timedelta(hours=hours) if hours else None
