"""The client of one file works against the real application."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from desk.client import DeskClient, Refused
from desk.rights import RIGHTS
from desk.tokens import make_token
from tests.desk.board import Board
from tests.desk.running import running


@pytest.fixture
def client(board: Board) -> Iterator[DeskClient]:
    board.person("ann", "agent", "lead")
    scopes = sorted(RIGHTS["agent"] | RIGHTS["lead"])
    _, words = make_token(board.store, "ann", "tests", scopes, board.now)
    with (
        running(board.app) as url,
        DeskClient(url, words, sleep=lambda _: _come_back(board)) as made,
    ):
        yield made


def _come_back(board: Board) -> None:
    board.down = False
    board.later(seconds=20)


def test_a_program_works_a_case_through(board: Board, client: DeskClient) -> None:
    rows = list(client.queue(page=3))
    assert len(rows) == len({row.ticket for row in rows}) > 10
    row = client.next()
    assert row is not None
    assert row.ticket == rows[0].ticket
    case = client.case(row.ticket)
    assert client.who(row.ticket, "to answer").person is not None
    done = client.move(row.ticket, "contact", "wrote", seen=case.row.mark)
    with pytest.raises(Refused, match="look at it again") as refused:
        client.outcome(row.ticket, "resolved", seen=case.row.mark)
    assert refused.value.status == 412
    assert client.outcome(row.ticket, "resolved", seen=done.mark).status == "resolved"
    assert client.customer(case.customer).cases
    assert client.team().hands == ()


def test_a_program_handles_incidents(client: DeskClient) -> None:
    (row,) = client.incidents()
    found = client.incident(row.incident)
    fixed = client.act_on_incident(row.incident, "fix", "the fault", seen=found.mark)
    assert fixed.row.state == "fixed"


def test_a_store_that_comes_back_is_waited_for(board: Board, client: DeskClient) -> None:
    row = client.next()
    assert row is not None
    board.down = True
    assert client.move(row.ticket, "note", "x").ticket == row.ticket
    assert client.case(row.ticket).note == "x"


def test_what_the_desk_refuses_is_said_in_its_words(client: DeskClient) -> None:
    with pytest.raises(Refused, match="no ticket begins with") as refused:
        client.case("zzzz")
    assert refused.value.status == 404


def test_an_address_that_is_no_desk_is_said_so() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(418, text="tea"))
    with (
        DeskClient("http://nowhere.test", "oct_x", transport=transport) as client,
        pytest.raises(Refused, match="is the address right"),
    ):
        client.mine()
