"""Every error as an answer: problem+json (RFC 9457) for the API, a page for people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from desk.errors import DeskError, NotSignedIn, TooManyCalls
from triage.errors import (
    BadRules,
    Busy,
    Conflict,
    IllegalMove,
    NoSuchTicket,
    Stale,
    StoreRefused,
    StoreUnavailable,
    TriageError,
)

API = "/api/"
RETRY_S = 5
STATUSES: tuple[tuple[type[TriageError], int, str], ...] = (
    (NoSuchTicket, 404, "nothing of that name"),
    (IllegalMove, 409, "not possible as it stands"),
    (Stale, 412, "changed since it was read"),
    (Conflict, 409, "changed by others"),
    (BadRules, 422, "cannot be used"),
    (Busy, 503, "busy"),
    (StoreUnavailable, 503, "the store does not answer"),
    (StoreRefused, 503, "the store refuses"),
    (TriageError, 409, "not possible"),
)
TITLES = {
    400: "not understood",
    401: "not signed in",
    403: "not allowed",
    404: "nothing of that name",
    405: "not for this address",
    409: "not possible as it stands",
    412: "changed since it was read",
    413: "too large",
    422: "cannot be used",
    428: "say what you have read",
    429: "too many calls",
    503: "the store does not answer",
}

Page = Callable[[Request, "Problem"], Response]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong, as RFC 9457 writes it."""

    status: int
    title: str
    detail: str
    retry_after: int | None = None


def problem_of(error: Exception) -> Problem:
    """The problem that an error of ours is."""
    if isinstance(error, DeskError):
        after = error.after if isinstance(error, TooManyCalls) else None
        title = TITLES.get(error.status, "not possible")
        return Problem(status=error.status, title=title, detail=str(error), retry_after=after)
    for kind, status, title in STATUSES:
        if isinstance(error, kind):
            after = RETRY_S if status == 503 else None
            return Problem(status=status, title=title, detail=str(error), retry_after=after)
    raise error


def as_json(problem: Problem) -> Response:
    """The answer of the API."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    headers = headers_of(problem)
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="outcry"'
    return Response(
        msgspec.json.encode(body),
        problem.status,
        headers,
        media_type="application/problem+json",
    )


def headers_of(problem: Problem) -> dict[str, str]:
    """The headers that go with a problem."""
    headers = {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    return headers


def install(app: FastAPI, page: Page) -> None:
    """Let every error of ours end as a problem; ``page`` draws it for people."""

    def answer(request: Request, problem: Problem) -> Response:
        if request.url.path.startswith(API):
            return as_json(problem)
        return page(request, problem)

    async def ours(request: Request, error: Exception) -> Response:
        if isinstance(error, NotSignedIn) and not request.url.path.startswith(API):
            return _to_sign_in(request)
        return answer(request, problem_of(error))

    async def unusable(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(request, Problem(status=422, title=TITLES[422], detail=_faults(error)))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        title = TITLES.get(error.status_code, "not possible")
        given = Problem(status=error.status_code, title=title, detail=str(error.detail))
        response = answer(request, given)
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        return response

    handlers: Mapping[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        DeskError: ours,
        TriageError: ours,
        RequestValidationError: unusable,
        HTTPException: http,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def _to_sign_in(request: Request) -> Response:
    """A browser without a session is led to the sign-in page, and back when it is done."""
    if "text/event-stream" in request.headers.get("accept", ""):
        # Whoever listens cannot follow to a page, and would ask again and again.
        return Response("event: ended\ndata: sign in again\n\n", media_type="text/event-stream")
    if request.headers.get("hx-request"):
        # A part of a page was asked for: the way back is to the page.
        page = urlsplit(request.headers.get("hx-current-url", ""))
        return Response(status_code=401, headers={"HX-Redirect": _sign_in(page.path, page.query)})
    back = request.url.path if request.method == "GET" else ""
    return RedirectResponse(_sign_in(back, request.url.query), 303)


def _sign_in(path: str, query: str) -> str:
    back = f"{path}?{query}" if path and query else path
    return f"/sign-in?next={quote(back, safe='')}" if back else "/sign-in"


def _faults(error: RequestValidationError) -> str:
    said = []
    for fault in error.errors()[:5]:
        place = ".".join(str(part) for part in fault["loc"] if part != "body")
        said.append(f"{place or 'body'}: {fault['msg']}")
    return "; ".join(said) or "the request cannot be read"
