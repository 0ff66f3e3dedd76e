"""Customers: which accounts are one person, who it is, and forgetting them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from desk import around, views
from desk.api.answers import answer, says
from desk.api.repeats import Repeatable
from desk.api.tickets import Reason
from desk.context import Here, needs
from triage.vault import Read

router = APIRouter(tags=["customers"], route_class=Repeatable)

Name = Annotated[str, Path(max_length=400, description="A pseudonym, as cases have it.")]


class Decision(BaseModel):
    """What is decided about two accounts, and why their names have to be read for it."""

    state: Literal["joined", "refused"]
    """`refused` undoes what was joined, too."""
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class Erased(BaseModel):
    """Whom to erase, and why."""

    who: Annotated[str, Field(min_length=1, max_length=400)]
    """`source:handle`, or a ticket's id."""
    reason: Annotated[str, Field(min_length=1, max_length=1000)]


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Links that wait for a decision, oldest first."""

    items: tuple[views.LinkView, ...]


class Reads(msgspec.Struct, frozen=True, kw_only=True):
    """Who has read who somebody is, oldest first."""

    items: tuple[Read, ...]


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """What erasing did, and the proof: bytes that are left, by place."""

    accounts: int
    mentions: int
    tickets: int
    left: int
    places: dict[str, int]


@router.get("/links", responses=says(Links, "The oldest first."))
def links(here: Annotated[Here, needs("customer.link")]) -> Response:
    """Accounts that may be one person, with the evidence, and wait for somebody to decide."""
    return answer(Links(items=around.proposed_links(here)))


@router.get("/customers/{customer}", responses=says(around.CustomerView, "The customer."))
def customer(here: Annotated[Here, needs("queue.read")], customer: Name) -> Response:
    """One person by pseudonyms: accounts, links with their evidence, cases. Names nobody."""
    return answer(around.customer(here, customer))


@router.post("/customers/{customer}/who", responses=says(views.WhoView, "Who it is."))
def who(here: Annotated[Here, needs("vault.read")], customer: Name, given: Reason) -> Response:
    """Who they are on every network. The read is recorded with its reason."""
    return answer(around.customer_who(here, customer, given.reason))


@router.post("/customers/{customer}/links/{other}", responses=says(views.LinkView, "The link."))
def decide(
    here: Annotated[Here, needs("customer.link")], customer: Name, other: Name, given: Decision
) -> Response:
    """Two accounts are one person, or are not; their open cases are merged, or given back."""
    together = given.state == "joined"
    return answer(around.decide_link(here, customer, other, given.reason, together=together))


@router.post("/erasures", responses=says(Gone, "What was done."))
def erase(here: Annotated[Here, needs("customer.erase")], given: Erased) -> Response:
    """Erase one person everywhere, and search every place for what is left."""
    done = around.erase(here, given.who, given.reason)
    gone = Gone(
        accounts=done.accounts,
        mentions=done.mentions,
        tickets=done.tickets,
        left=done.found,
        places={place.place: place.found for place in done.places},
    )
    return answer(gone)


@router.get("/vault/reads", responses=says(Reads, "The oldest first."))
def reads(here: Annotated[Here, needs("vault.audit")], since: datetime | None = None) -> Response:
    """Who has read who somebody is, when and why; of the last week if no time is given."""
    return answer(Reads(items=around.vault_reads(here, since)))
