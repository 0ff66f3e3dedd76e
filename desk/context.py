"""Who asks, when, and of what store: what every route gets handed, and what it may need.

A route says what right it needs in its signature, and nowhere else::

    def queue(here: Annotated[Here, needs("queue.read")]) -> ...

The matrix of role by route is read from these signatures.
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import Any, cast

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from desk.accounts import Person
from desk.deployment import Deployment
from desk.errors import NotAllowed, NotSignedIn
from desk.live import Desk
from desk.rights import WORDS, Right
from desk.sessions import COOKIE, CSRF_FIELD, CSRF_HEADER, Session
from desk.tokens import bearer_of, person_of_token
from triage.rules import Rules
from triage.store.base import Store
from triage.vault import watched

SAFE = ("GET", "HEAD", "OPTIONS")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Here:
    """One request of somebody who has signed in."""

    def __init__(self, desk: Desk, person: Person, session: Session | None, now: datetime) -> None:
        self.desk = desk
        self.person = person
        self.session = session
        self.now = now

    @property
    def deployment(self) -> Deployment:
        """What the desk was started with."""
        return self.desk.deployment

    @property
    def rules(self) -> Rules:
        """What triage goes by."""
        return self.desk.deployment.rules

    @property
    def store(self) -> Store:
        """The store; to see who somebody is, use `vault`."""
        return self.desk.store

    @cached_property
    def csrf(self) -> str:
        """What a form has to send as ``csrf``, or a script in ``X-CSRF-Token``."""
        return self.desk.sessions.csrf(self.session) if self.session else ""

    def vault(self, reason: str) -> Store:
        """The store with its vault open: each read is recorded with the person and the reason.

        Raises:
            NotAllowed: if the person may not see who somebody is, or gives no reason.
        """
        if not self.person.may("vault.read"):
            raise NotAllowed(f"you may not {WORDS['vault.read']}: ask a lead")
        if not reason.strip():
            raise NotAllowed("say why you need to know who it is: the reason is recorded")
        return watched(self.store, self.person.name, reason.strip(), self.now)


def desk_of(request: Request) -> Desk:
    """The running desk."""
    return cast("Desk", request.app.state.desk)


async def signed_in(request: Request) -> Here:
    """Who asks, by session or token; a change by session has to come from a page of ours.

    Raises:
        NotSignedIn: if nobody knows.
        NotAllowed: for a form that is not ours.
        TooManyCalls: for too many.
    """
    before: Here | None = getattr(request.state, "here", None)
    if before is not None:
        return before
    found = await run_in_threadpool(_known, request)
    if found is None:
        raise NotSignedIn("sign in first, or send a token as 'Authorization: Bearer …'")
    if found.session is not None and request.method not in SAFE:
        given = request.headers.get(CSRF_HEADER) or await _field(request)
        if not found.desk.sessions.is_ours(found.session, given):
            raise NotAllowed("the form is too old or not ours: reload the page and try again")
    found.desk.limits.take(f"{found.person.name} {found.person.way}", found.now)
    request.state.here = found
    return found


def visitor(request: Request) -> Here | None:
    """Who asks, or None: for pages that strangers may see."""
    return _known(request)


def _known(request: Request) -> Here | None:
    desk = desk_of(request)
    now = desk.clock()
    if "authorization" in request.headers:
        bearer = bearer_of(request.headers["authorization"])
        person = person_of_token(desk, bearer, now) if bearer else None
        return Here(desk, person, None, now) if person is not None else None
    session = desk.sessions.read(request.cookies.get(COOKIE), now)
    if session is None:
        return None
    user = desk.user(session.name, now)
    if user is None or not user.active or user.stamp != session.stamp:
        return None
    return Here(desk, user.person(), session, now)


async def _field(request: Request) -> str | None:
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return None
    value = (await request.form()).get(CSRF_FIELD)
    return value if isinstance(value, str) else None


class Needs:
    """The dependency that lets only those through who have one right."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, request: Request) -> Here:
        """Who asks, if they may.

        Raises:
            NotSignedIn, NotAllowed, TooManyCalls: if they may not.
        """
        here = await signed_in(request)
        if not here.person.may(self.right):
            raise NotAllowed(f"you may not {WORDS[self.right]}: ask who manages the desk")
        return here


class NeedsToken(Needs):
    """The same where a token may stand in the address, for programs that send no headers."""

    async def __call__(self, request: Request) -> Here:
        """Who asks, if they may; the token of the address goes before a session."""
        words = request.query_params.get("token")
        if words is None:
            return await super().__call__(request)
        desk = desk_of(request)
        now = desk.clock()
        person = await run_in_threadpool(person_of_token, desk, words, now)
        if person is None:
            raise NotSignedIn("the token of this address is unknown or has run out: make a new one")
        desk.limits.take(f"{person.name} {person.way}", now)
        if not person.may(self.right):
            raise NotAllowed(f"you may not {WORDS[self.right]}: ask who manages the desk")
        return Here(desk, person, None, now)


def of_token(right: Right) -> Any:
    """`needs`, by a session, a header, or ``?token=``."""
    return Depends(NeedsToken(right))


def needs(right: Right) -> Any:
    """A dependency on `Here` for those who have the right."""
    return Depends(Needs(right))


def anybody() -> Any:
    """A dependency on `Here` for everybody who has signed in."""
    return Depends(signed_in)
