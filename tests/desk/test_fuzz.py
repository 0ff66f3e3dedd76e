"""Whatever is sent to the API by whoever, it answers as its description says, and never fails."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from desk.api.answers import right_of
from desk.rights import RIGHTS, ROLES, WORDS, Role
from outcry.demo import Demo
from tests.desk.board import Board

EXAMPLES = 5
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def fuzzed(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    home = tmp_path_factory.mktemp("fuzzed") / "home"
    shutil.copytree(demo.home, home)
    with Board(home) as board:
        yield board


def _names(board: Board) -> dict[str, list[str]]:
    """What an address may name so that there is something."""
    tickets = list(board.store.all_tickets())
    people = sorted({ticket.customer for ticket in tickets if ticket.customer})
    incidents = sorted({ticket.incident for ticket in tickets if ticket.incident})
    return {
        "ticket": sorted(ticket.ticket for ticket in tickets),
        "incident": incidents,
        "customer": people,
        "other": people,
    }


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
def test_nothing_that_is_sent_breaks_the_api(fuzzed: Board, role: Role) -> None:
    person = fuzzed.person(role, role)
    names = _names(fuzzed)
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", fuzzed.app)
    rights = {
        (method, route.path_format): right_of(route)
        for route in fuzzed.app.routes
        if hasattr(route, "dependant")
        for method in route.methods
    }
    for found in schema.get_all_operations():
        operation = found.ok()

        @seed(7)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        )
        @given(case=operation.as_strategy(), data=st.data())
        def call(case: Any, data: st.DataObject) -> None:
            for name in case.path_parameters or {}:
                if name in names and names[name] and data.draw(st.booleans()):
                    case.path_parameters[name] = data.draw(st.sampled_from(names[name]))
            # Who calls is not the fuzzer's to say.
            case.cookies = dict(person.client.cookies)
            sent = {k: v for k, v in (case.headers or {}).items() if k != "Authorization"}
            case.headers = {**sent, "X-CSRF-Token": person.csrf}
            (case.query or {}).pop("token", None)
            answer = case.call()
            case.validate_response(answer, checks=CHECKS)
            right = rights[case.operation.method.upper(), case.operation.path]
            assert answer.status_code != 401
            if right is not None and right not in RIGHTS[role]:
                assert answer.status_code in (403, 422)
                if answer.status_code == 403:
                    assert WORDS[right] in answer.text

        call()
