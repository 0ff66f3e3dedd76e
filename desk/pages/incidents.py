"""Incidents: the list, one with its curve, and telling everybody when it is fixed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from desk import around
from desk.context import Here, needs
from desk.errors import NotAllowed, Unusable
from desk.pages.case import Mark, Text
from desk.pages.curves import HEIGHT, WIDTH, curve_of
from desk.pages.drawing import draw, go
from desk.problems import Problem, problem_of
from triage.errors import BadRules, Conflict, IllegalMove
from triage.incident import IncidentAction

router = APIRouter()

Reader = Annotated[Here, needs("incident.read")]
Manager = Annotated[Here, needs("incident.manage")]
SHOWN = 200
"""Notices on a page; the list for who sends them has all."""


@router.get("/incidents")
def incidents(request: Request, here: Reader, over: bool = False) -> Response:
    """All that are not over; with ``over`` the others, too."""
    return draw(
        request, "incidents.html", here, found=around.all_incidents(here, over=over), over=over
    )


@router.get("/incidents/{name}")
def incident(request: Request, here: Reader, name: str) -> Response:
    """One incident."""
    return _show(request, here, name)


@router.post("/incidents/{name}/act")
def act(
    request: Request,
    here: Manager,
    name: str,
    action: Annotated[IncidentAction, Form()],
    words: Text = "",
    owner: Annotated[str, Form(max_length=64)] = "",
    seen: Mark = "",
) -> Response:
    """Confirm, fix, close, dismiss, own or note it."""

    def change() -> str:
        if action == "note" and not words.strip():
            raise Unusable("write something first: what it is about")
        said = owner if action == "own" else words
        around.act_on_incident(here, name, action, said.strip(), seen or None)
        return "incident"

    return _tried(request, here, name, change, words)


@router.post("/incidents/{name}/notices")
def notices(
    request: Request,
    here: Manager,
    name: str,
    step: Annotated[str, Form(max_length=20)],
    template: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Propose, approve, or write down that people were told."""

    def change() -> str:
        if step == "propose":
            around.propose(here, name, template or None)
        elif step == "approve":
            around.approve(here, name)
        elif step == "told":
            around.told(here, name)
        else:
            raise Unusable(f"no step {step!r}: there are propose, approve, told")
        return step

    return _tried(request, here, name, change, "")


@router.post("/incidents/{name}/who")
def who(request: Request, here: Manager, name: str, reason: Text = "") -> Response:
    """The notice list with who each goes to; that it was read is recorded."""
    try:
        rows = around.notice_rows(here, name, reason)
    except NotAllowed as error:
        return _show(request, here, name, problem_of(error), reason)
    return _show(request, here, name, named=rows)


def _tried(
    request: Request, here: Here, name: str, change: Callable[[], str], words: str
) -> Response:
    try:
        done = change()
    except (IllegalMove, Conflict, BadRules, Unusable) as error:
        return _show(request, here, name, problem_of(error), words)
    return go(f"/incidents/{name}", done=done)


def _show(
    request: Request,
    here: Here,
    name: str,
    problem: Problem | None = None,
    typed: str = "",
    named: list[dict[str, str]] | None = None,
) -> Response:
    found = around.incident(here, name)
    listed = around.notice_list(here, name).notices
    counts = {
        state: sum(one.state == state for one in listed)
        for state in ("proposed", "withheld", "approved", "told")
    }
    return draw(
        request,
        "incident.html",
        here,
        status=problem.status if problem else 200,
        one=found,
        row=found.row,
        curve=curve_of(found.curve),
        size=(WIDTH, HEIGHT),
        notices=listed[:SHOWN],
        count=len(listed),
        counts=counts,
        named=named,
        templates=sorted(here.deployment.templates),
        problem=problem,
        typed=typed,
    )
