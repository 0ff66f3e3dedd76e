"""The matrix of role by route for the documentation: ``python -m desk.rights_page`` writes it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute

from desk.api.answers import right_of
from desk.app import create_app
from desk.deployment import Deployment
from desk.rights import RIGHTS, ROLES
from triage.errors import StoreUnavailable
from triage.store.base import Store

PAGE = Path(__file__).parent.parent / "docs" / "desk.md"
BEGIN, END = "<!-- rights -->", "<!-- /rights -->"


def matrix(app: FastAPI) -> str:
    """A line for each route of the API, by what it needs: which roles may call it."""
    lines = [
        f"| right | routes under `/api/v1` | {' | '.join(ROLES)} |",
        f"| --- | --- | {' | '.join('---' for _ in ROLES)} |",
    ]
    by_right: dict[str, list[str]] = {}
    for right, route in sorted(_routes(app)):
        by_right.setdefault(right, []).append(route)
    for right, routes in by_right.items():
        marks = ["yes" if _may(role, right) else "" for role in ROLES]
        lines.append(f"| `{right}` | {', '.join(routes)} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def _routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in sorted(route.methods - {"HEAD"}):
                path = route.path_format.removeprefix("/api/v1")
                yield right_of(route) or "signed in", f"`{method} {path}`"


def _may(role: str, right: str) -> bool:
    return right == "signed in" or any(
        right in rights for name, rights in RIGHTS.items() if name == role
    )


def _no_store() -> Store:
    raise StoreUnavailable("the matrix needs no store: ask for none")


def main() -> None:
    """Write the matrix into the page, between its two marks."""
    with tempfile.TemporaryDirectory() as home:
        deployment = Deployment(home=Path(home), open_store=_no_store)
        text = matrix(create_app(deployment))
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
