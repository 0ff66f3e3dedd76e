from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from tests.triage.build import NOW, RULES, START, heard, only_ticket, triage
from tests.triage.dict_store import DictStore
from triage import claims
from triage.errors import IllegalMove
from triage.store import open_store

LEASE = RULES.lease


def test_a_heartbeat_keeps_the_claim_and_leaves_no_history() -> None:
    store = DictStore()
    triage(store, [heard("1")])
    held = claims.claim_next(store, "eve", NOW, RULES)
    assert held is not None
    events = len(store.events(held.ticket))
    later = NOW + LEASE - timedelta(minutes=1)
    longer = claims.heartbeat(store, held.ticket, "eve", later, RULES)
    assert longer.handling.lease_until == later + LEASE
    assert claims.claim_next(store, "joe", NOW + LEASE, RULES) is None
    assert len(store.events(held.ticket)) == events
    with pytest.raises(IllegalMove, match="joe"):
        claims.heartbeat(store, held.ticket, "joe", later + LEASE, RULES)


def test_a_ticket_put_off_comes_back_at_its_time_or_when_the_customer_writes() -> None:
    store = DictStore()
    triage(store, [heard("1")])
    held = claims.claim_next(store, "eve", NOW, RULES)
    assert held is not None
    until = NOW + timedelta(days=2)
    claims.act(store, held.ticket, "snooze", "eve", NOW, RULES, until=until)
    assert claims.claim_next(store, "joe", until - timedelta(minutes=1), RULES) is None
    triage(store, [heard("2", "thanks for nothing", hours=24, parent_id="1", complaint=False)])
    assert only_ticket(store).handling.snoozed_until is None
    assert [event.kind for event in store.events(held.ticket)].count("woken") == 1
    assert claims.claim_next(store, "joe", NOW, RULES) is not None


def test_who_waits_for_the_customer_gets_the_ticket_back_with_the_answer() -> None:
    store = DictStore()
    triage(store, [heard("1")])
    held = claims.claim_next(store, "eve", START, RULES)
    assert held is not None
    claims.act(store, held.ticket, "wait", "eve", START, RULES, "which order?")
    assert claims.claim_next(store, "joe", START + timedelta(days=1), RULES) is None
    triage(store, [heard("2", "order 4711", hours=24, parent_id="1", complaint=False)])
    assert only_ticket(store).status == "reopened"
    silent = only_ticket(store)
    claims.act(store, silent.ticket, "claim", "eve", NOW, RULES)
    claims.act(store, silent.ticket, "wait", "eve", NOW, RULES)
    assert claims.claim_next(store, "joe", NOW + RULES.wait, RULES) is not None


def _work(path: Path, agent: str, log: Path) -> None:
    """Claim and resolve until nothing is left; note each claim before anything else is done."""
    store = open_store("sqlite", path=path)
    with log.open("a") as notes:
        while (held := claims.claim_next(store, agent, NOW, RULES)) is not None:
            notes.write(f"{held.ticket} {agent}\n")
            notes.flush()
            claims.act(store, held.ticket, "resolve", agent, NOW, RULES)
    store.close()


def test_workers_killed_at_random_lose_nothing_and_none_is_handed_out_twice(
    tmp_path: Path,
) -> None:
    path, tickets = tmp_path / "outcry.db", 120
    store = open_store("sqlite", path=path)
    store.setup()
    words = ("kettle", "invoice", "parcel", "router", "flight", "shoe")
    triage(
        store,
        [
            heard(str(n), f"case {1000 + n}: my {words[n % 6]} number {n} is a disgrace", f"p{n}")
            for n in range(tickets)
        ],
    )
    rng = random.Random(5)
    context = multiprocessing.get_context("spawn")
    logs = [tmp_path / f"{n}.log" for n in range(6)]
    workers = [
        context.Process(target=_work, args=(path, f"agent{n}", log)) for n, log in enumerate(logs)
    ]
    for worker in workers:
        worker.start()
    while not any(log.exists() and log.stat().st_size for log in logs):
        time.sleep(0.01)
    for worker in rng.sample(workers, 3):
        time.sleep(0.1)
        if worker.is_alive() and worker.pid:
            os.kill(worker.pid, signal.SIGKILL)
    for worker in workers:
        worker.join(60)
    lines = [line for log in logs if log.exists() for line in log.read_text().splitlines()]
    claimed = Counter(line.split()[0] for line in lines)
    assert set(claimed.values()) == {1}
    held = [ticket for ticket in store.all_tickets() if ticket.status == "claimed"]
    assert len(held) <= 3
    for _ in held:
        assert claims.claim_next(store, "eve", NOW + LEASE, RULES) is not None
    assert claims.claim_next(store, "eve", NOW + LEASE, RULES) is None
    assert len({ticket.ticket for ticket in store.all_tickets()}) == tickets
    store.close()
