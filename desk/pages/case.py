"""One case: read it, see who it is, see whether it is still as it was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from desk import actions
from desk.accounts import users
from desk.context import Here, needs
from desk.pages.drawing import draw
from desk.pages.threads import threads_of, voices_of
from desk.problems import Problem, problem_of
from desk.views import CaseView, Told, WhoView
from triage.contacts import contacts_of
from triage.customers import accounts
from triage.errors import IllegalMove
from triage.templates import Fault

router = APIRouter()

Reader = Annotated[Here, needs("queue.read")]
Worker = Annotated[Here, needs("case.work")]
Mark = Annotated[str, Form(max_length=64)]
Text = Annotated[str, Form(max_length=10_000)]
FIRST_VOICES = 10
"""Voices that are shown before all of them are asked for."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a page of a case shows beside the case."""

    typed: Mapping[str, str] = {}
    """What was typed into the form that could not be done."""
    problem: Problem | None = None
    changes: tuple[Told, ...] = ()
    """What was done by others since the page was read."""
    faults: Sequence[Fault] | None = None
    """What must not stand in the reply; None if it was not checked."""
    who: WhoView | None = None
    status: int = 200


@router.get("/cases/{name}")
def case(request: Request, here: Reader, name: str) -> Response:
    """The case."""
    return show(request, here, name)


def show(request: Request, here: Here, name: str, page: Page = Page(), seen: str = "") -> Response:
    """The page of a case as it is now; ``seen`` is the last entry of its history that was read."""
    found = actions.case(here, name)
    if seen:
        page = msgspec.structs.replace(page, changes=changes_since(found, seen, here))
    voices = voices_of(found.posts)
    return draw(
        request,
        "case.html",
        here,
        status=page.status,
        case=found,
        row=found.row,
        page=page,
        threads=threads_of(found.posts),
        voices=voices,
        first_voices=FIRST_VOICES,
        contacts=contacts_of(here.store, accounts(here.store, found.customer))
        if found.customer
        else [],
        departments=[one.name for one in here.rules.departments],
        colleagues=[
            user.name
            for user in users(here.store)
            if user.active and user.name != here.person.name and user.person().may("case.work")
        ]
        if here.person.may("case.work")
        else [],
        **standing(here, found),
    )


def standing(here: Here, found: CaseView) -> dict[str, Any]:
    """How the case stands to the person who looks at it."""
    row = found.row
    mine = row.agent == here.person.name
    held_by_other = row.held and not mine
    over = row.status in ("resolved", "dismissed")
    return {
        "mine": mine and not over,
        "held": row.held,
        "ran_out": row.status == "claimed" and not row.held,
        "held_by_other": held_by_other,
        "over": over,
        "may_work": here.person.may("case.work") and not held_by_other,
        "last": found.history[-1].id if found.history else "",
        "merged": over and (found.outcome or "").startswith("merged into "),
    }


def changes_since(found: CaseView, seen: str, here: Here) -> tuple[Told, ...]:
    """The entries of the history after the one of id ``seen``, but for the person's own."""
    ids = [one.id for one in found.history]
    later = found.history[ids.index(seen) + 1 :] if seen in ids else ()
    return tuple(one for one in later if one.by != here.person.name)


@router.get("/cases/{name}/state")
def state(
    request: Request,
    here: Reader,
    name: str,
    mark: Annotated[str, Query(max_length=64)] = "",
    last: Annotated[str, Query(max_length=64)] = "",
    was_mine: bool = False,
) -> Response:
    """Whose the case is, how long, and what has changed since it was read: a part of its page."""
    return _state(request, here, actions.case(here, name), mark, last, was_mine)


@router.post("/cases/{name}/heartbeat")
def heartbeat(
    request: Request,
    here: Worker,
    name: str,
    mark: Mark = "",
    last: Mark = "",
) -> Response:
    """The person is still at it: the lease runs from now again. Answers as `state` does."""
    # If it is not theirs any more, the answer says so.
    with suppress(IllegalMove):
        actions.heartbeat(here, name)
    return _state(request, here, actions.case(here, name), mark, last, was_mine=True)


def _state(
    request: Request, here: Here, found: CaseView, mark: str, last: str, was_mine: bool
) -> Response:
    return draw(
        request,
        "case_state.html",
        here,
        case=found,
        row=found.row,
        mark=mark,
        changes=changes_since(found, last, here) if mark != found.row.mark else (),
        changed=bool(mark) and mark != found.row.mark,
        was_mine=was_mine,
        **(standing(here, found) | {"last": last}),
    )


@router.post("/cases/{name}/who")
def who(
    request: Request,
    here: Annotated[Here, needs("vault.read")],
    name: str,
    reason: Text = "",
    reply: Text = "",
    note: Text = "",
) -> Response:
    """The case with who it is; that it was read is recorded with the reason."""
    typed = {"reason": reason, "reply": reply, "note": note}
    if not reason.strip():
        problem = Problem(
            status=422,
            title="a reason is missing",
            detail="Say why you need to know who it is: the reason is recorded.",
        )
        return show(request, here, name, Page(typed=typed, problem=problem, status=422))
    return show(request, here, name, Page(typed=typed, who=actions.who(here, name, reason)))


@router.post("/cases/{name}/tone")
def tone(request: Request, here: Worker, name: str, reply: Text = "") -> Response:
    """Whether the reply may be written in public: a part of the page."""
    actions.find(here, name)
    return draw(request, "case_tone.html", here, faults=actions.tone(here, reply), reply=reply)


def trouble(
    request: Request,
    here: Here,
    name: str,
    error: Exception,
    typed: Mapping[str, str],
    last: str,
) -> Response:
    """The case as it is now, why it could not be done, and everything that was typed."""
    problem = problem_of(error)
    page = Page(typed=typed, problem=problem, status=problem.status)
    return show(request, here, name, page, last)
