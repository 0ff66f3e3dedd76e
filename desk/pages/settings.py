"""The settings as they are, to read: departments, weights, targets, and the rest that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.context import Here, needs
from desk.pages.drawing import draw

router = APIRouter()

APART = ("departments", "weights", "cuts", "sla_hours", "sla_hours_by_source")
"""Of triage's settings, those that have a table of their own."""


@router.get("/settings")
def settings(request: Request, here: Annotated[Here, needs("settings.read")]) -> Response:
    """What the operator has set."""
    shown = dict(here.deployment.shown)
    triage = shown.pop("triage", {})
    rest = {name: value for name, value in triage.items() if name not in APART}
    sections = {**shown, "triage": rest}
    return draw(
        request,
        "settings.html",
        here,
        rules=here.rules,
        sections={name: list(lines(value)) for name, value in sections.items()},
    )


def lines(value: Any, name: str = "") -> list[tuple[str, str]]:
    """A section as (name, words), nested names joined by dots."""
    if isinstance(value, Mapping):
        found = []
        for key, below in value.items():
            found += lines(below, f"{name}.{key}" if name else str(key))
        return found
    if isinstance(value, list | tuple):
        return [(name, ", ".join(map(str, value)) or "none")]
    return [(name, "none" if value is None or value == "" else str(value))]
