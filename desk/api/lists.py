"""Lists for people who stay in their own tools."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from desk import lists
from desk.api.files import CALENDAR, CSV, XLSX, file
from desk.api.queue import Filter
from desk.context import Here, needs, of_token
from triage.worklists import COLUMNS

router = APIRouter(tags=["lists"])

Short = Annotated[str, Field(max_length=200)]
Size = Annotated[int, Query(ge=1, le=lists.MOST)]
Reads = Annotated[Here, needs("queue.read")]


class Shift(BaseModel):
    """Who works, on what, and how much; and why the names have to be read."""

    agents: list[Short] = Field(default=[], max_length=200)
    departments: list[Short] = Field(default=[], max_length=50)
    each: Annotated[int, Field(ge=1, le=500)] = 20
    template: Short = ""
    """A reply to start from."""
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


@router.get("/queue.csv", response_class=Response, responses=file(CSV, "For a spreadsheet."))
def queue_csv(here: Reads, filter: Filter, size: Size = 500) -> Response:
    """The queue as CSV. Names nobody; no cell can be taken for a formula."""
    return lists.as_csv(lists.queue_rows(here, filter, size), lists.COLUMNS, "queue.csv")


@router.get("/queue.xlsx", response_class=Response, responses=file(XLSX, "For a spreadsheet."))
def queue_xlsx(here: Reads, filter: Filter, size: Size = 500) -> Response:
    """The queue as a workbook. Names nobody; every text is a text."""
    return lists.as_xlsx(lists.queue_rows(here, filter, size), lists.COLUMNS, "queue.xlsx")


@router.get("/deadlines.ics", response_class=Response, responses=file(CALENDAR, "For a calendar."))
def deadlines(
    here: Annotated[Here, of_token("queue.read")],
    token: Annotated[
        str | None,
        Query(max_length=200, description="A token, for calendars that send no headers."),
    ] = None,
) -> Response:
    """Deadlines that are past or due within 24 hours, as a calendar to subscribe to."""
    return lists.as_calendar(here)


@router.post("/worklist.csv", response_class=Response, responses=file(CSV, "For a dialler."))
def worklist_csv(here: Annotated[Here, needs("vault.read")], given: Shift) -> Response:
    """A shift's list: each customer once, with their handle. The read is recorded."""
    return lists.as_csv(_rows(here, given), COLUMNS, "worklist.csv")


@router.post("/worklist.xlsx", response_class=Response, responses=file(XLSX, "For a dialler."))
def worklist_xlsx(here: Annotated[Here, needs("vault.read")], given: Shift) -> Response:
    """A shift's list as a workbook. The read is recorded."""
    return lists.as_xlsx(_rows(here, given), COLUMNS, "worklist.xlsx")


def _rows(here: Here, given: Shift) -> list[list[object]]:
    return lists.shift_rows(
        here,
        agents=given.agents,
        departments=given.departments,
        each=given.each,
        template=given.template,
        reason=given.reason,
    )
