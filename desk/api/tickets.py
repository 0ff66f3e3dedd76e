"""Cases: read one, work on it, write down how it ended."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from desk import actions, views
from desk.api.answers import answer, says, seen
from desk.api.repeats import Repeatable
from desk.context import Here, needs
from triage.contacts import Outcome
from triage.life import Action
from triage.policy import Verdict
from triage.templates import Fault

router = APIRouter(tags=["cases"], route_class=Repeatable)

Name = Annotated[str, Path(max_length=64, description="A ticket's id, or the beginning of one.")]
Seen = Annotated[str | None, Depends(seen)]
Worker = Annotated[Here, needs("case.work")]
Words = Annotated[str, Field(max_length=10_000)]


class Next(BaseModel):
    """From where to take the next case."""

    departments: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=50)


class Moved(BaseModel):
    """What goes with a move."""

    words: Words = ""
    to: Annotated[str, Field(max_length=64)] = ""
    """A transfer's colleague."""
    until: datetime | None = None
    """A snooze's or a wait's end."""


class Sent(BaseModel):
    """Where to."""

    to: Annotated[str, Field(max_length=200)]


class Ended(BaseModel):
    """How a contact ended."""

    outcome: Outcome
    words: Words = ""


class Apart(BaseModel):
    """Posts that are cases of their own."""

    posts: list[Annotated[str, Field(max_length=512)]] = Field(min_length=1, max_length=100)
    words: Words = ""


class Into(BaseModel):
    """The case that stays."""

    into: Annotated[str, Field(max_length=64)]
    words: Words = ""


class Reason(BaseModel):
    """Why somebody's name has to be read; it is recorded."""

    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class Wish(BaseModel):
    """What a customer wishes."""

    reason: Annotated[str, Field(max_length=1000)] | None = None
    """Why they want no contact, as they said it."""
    zone: Annotated[str, Field(max_length=100)] | None = None
    """The time zone that they live in."""


class Draft(BaseModel):
    """A text that is to be written in public."""

    text: Words


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """The case that was handed out."""

    case: views.Row | None
    """None: nobody is waiting."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """Cases that were made."""

    cases: tuple[views.Row, ...]


class Tone(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a text may go out."""

    faults: tuple[Fault, ...]


@router.post("/tickets/next", responses=says(Handed, "The case, claimed for you."))
def next_(here: Worker, given: Next) -> Response:
    """Claim the best free case. Two people never get the same one."""
    row = actions.claim_next(here, given.departments)
    return answer(Handed(case=row), row.mark if row else None)


@router.get("/tickets/{ticket}", responses=says(views.CaseView, "The case."))
def case(here: Annotated[Here, needs("queue.read")], ticket: Name) -> Response:
    """One case: posts, the customer's story, the priority as a sum, history. Names nobody."""
    found = actions.case(here, ticket)
    return answer(found, found.row.mark)


@router.post("/tickets/{ticket}/who", responses=says(views.WhoView, "Who it is."))
def who(here: Annotated[Here, needs("vault.read")], ticket: Name, given: Reason) -> Response:
    """Who the customer is and how to reach them. The read is recorded with its reason."""
    return answer(actions.who(here, ticket, given.reason))


@router.post("/tickets/{ticket}/heartbeat", responses=says(views.Row, "The case."))
def heartbeat(here: Worker, ticket: Name) -> Response:
    """I am still at it: the claim runs from now again."""
    return _row(actions.heartbeat(here, ticket))


@router.post("/tickets/{ticket}/send", responses=says(views.Row, "The case."))
def send(here: Worker, ticket: Name, given: Sent, seen: Seen) -> Response:
    """To another department, for good; `none` is the lane that people sort by hand."""
    return _row(actions.send(here, ticket, given.to, seen))


@router.post("/tickets/{ticket}/outcome", responses=says(views.Row, "The case."))
def outcome(here: Worker, ticket: Name, given: Ended, seen: Seen) -> Response:
    """How the contact ended: moves the case, counts as a contact, and is a label to learn from."""
    return _row(actions.finish(here, ticket, given.outcome, given.words, seen))


@router.post("/tickets/{ticket}/split", responses=says(Made, "The new cases."))
def split(
    here: Annotated[Here, needs("case.regroup")], ticket: Name, given: Apart, seen: Seen
) -> Response:
    """Make each of these posts a case of its own."""
    return answer(Made(cases=actions.split(here, ticket, given.posts, given.words, seen)))


@router.post("/tickets/{ticket}/merge", responses=says(views.Row, "The case that stays."))
def merge(
    here: Annotated[Here, needs("case.regroup")], ticket: Name, given: Into, seen: Seen
) -> Response:
    """Make one case of two."""
    return _row(actions.merge(here, ticket, given.into, given.words, seen))


@router.post("/tickets/{ticket}/unmerge", responses=says(views.Row, "The case."))
def unmerge(here: Annotated[Here, needs("case.regroup")], ticket: Name, seen: Seen) -> Response:
    """Undo a merge."""
    return _row(actions.unmerge(here, ticket, seen))


@router.post("/tickets/{ticket}/wish", responses=says(Verdict, "Whether they may be contacted."))
def wish(here: Worker, ticket: Name, given: Wish) -> Response:
    """Note that the customer wants no contact, or where they live."""
    return answer(actions.wish(here, ticket, given.reason, given.zone))


@router.post("/tickets/{ticket}/{move}", responses=says(views.Row, "The case."))
def act(here: Worker, ticket: Name, move: Action, given: Moved, seen: Seen) -> Response:
    """A move: `words` are what is noted with it."""
    done = actions.act(here, ticket, move, given.words, to=given.to, until=given.until, seen=seen)
    return _row(done)


@router.post("/tone", responses=says(Tone, "What must not stand there."))
def tone(here: Worker, given: Draft) -> Response:
    """Whether a text may go out: no personal data, no promise of money, no blame."""
    return answer(Tone(faults=tuple(actions.tone(here, given.text))))


def _row(row: views.Row) -> Response:
    return answer(row, row.mark)
