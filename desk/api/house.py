"""The ledger of what was heard, the team, and the settings."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from desk import around
from desk.api.answers import answer, says
from desk.context import Here, needs

router = APIRouter(tags=["house"])

Day = Query(max_length=10, description="`2026-11-20`, UTC; today if none is given.")
Month = Query(max_length=7, description="`2026-11`, UTC: a line for each day.")


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """Settings, section by section; nothing secret, nothing that names a person."""

    sections: dict[str, Any]


@router.get("/coverage", responses=says(around.Books, "The ledger."))
def coverage(
    here: Annotated[Here, needs("coverage.read")],
    day: Annotated[str | None, Day] = None,
    month: Annotated[str | None, Month] = None,
) -> Response:
    """What was asked and heard of each target, what is missing, and who fell silent."""
    return answer(around.coverage(here, "month" if month else "day", month or day))


@router.get("/team", responses=says(around.Team, "The team."))
def team(here: Annotated[Here, needs("team.read")]) -> Response:
    """How each department stands, and what each agent holds."""
    return answer(around.team(here))


@router.get("/settings", responses=says(Shown, "The settings."))
def settings(here: Annotated[Here, needs("settings.read")]) -> Response:
    """Departments, weights, targets of the SLA and the like, to read."""
    return answer(Shown(sections=dict(here.deployment.shown)))
