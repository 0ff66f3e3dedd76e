"""The pages: one module for each, all under one router."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.pages import oidc, signin
from desk.pages.drawing import draw
from desk.problems import Problem, headers_of

router = APIRouter(include_in_schema=False)
router.include_router(signin.router)
router.include_router(oidc.router)


def problem_page(request: Request, problem: Problem) -> Response:
    """A problem as people read it."""
    return draw(
        request,
        "problem.html",
        status=problem.status,
        headers=headers_of(problem),
        problem=problem,
    )


__all__ = ["problem_page", "router"]
