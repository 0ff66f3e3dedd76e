"""The team: how each department stands, and who holds what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk import around
from desk.context import Here, needs
from desk.pages.drawing import draw

router = APIRouter()


@router.get("/team")
def team(request: Request, here: Annotated[Here, needs("team.read")]) -> Response:
    """Load, clocks, and who holds what."""
    return draw(request, "team.html", here, team=around.team(here))
