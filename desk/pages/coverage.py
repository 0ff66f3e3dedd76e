"""Coverage: the ledger of what was asked and heard, and what is known to be missing."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from desk import around
from desk.context import Here, needs
from desk.errors import Unusable
from desk.pages.drawing import draw
from desk.problems import problem_of

router = APIRouter()


@router.get("/coverage")
def coverage(
    request: Request,
    here: Annotated[Here, needs("coverage.read")],
    unit: Literal["day", "month"] = "day",
    period: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The ledger of a day or month; today's, if none is asked for."""
    problem = None
    try:
        books = around.coverage(here, unit, period.strip()[: 10 if unit == "day" else 7] or None)
    except Unusable as error:
        problem = problem_of(error)
        books = around.coverage(here, unit)
    return draw(
        request,
        "coverage.html",
        here,
        status=problem.status if problem else 200,
        books=books,
        unit=unit,
        problem=problem,
    )
