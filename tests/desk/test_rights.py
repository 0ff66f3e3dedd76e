"""Who may do what: the table, every route tried by every role, and the page that says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from desk.api.answers import right_of
from desk.rights import ALL, RIGHTS, ROLES, WORDS, Role, rights_of
from desk.rights_page import BEGIN, END, matrix
from tests.desk.board import Board

PAGE = Path(__file__).parents[2] / "docs" / "desk.md"
OPEN_TO_STRANGERS = {"/health", "/sign-in", "/sign-in/oidc", "/sign-in/oidc/back"}


def _routes(board: Board) -> Iterator[tuple[APIRoute, str]]:
    for route in board.app.routes:
        if isinstance(route, APIRoute):
            for method in sorted(route.methods - {"HEAD"}):
                yield route, method


def _address(route: APIRoute) -> str:
    """The route's address with something in each place that names nothing."""
    address = route.path_format
    for name in route.param_convertors:
        address = address.replace(f"{{{name}}}", "zzzz")
    return address


def test_every_right_is_somebodys_and_has_its_words() -> None:
    assert rights_of(ROLES) == set(ALL) == set(WORDS)
    assert set(RIGHTS) == set(ROLES)


def test_every_route_but_the_sign_in_page_lets_no_stranger_in(board: Board) -> None:
    stranger = board.stranger()
    for route, method in _routes(board):
        answer = stranger.request(method, _address(route))
        if route.path in OPEN_TO_STRANGERS:
            assert answer.status_code != 500
        elif route.path.startswith("/api/"):
            assert answer.status_code == 401, f"{method} {route.path}"
        else:
            assert answer.status_code == 303, f"{method} {route.path}"
            assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_through_to_what_is_its_own_and_to_nothing_else(
    board: Board, role: Role
) -> None:
    person = board.person(role, role)
    for route, method in _routes(board):
        right = right_of(route)
        if right is None or route.path.endswith("/events"):
            continue
        answer = person.client.request(
            method, _address(route), headers={"X-CSRF-Token": person.csrf}
        )
        refused = answer.status_code == 403 and WORDS[right] in answer.text
        assert refused == (right not in RIGHTS[role]), f"{role} {method} {route.path}"


def test_the_matrix_in_the_documentation_is_the_applications(board: Board) -> None:
    text = PAGE.read_text()
    shown = text.partition(BEGIN)[2].partition(END)[0].strip()
    assert shown == matrix(board.app).strip(), "run 'python -m desk.rights_page'"
