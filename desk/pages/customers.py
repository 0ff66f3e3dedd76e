"""Customers: which accounts are one person, on what evidence; undo; erase."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from desk import around
from desk.context import Here, needs
from desk.errors import NotAllowed, Unusable
from desk.pages.case import Text
from desk.pages.drawing import draw, go
from desk.problems import Problem, problem_of
from desk.views import WhoView
from triage.errors import Busy, Conflict, IllegalMove, NoSuchTicket

router = APIRouter()

Linker = Annotated[Here, needs("customer.link")]
Name = Annotated[str, Form(max_length=100)]
LONGEST_NAME = 100


@router.get("/customers")
def customers(request: Request, here: Linker, find: str = "") -> Response:
    """Links that wait for somebody to decide; ``find`` leads to a case's customer."""
    if find.strip():
        found = around.customer_of(here, find.strip()[:LONGEST_NAME])
        return go(f"/customers/{found.person}")
    return _list(request, here)


@router.post("/customers/link")
def link(
    request: Request,
    here: Linker,
    one: Name,
    other: Name,
    verdict: Annotated[str, Form(max_length=10)],
    reason: Text = "",
    back: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """One person, or two: what was merged because of a link is given back."""
    together = verdict == "join"
    try:
        around.decide_link(here, one, other.strip(), reason, together=together)
    except (IllegalMove, Conflict, NotAllowed, Unusable, NoSuchTicket) as error:
        problem = problem_of(error)
        if back:
            return _show(request, here, back, problem, reason=reason, other=other)
        return _list(request, here, problem, reason)
    return go(f"/customers/{back}" if back else "/customers", done="join" if together else "part")


@router.post("/customers/erase")
def erase(
    request: Request,
    here: Annotated[Here, needs("customer.erase")],
    account: Annotated[str, Form(max_length=300)] = "",
    reason: Text = "",
    sure: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Erase somebody everywhere, for good, and show the proof."""
    try:
        if sure.strip() != account.strip() or not account.strip():
            raise Unusable("write the account twice, letter for letter: this cannot be undone")
        proof = around.erase(here, account.strip(), reason)
    except (IllegalMove, Busy, Conflict, NotAllowed, Unusable, NoSuchTicket) as error:
        return _list(request, here, problem_of(error), reason, account)
    return _list(request, here, proof=proof)


@router.get("/customers/{name}")
def customer(request: Request, here: Linker, name: str) -> Response:
    """One person by any of their pseudonyms."""
    return _show(request, here, name)


@router.post("/customers/{name}/who")
def who(
    request: Request,
    here: Annotated[Here, needs("vault.read")],
    name: str,
    reason: Text = "",
) -> Response:
    """Who they are on every network; that it was read is recorded."""
    try:
        found = around.customer_who(here, name, reason)
    except NotAllowed as error:
        return _show(request, here, name, problem_of(error))
    return _show(request, here, name, known=found)


def _show(
    request: Request,
    here: Here,
    name: str,
    problem: Problem | None = None,
    known: WhoView | None = None,
    reason: str = "",
    other: str = "",
) -> Response:
    found = around.customer(here, name)
    return draw(
        request,
        "customer.html",
        here,
        status=problem.status if problem else 200,
        one=found,
        known=known,
        problem=problem,
        reason=reason,
        other=other,
    )


def _list(
    request: Request,
    here: Here,
    problem: Problem | None = None,
    reason: str = "",
    account: str = "",
    proof: Any = None,
) -> Response:
    return draw(
        request,
        "customers.html",
        here,
        status=problem.status if problem else 200,
        links=around.proposed_links(here),
        problem=problem,
        reason=reason,
        account=account,
        proof=proof,
    )
