"""Signing in and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from desk.accounts import sign_in
from desk.context import Here, anybody, desk_of, visitor
from desk.errors import NotAllowed, SignInFailed
from desk.origin import check_origin
from desk.pages.addresses import local
from desk.pages.drawing import draw

router = APIRouter()


@router.get("/sign-in")
def form(
    request: Request, who: Annotated[Here | None, Depends(visitor)], next: str = "/"
) -> Response:
    """The form; who is signed in already goes on."""
    if who is not None:
        return RedirectResponse(local(next), 303)
    return _form(request, next)


@router.post("/sign-in")
def enter(
    request: Request,
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=1000)] = "",
    next: Annotated[str, Form(max_length=2000)] = "/",
) -> Response:
    """Sign in with a password."""
    check_origin(request)
    desk = desk_of(request)
    now = desk.clock()
    desk.limits.take(f"sign-in {request.client.host if request.client else ''}", now)
    settings = desk.deployment.settings
    try:
        user = sign_in(desk.store, name, password, now, settings.failures, settings.locked)
    except SignInFailed as error:
        return _form(request, next, name=name, error=str(error), status=401)
    desk.forget_user(user.name)
    response = RedirectResponse(local(next), 303)
    desk.sessions.begin(response, user.name, user.stamp, now)
    return response


@router.post("/sign-out")
def leave(here: Annotated[Here, anybody()]) -> Response:
    """Sign out of this browser."""
    if here.session is None:
        raise NotAllowed("a token cannot sign out: end it instead")
    response = RedirectResponse("/sign-in", 303)
    here.desk.sessions.end(response)
    return response


def _form(
    request: Request, next: str, *, name: str = "", error: str = "", status: int = 200
) -> Response:
    desk = desk_of(request)
    return draw(
        request,
        "signin.html",
        status=status,
        name=name,
        next=local(next),
        error=error,
        brand=desk.deployment.brand,
        elsewhere=bool(desk.deployment.settings.oidc.issuer),
    )
