"""Incidents and their notice lists."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from desk import around, views
from desk.api.answers import answer, says, seen
from desk.api.files import csv_file
from desk.api.repeats import Repeatable
from desk.api.tickets import Reason
from desk.context import Here, needs
from triage.notices import COLUMNS

router = APIRouter(tags=["incidents"], route_class=Repeatable)

Move = Literal["confirm", "fix", "close", "dismiss", "own", "note"]
Name = Annotated[str, Path(max_length=64, description="An incident's id, or its beginning.")]
Reads = Annotated[Here, needs("incident.read")]
Manages = Annotated[Here, needs("incident.manage")]


class Said(BaseModel):
    """What goes with it: the note that notices will say, or the owner."""

    words: Annotated[str, Field(max_length=2000)] = ""


class Draft(BaseModel):
    """What a notice list is made of."""

    template: Annotated[str, Field(max_length=100)] | None = None
    """Of the settings' templates; `fixed` or `planned` if none is named."""


class Told(BaseModel):
    """Who was told."""

    customers: list[Annotated[str, Field(max_length=400)]] = Field(default=[], max_length=5000)
    """All that were approved, if empty."""


class Incidents(msgspec.Struct, frozen=True, kw_only=True):
    """Incidents, the newest first."""

    items: tuple[views.IncidentRow, ...]


@router.get("/incidents", responses=says(Incidents, "The newest first."))
def incidents(
    here: Reads, over: Annotated[bool, Query(description="Those that are over, too.")] = False
) -> Response:
    """Bursts of complaints with one cause, and planned changes."""
    return answer(Incidents(items=around.all_incidents(here, over=over)))


@router.get("/incidents/{incident}", responses=says(views.IncidentView, "The incident."))
def incident(here: Reads, incident: Name) -> Response:
    """One incident: its curve, words, cases and history."""
    found = around.incident(here, incident)
    return answer(found, found.mark)


@router.get("/incidents/{incident}/notices", responses=says(around.NoticeList, "The list."))
def notices(here: Reads, incident: Name) -> Response:
    """Everybody affected, once each, as far as a list was made. Names nobody."""
    return answer(around.notice_list(here, incident))


@router.post("/incidents/{incident}/notices", responses=says(around.NoticeList, "The list."))
def propose(here: Manages, incident: Name, given: Draft) -> Response:
    """Make the notice list of a fixed incident or planned change, or bring it up to date."""
    return answer(around.propose(here, incident, given.template))


@router.post(
    "/incidents/{incident}/notices/approve", responses=says(around.NoticeList, "The list.")
)
def approve(here: Manages, incident: Name) -> Response:
    """Let everything that is proposed go out."""
    return answer(around.approve(here, incident))


@router.post("/incidents/{incident}/notices/told", responses=says(around.NoticeList, "The list."))
def told(here: Manages, incident: Name, given: Told) -> Response:
    """The approved ones have been told; each counts as a contact."""
    return answer(around.told(here, incident, given.customers))


@router.post("/incidents/{incident}/notices.csv", responses=csv_file("For who sends them."))
def notices_csv(
    here: Annotated[Here, needs("vault.read")], incident: Name, given: Reason
) -> Response:
    """The list with who each goes to. The read is recorded with its reason."""
    from desk.lists import as_csv

    rows = around.notice_rows(here, incident, given.reason)
    return as_csv([list(row.values()) for row in rows], COLUMNS, "notices.csv")


@router.post("/incidents/{incident}/{move}", responses=says(views.IncidentView, "The incident."))
def act(
    here: Manages,
    incident: Name,
    move: Move,
    given: Said,
    seen: Annotated[str | None, Depends(seen)],
) -> Response:
    """Confirm, fix, close, dismiss, own or note it."""
    found = around.act_on_incident(here, incident, move, given.words, seen)
    return answer(found, found.mark)
