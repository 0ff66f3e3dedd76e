"""The pages: one module for each, all under one router. Nothing is decided here."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.pages import (
    case,
    coverage,
    customers,
    health,
    incidents,
    oidc,
    queue,
    settings,
    signin,
    team,
    updates,
    work,
)
from desk.pages.drawing import draw
from desk.problems import Problem, headers_of

router = APIRouter(include_in_schema=False)
for module in (
    signin,
    oidc,
    queue,
    updates,
    case,
    work,
    incidents,
    customers,
    coverage,
    team,
    settings,
    health,
):
    router.include_router(module.router)

TYPED = ("words", "note", "reason", "reply")
"""Fields that people write in: a page of trouble shows them."""
SECRET = ("password",)


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem as people read it, with everything that they had sent, to be sent again."""
    # Read by the framework before the route or what it depends on has failed.
    form = getattr(request, "_form", None) if request.method == "POST" else None
    typed = [
        (name, value)
        for name, value in (form.multi_items() if form else ())
        if isinstance(value, str) and name not in SECRET
    ]
    return draw(
        request,
        "problem.html",
        getattr(request.state, "here", None),
        status=problem.status,
        headers=headers_of(problem),
        problem=problem,
        typed=typed,
        visible=TYPED,
    )


__all__ = ["problem_page", "router"]
