"""Templates to answers. Everything is escaped unless a template says otherwise, and none does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from desk.context import Here

TEMPLATES = Path(__file__).parent.parent / "templates"

environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def draw(
    request: Request,
    template: str,
    here: Here | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A template as an answer; it always knows ``here`` (None for strangers) and ``path``."""
    text = environment.get_template(template).render(here=here, path=request.url.path, **values)
    return HTMLResponse(text, status, dict(headers or {}))
