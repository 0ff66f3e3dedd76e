"""To the identity provider and back."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from desk.accounts import remember
from desk.context import desk_of
from desk.errors import NotThere
from desk.live import Desk
from desk.oidc import Provider
from desk.pages.addresses import local

router = APIRouter()
NEXT = "next"


def _provider(desk: Desk) -> Provider:
    if desk.provider is None:
        raise NotThere("this desk knows no identity provider: sign in with a password")
    return desk.provider


@router.get("/sign-in/oidc")
async def leave(request: Request, next: str = "/") -> Response:
    """To the provider's own page."""
    desk = desk_of(request)
    provider = _provider(desk)
    _take(desk, request)
    response = await provider.leave(request)
    request.session[NEXT] = local(next)
    return response


@router.get("/sign-in/oidc/back")
async def come_back(request: Request) -> Response:
    """From there, with a code that is good once."""
    desk = desk_of(request)
    provider = _provider(desk)
    _take(desk, request)
    claimed = await provider.come_back(request)
    now = desk.clock()
    issuer = desk.deployment.settings.oidc.issuer
    user = await run_in_threadpool(remember, desk.store, claimed, issuer, now)
    desk.forget_user(user.name)
    response = RedirectResponse(local(request.session.pop(NEXT, "/")), 303)
    request.session.clear()
    desk.sessions.begin(response, user.name, user.stamp, now)
    return response


def _take(desk: Desk, request: Request) -> None:
    desk.limits.take(f"sign-in {request.client.host if request.client else ''}", desk.clock())
