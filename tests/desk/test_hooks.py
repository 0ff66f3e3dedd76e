"""Webhooks out: what was done is told, signed, until it is heard; what was not is never told."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from desk.chores import Chores
from desk.deployment import HookSettings
from desk.errors import Unusable
from desk.hooks import announce, send_all
from outcry.demo import Demo
from tests.desk.board import SETTINGS, Board
from tests.servers.web import Answer, Request, serving
from triage.signing import signature

SECRET = "between us"


class Receiver:
    """Takes what is posted; ``status`` is what it says to that."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[Request] = []

    def answer(self, request: Request) -> Answer:
        self.got.append(request)
        return Answer(status=self.status)

    @property
    def kinds(self) -> list[str]:
        bodies = [json.loads(request.body) for request in self.got]
        return [event["kind"] for body in bodies for event in body["events"]]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def board(demo: Demo, tmp_path: Path, receiver: Receiver) -> Iterator[Board]:
    import shutil

    home = tmp_path / "desk"
    shutil.copytree(demo.home, home)
    with serving(receiver.answer) as url:
        hooks = {
            "all": HookSettings(url=f"{url}/all"),
            "ends": HookSettings(url=f"{url}/ends", events=("resolved", "dismissed")),
        }
        settings = msgspec.structs.replace(SETTINGS, hooks=hooks, hook_secret=SECRET)
        with Board(home, settings) as made:
            yield made


def _send(board: Board) -> None:
    Chores(board.app.state.desk).round(sweeping=True)


def test_what_is_done_is_told_once_and_signed(board: Board, receiver: Receiver) -> None:
    agent = board.person("ann", "agent")
    name = agent.post("/tickets/next").json()["case"]["ticket"]
    board.later(minutes=1)
    agent.post(f"/tickets/{name}/outcome", {"outcome": "resolved", "words": "helped"})
    _send(board)
    _send(board)
    assert [request.path for request in receiver.got] == ["/all", "/all", "/ends"]
    assert receiver.kinds[0] == "claimed"
    assert sorted(receiver.kinds[1:]) == ["contacted", "noted", "resolved", "resolved"]
    for request in receiver.got:
        stamp = request.headers["x-outcry-timestamp"]
        wanted = signature(SECRET, stamp, request.body)
        assert hmac.compare_digest(request.headers["x-outcry-signature"], wanted)
    body = json.loads(receiver.got[-1].body)
    assert (body["ticket"], body["status"]) == (name, "resolved")
    assert body["id"] == receiver.got[-1].headers["idempotency-key"]


def test_a_receiver_that_is_away_is_told_later_and_again_on_demand(
    board: Board, receiver: Receiver
) -> None:
    agent, operator = board.person("ann", "agent"), board.person("olu", "operator")
    agent.post("/tickets/next")
    receiver.status = 503
    _send(board)
    (hook, _) = operator.get("/hooks").json()["items"]
    assert (hook["waiting"], hook["errors"]) == (1, ["the hook is busy (503)"])
    receiver.status = 200
    board.later(minutes=2)
    _send(board)
    assert operator.get("/hooks").json()["items"][0]["sent"] == 1
    since = {"since": "2026-11-20T00:00:00Z"}
    assert operator.post("/hooks/all/replay", since).json() == {"count": 1}
    _send(board)
    keys = [request.headers["idempotency-key"] for request in receiver.got]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert operator.post("/hooks/other/replay", since).status_code == 404
    assert operator.post("/hooks/all/replay", {"since": "2026-11-20T00:00"}).status_code == 422


def test_what_was_refused_waits_for_somebody_to_look(board: Board, receiver: Receiver) -> None:
    agent, operator = board.person("ann", "agent"), board.person("olu", "operator")
    receiver.status = 410
    agent.post("/tickets/next")
    _send(board)
    board.later(hours=1)
    _send(board)
    assert len(receiver.got) == 1
    assert operator.get("/hooks").json()["items"][0]["failed"] == 1


def test_a_change_that_was_never_made_is_never_told(board: Board, receiver: Receiver) -> None:
    agent = board.person("ann", "agent")
    name = agent.get("/queue?size=1").json()["items"][0]["ticket"]
    assert agent.post(f"/tickets/{name}/resolve").status_code == 409
    _send(board)
    board.later(minutes=1)
    _send(board)
    assert receiver.got == []
    done = send_all(board.settings.desk, board.store, board.now)
    assert {one.waiting for one in done.values()} == {0}


def test_a_desk_that_died_right_after_a_change_still_tells_it(
    board: Board, receiver: Receiver
) -> None:
    """The delivery is in the store before the change is, so that either both are or it is moot."""
    from triage.claims import act

    name = next(board.store.all_tickets()).ticket
    announce(board.app.state.desk, board.store, name, "ann", board.now)
    act(board.store, name, "note", "ann", board.now, board.settings.rules, "x")
    _send(board)
    assert receiver.kinds == ["noted"]


def test_a_store_that_is_away_stops_no_chores(board: Board, receiver: Receiver) -> None:
    board.person("ann", "agent").post("/tickets/next")
    board.down = True
    _send(board)
    board.down = False
    _send(board)
    assert receiver.kinds == ["claimed"]


def test_webhooks_without_a_secret_are_refused_at_the_start(tmp_path: Path) -> None:
    hooks = {"crm": HookSettings(url="https://crm.example.com")}
    with pytest.raises(Unusable, match="OUTCRY_DESK_HOOK_SECRET"):
        Board(tmp_path / "home", msgspec.structs.replace(SETTINGS, hooks=hooks))
