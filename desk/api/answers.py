"""Answers of the API: records of ours as JSON, and how OpenAPI is told of them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import FastAPI, Header
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import Response

from desk.context import Needs
from desk.errors import Unusable

COMPONENT = "#/components/schemas/{name}"

_known: dict[str, Any] = {}


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """Every error, as RFC 9457 writes it."""

    type: str
    title: str
    status: int
    detail: str
    """What is wrong, and what to do."""


def answer(record: Any, mark: str | None = None, status: int = 200) -> Response:
    """A record as JSON; ``mark`` is its ETag."""
    headers = {"ETag": f'"{mark}"'} if mark is not None else {}
    body = msgspec.json.encode(record)
    return Response(body, status, headers, media_type="application/json")


def says(kind: type, what: str = "Done.", status: int = 200) -> dict[int | str, dict[str, Any]]:
    """What a route's ``responses`` say of a record that it answers with."""
    _known[kind.__name__] = kind
    schema = {"$ref": COMPONENT.format(name=kind.__name__)}
    return {status: {"description": what, "content": {"application/json": {"schema": schema}}}}


def seen(
    if_match: Annotated[
        str | None, Header(description='The ETag of what was read, as `"…"`; else 412.')
    ] = None,
) -> str | None:
    """The mark that ``If-Match`` names; None where there is none, or ``*``."""
    if if_match is None or if_match.strip() == "*":
        return None
    mark = if_match.strip()
    if len(mark) < 3 or mark[0] != '"' or mark[-1] != '"':
        raise Unusable("If-Match is not an ETag of ours: send it as it came, in double quotes")
    return mark[1:-1]


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document: records, errors, rights and ways to sign in included."""
    if app.openapi_schema:
        return app.openapi_schema
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=(
            "Everything that the pages do. Sign in with a token (`Authorization: Bearer`), made "
            "under `/api/v1/tokens` or by `outcry desk token`. Changes take `If-Match` with the "
            "ETag of what was read and `Idempotency-Key`, by which the same change is made once."
        ),
        routes=app.routes,
    )
    records = [*_known.values(), Refused]
    _, schemas = msgspec.json.schema_components(records, ref_template=COMPONENT)
    components = made.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas)
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": "outcry_session"},
    }
    refused = {
        "description": "Why not, and what to do.",
        "content": {
            "application/problem+json": {"schema": {"$ref": COMPONENT.format(name="Refused")}}
        },
    }
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods:
                operation = made["paths"][route.path_format][method.lower()]
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = refused
                operation["security"] = [{"token": []}, {"session": []}]
                operation["x-right"] = right_of(route) or "signed in"
    app.openapi_schema = made
    return made


def right_of(route: APIRoute) -> str | None:
    """The right that a route needs, as its signature says; None if it needs none."""
    for dependency in route.dependant.dependencies:
        if isinstance(dependency.call, Needs):
            return dependency.call.right
    return None
