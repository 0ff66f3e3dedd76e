"""The desk does on a real Elasticsearch what it does on the embedded store."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from bench.tickets import fill
from desk.tokens import make_token
from outcry.demo import AS_OF
from tests.desk.board import SETTINGS, Board
from tests.servers.elasticsearch import Node
from tests.triage.store.conftest import remove_prefix
from triage.store import open_store


@pytest.mark.elasticsearch
def test_accounts_queue_cases_and_keys_live_in_elasticsearch(
    elasticsearch: Node, tmp_path: Path
) -> None:
    prefix = f"test-{secrets.token_hex(4)}"
    store = open_store(
        "elasticsearch",
        url=elasticsearch.url,
        user=elasticsearch.user,
        password=elasticsearch.password,
        prefix=prefix,
    )
    store.setup()
    try:
        fill(store, 30, AS_OF)
        with Board(tmp_path / "home", SETTINGS, store) as board:
            ann, bob = board.person("ann", "agent"), board.person("bob", "agent", "lead")
            shown = ann.get("/queue?size=10").json()
            rest = ann.get(f"/queue?size=200&cursor={shown['next']}").json()
            assert len({row["ticket"] for row in shown["items"] + rest["items"]}) == 30
            first = ann.post("/tickets/next", idempotency_key="one").json()["case"]
            assert ann.post("/tickets/next", idempotency_key="one").json()["case"] == first
            assert bob.post("/tickets/next").json()["case"]["ticket"] != first["ticket"]
            path = f"/tickets/{first['ticket']}"
            mark = f'"{first["mark"]}"'
            assert ann.post(f"{path}/note", {"words": "x"}, if_match=mark).status_code == 200
            assert ann.post(f"{path}/contact", if_match=mark).status_code == 412
            held = {hand["agent"]: hand["held"] for hand in bob.get("/team").json()["hands"]}
            assert held == {"ann": 1, "bob": 1}
            _, words = make_token(store, "ann", "", ["queue.read"], board.now)
            program = board.stranger()
            program.headers["Authorization"] = f"Bearer {words}"
            assert program.get("/api/v1/queue").status_code == 200
    finally:
        remove_prefix(elasticsearch, prefix)
