"""Who I am to the desk, and my tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.responses import Response

from desk import tokens
from desk.accounts import users
from desk.api.answers import answer, says
from desk.context import Here, anybody, needs
from desk.errors import NotAllowed
from desk.rights import Right, Role

router = APIRouter(tags=["me"])

Anybody = Annotated[Here, anybody()]


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks."""

    name: str
    roles: tuple[Role, ...]
    rights: tuple[Right, ...]
    """What they may do by this way."""
    way: str
    now: datetime
    csrf: str
    """What a change by session sends as `X-CSRF-Token`; empty for a token."""


class NewToken(BaseModel):
    """A token to be made."""

    name: Annotated[str, Field(max_length=64)] = "token"
    scopes: list[Annotated[str, Field(max_length=32)]] = Field(min_length=1, max_length=32)
    """Rights of one's own."""
    days: Annotated[float, Field(gt=0, le=tokens.LONGEST_DAYS)] = 90


class MadeToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was made: shown this once."""

    token: str
    about: tokens.Token


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens, oldest first; never what they say."""

    items: tuple[tokens.Token, ...]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """An account."""

    name: str
    roles: tuple[Role, ...]
    active: bool
    issuer: str
    """Where they sign in; empty for a password."""


class People(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts, by name."""

    items: tuple[Known, ...]


@router.get("/me", responses=says(Me, "Who asks."))
def me(here: Anybody) -> Response:
    """Who is signed in, with which roles and rights."""
    person = here.person
    rights = tuple(sorted(person.rights))
    return answer(
        Me(
            name=person.name,
            roles=person.roles,
            rights=rights,
            way=person.way,
            now=here.now,
            csrf=here.csrf,
        )
    )


@router.get("/tokens", responses=says(Tokens, "The oldest first."))
def my_tokens(here: Anybody) -> Response:
    """My tokens."""
    return answer(Tokens(items=tuple(tokens.tokens_of(here.store, here.person.name))))


@router.post("/tokens", responses=says(MadeToken, "The token.", 201), status_code=201)
def make(here: Anybody, given: NewToken) -> Response:
    """A new token of mine; only from a session, so that no token makes others."""
    _check_session(here)
    made, words = tokens.make_token(
        here.store, here.person.name, given.name, given.scopes, here.now, given.days
    )
    return answer(MadeToken(token=words, about=made), status=201)


@router.delete("/tokens/{token}", status_code=204)
def end(here: Anybody, token: Annotated[str, Path(max_length=64)]) -> Response:
    """Take a token of mine away."""
    _check_session(here)
    tokens.end_token(here.store, here.person.name, token)
    return Response(status_code=204)


@router.get("/users", responses=says(People, "By name."))
def people(here: Annotated[Here, needs("desk.manage")]) -> Response:
    """Who may sign in, and as what."""
    found = (
        Known(name=one.name, roles=one.roles, active=one.active, issuer=one.issuer)
        for one in users(here.store)
    )
    return answer(People(items=tuple(found)))


def _check_session(here: Here) -> None:
    if here.session is None:
        raise NotAllowed("a token cannot change tokens: sign in at the desk")
