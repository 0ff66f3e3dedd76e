"""The queue: who to reach out to, best first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from desk import actions, views
from desk.actions import Wanted
from desk.api.answers import answer, says
from desk.context import Here, needs
from triage.ticket import Status, Tier

router = APIRouter(tags=["queue"])

Many = Query(max_length=50)


def wanted(
    department: Annotated[list[str], Many] = [],  # noqa: B006 - FastAPI copies it
    source: Annotated[list[str], Many] = [],  # noqa: B006
    tier: Annotated[list[Tier], Many] = [],  # noqa: B006
    language: Annotated[list[str], Many] = [],  # noqa: B006
    status: Annotated[list[Status], Many] = [],  # noqa: B006
    agent: Annotated[str | None, Query(max_length=200)] = None,
    due_before: datetime | None = None,
    free: bool = True,
) -> Wanted:
    """The filter that an address holds; ``none`` is the lane that people sort by hand."""
    return Wanted(
        departments=tuple(department),
        sources=tuple(source),
        tiers=tuple(tier),
        languages=tuple(language),
        statuses=tuple(status),
        agent=agent,
        due_before=due_before,
        free=free,
    )


Filter = Annotated[Wanted, Depends(wanted)]


@router.get("/queue", responses=says(views.QueuePage, "A page, best first."))
def queue(
    here: Annotated[Here, needs("queue.read")],
    filter: Filter,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    size: Annotated[int, Query(ge=1, le=actions.MOST)] = 50,
) -> Response:
    """Who to reach out to, best first; `next` of the answer is the `cursor` of the next page."""
    return answer(actions.queue(here, filter, cursor, size))


@router.get("/mine", responses=says(views.QueuePage, "The person's own cases."))
def mine(here: Annotated[Here, needs("case.work")]) -> Response:
    """What I have on my desk: claimed, contacted, or waiting for an answer."""
    return answer(views.QueuePage(items=actions.mine(here), next=None))
