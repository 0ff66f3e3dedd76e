"""Webhooks out: what is waiting, what was given up, and sending it again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.responses import Response

from desk.api.answers import answer, says
from desk.api.repeats import Repeatable
from desk.context import Here, needs
from desk.errors import NotThere, Unusable
from desk.hooks import system_of
from triage.deliveries import again, of_system

router = APIRouter(tags=["webhooks"], route_class=Repeatable)

Manages = Annotated[Here, needs("desk.manage")]


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A receiver, and how it stands with it."""

    name: str
    events: tuple[str, ...]
    waiting: int
    sent: int
    failed: int
    errors: tuple[str, ...]
    """Why something waits or was given up, each reason once."""


class Hooks(msgspec.Struct, frozen=True, kw_only=True):
    """Receivers, by name."""

    items: tuple[Hook, ...]


class Again(BaseModel):
    """From when on."""

    since: datetime


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How many are sent again."""

    count: int


@router.get("/hooks", responses=says(Hooks, "By name."))
def hooks(here: Manages) -> Response:
    """Who is told of what people do at the desk."""
    return answer(Hooks(items=tuple(_hook(here, name) for name in sorted(_configured(here)))))


@router.post("/hooks/{hook}/replay", responses=says(Replayed, "What is sent again."))
def replay(here: Manages, hook: Annotated[str, Path(max_length=100)], given: Again) -> Response:
    """Send again what was made since then; the receiver knows each by its `Idempotency-Key`."""
    if hook not in _configured(here):
        raise NotThere(f"there is no hook {hook!r}: see [desk.hooks] of the settings")
    if given.since.tzinfo is None:
        raise Unusable("since has no time zone: write it like 2026-11-20T12:00Z")
    return answer(Replayed(count=again(here.store, system_of(hook), given.since, here.now)))


def _configured(here: Here) -> set[str]:
    return set(here.deployment.settings.hooks)


def _hook(here: Here, name: str) -> Hook:
    counts = {"waiting": 0, "sent": 0, "failed": 0}
    errors: dict[str, None] = {}
    for one in of_system(here.store, system_of(name)):
        counts[one.state] += 1
        if one.error and len(errors) < 10:
            errors[one.error] = None
    events = here.deployment.settings.hooks[name].events
    return Hook(name=name, events=events, errors=tuple(errors), **counts)
