"""Templates to answers. Everything is escaped unless a template says otherwise, and none does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.responses import HTMLResponse, RedirectResponse

from desk.context import Here, desk_of
from desk.pages import words
from desk.rights import Right

TEMPLATES = Path(__file__).parent.parent / "templates"
NAVIGATION: tuple[tuple[Right, str, str], ...] = (
    ("queue.read", "/queue", "Queue"),
    ("incident.read", "/incidents", "Incidents"),
    ("customer.link", "/customers", "Customers"),
    ("coverage.read", "/coverage", "Coverage"),
    ("team.read", "/team", "Team"),
    ("settings.read", "/settings", "Settings"),
)
"""(right that it needs, address, name) of each page in the navigation."""

environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


@pass_context
def _clock(context: Context, at: datetime) -> str:
    return words.clock(at, context["zone"], context["now"])


@pass_context
def _due(context: Context, at: datetime) -> str:
    return words.due(at, context["now"])


@pass_context
def _ago(context: Context, at: datetime) -> str:
    return words.ago(at, context["now"])


environment.filters |= {
    "clock": _clock,
    "due": _due,
    "ago": _ago,
    "short": words.short,
    "plural": words.plural,
    "slug": lambda text: str(text).replace(" ", "-"),
    "path": lambda text: quote(str(text), safe=""),
}
environment.globals |= {
    "STATUSES": words.STATUSES,
    "CLOCKS": words.CLOCKS,
    "OUTCOMES": words.OUTCOMES,
}


def draw(
    request: Request,
    template: str,
    here: Here | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A template as an answer.

    It always knows ``here`` (None for strangers), ``path``, ``now``, the desk's time ``zone``,
    the pages that one may see as ``navigation``, and ``said``: what the address says was done.
    """
    desk = desk_of(request)
    given = {
        "here": here,
        "path": request.url.path,
        "now": here.now if here else desk.clock(),
        "zone": zone_of(desk.deployment.policy.zone),
        "navigation": pages_of(here) if here else (),
        "said": words.DONE.get(request.query_params.get("done", ""), ""),
    }
    text = environment.get_template(template).render(given | values)
    return HTMLResponse(text, status, dict(headers or {}))


def pages_of(here: Here) -> list[tuple[str, str]]:
    """(address, name) of the pages that the person may see."""
    return [(address, name) for right, address, name in NAVIGATION if here.person.may(right)]


def go(address: str, **query: str) -> RedirectResponse:
    """To another page, after something was done."""
    asked = {name: value for name, value in query.items() if value}
    return RedirectResponse(f"{address}?{urlencode(asked)}" if asked else address, 303)


def zone_of(name: str) -> tzinfo:
    """The time zone of that name; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
