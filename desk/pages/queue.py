"""The queue: best first, filtered by the address, kept fresh by `desk.pages.updates`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import Response

from desk import actions
from desk.context import Here, anybody, needs
from desk.errors import NotAllowed
from desk.pages.asked import SIZE, TIERS, Asked
from desk.pages.drawing import draw, go, pages_of
from desk.pages.updates import reading
from triage.errors import TriageError

router = APIRouter()
Reader = Annotated[Here, needs("queue.read")]


@router.get("/")
def first(here: Annotated[Here, anybody()]) -> Response:
    """The first page that the person may see."""
    pages = pages_of(here)
    if not pages:
        raise NotAllowed("your roles have no page here: ask who manages the desk")
    return go(pages[0][0])


@router.get("/queue")
def queue(
    request: Request,
    here: Reader,
    asked: Annotated[Asked, Depends()],
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """A page of the queue."""
    page = actions.queue(here, asked.wanted(here), cursor, SIZE)
    return draw(
        request,
        "queue.html",
        here,
        asked=asked,
        page=page,
        cursor=cursor,
        reading=reading([row.mark for row in page.items]),
        departments=_departments(here),
        sources=_known((row.source for row in page.items), asked.sources),
        languages=_known((row.language for row in page.items), asked.languages),
        tiers=TIERS,
    )


@router.post("/queue/next")
def take_next(
    here: Annotated[Here, needs("case.work")],
    department: Annotated[list[str], Form(max_length=50)] = [],  # noqa: B006
) -> Response:
    """Claim the best free case, and open it."""
    row = actions.claim_next(here, tuple(name for name in department if name))
    if row is None:
        return go("/queue", done="none")
    return go(f"/cases/{row.ticket}", done="claim")


@router.post("/queue/claim")
def claim(
    request: Request,
    here: Annotated[Here, needs("case.work")],
    ticket: Annotated[str, Form(max_length=64)],
    seen: Annotated[str | None, Form(max_length=64)] = None,
) -> Response:
    """Claim this case; if somebody was faster, say who, and offer the next one."""
    try:
        row = actions.act(here, ticket, "claim", seen=seen or None)
    except TriageError as error:
        found = actions.case(here, ticket).row
        if found.held and found.agent != here.person.name:
            return draw(request, "taken.html", here, status=409, row=found, detail=str(error))
        raise
    return go(f"/cases/{row.ticket}", done="claim")


def _departments(here: Here) -> list[tuple[str, str]]:
    named = [(one.name, one.name) for one in here.rules.departments]
    return [*named, (actions.BY_HAND, "sorted by hand")]


def _known(seen: Iterable[str], chosen: Sequence[str]) -> list[str]:
    return sorted({*seen, *chosen})
