"""Many agents at one queue, some of them killed: ``python -m bench.claims [sqlite | URL]``.

Fifty processes claim and resolve ten thousand tickets; at random moments some are killed and
others take their place. Says how many tickets were handed out twice (to two agents while the
first one's lease was good), how many were lost, and how long `next` took.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path

from bench.tickets import fill
from triage import claims
from triage.errors import Conflict, StoreUnavailable
from triage.rules import Rules
from triage.store import Store, open_store
from triage.ticket import OPEN

RULES = Rules()
START = datetime(2026, 5, 4, 6, tzinfo=UTC)


def main() -> None:
    """Print the counts and the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", nargs="?", default="sqlite", help="sqlite, or http://user:pw@host")
    parser.add_argument("--tickets", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=50)
    parser.add_argument("--kills", type=int, default=25)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(race(given.store, Path(folder), given.tickets, given.workers, given.kills))


def opened(where: str, folder: Path) -> Store:
    """The embedded store in the folder, or the cluster at an address."""
    if where == "sqlite":
        return open_store("sqlite", path=folder / "outcry.db")
    return open_store("elasticsearch", url=where, prefix=f"bench-{folder.name.lower()}")


def race(where: str, folder: Path, tickets: int, workers: int, kills: int) -> str:
    """Run the race; a paragraph about it."""
    store = opened(where, folder)
    store.setup()
    fill(store, tickets, START)
    rng = random.Random(1)
    begin = time.perf_counter()
    staff = {n: _hire(where, folder, n) for n in range(workers)}
    hired = workers
    for _ in range(kills):
        time.sleep(rng.uniform(0.1, 0.5))
        n = rng.choice(_at_work(folder, staff))
        pid = staff[n].pid
        if pid is not None and staff[n].is_alive():
            os.kill(pid, signal.SIGKILL)
        staff[n].join()
        del staff[n]
        staff[hired] = _hire(where, folder, hired)
        hired += 1
    for worker in staff.values():
        worker.join()
    seconds = time.perf_counter() - begin
    # Whoever was killed held a ticket: with the lease it comes back.
    late = START + RULES.lease + timedelta(hours=1)
    back = 0
    while (held := claims.claim_next(store, "last", late, RULES)) is not None:
        claims.act(store, held.ticket, "resolve", "last", late, RULES)
        back += 1
    waiting = sum(ticket.status in OPEN for ticket in store.all_tickets())
    store.close()
    return _report(folder, where, tickets, workers, kills, back, waiting, seconds)


def _hire(where: str, folder: Path, n: int) -> BaseProcess:
    worker = multiprocessing.get_context("spawn").Process(target=_work, args=(where, folder, n))
    worker.start()
    return worker


def _at_work(folder: Path, staff: dict[int, BaseProcess]) -> list[int]:
    """Those who have claimed a ticket; it takes a while to start."""
    while True:
        logs = {n: folder / f"agent{n}.log" for n in sorted(staff)}
        found = [n for n, log in logs.items() if log.exists() and log.stat().st_size]
        if found:
            return found
        time.sleep(0.1)


def _work(where: str, folder: Path, n: int) -> None:
    store, agent = opened(where, folder), f"agent{n}"
    with (folder / f"{agent}.log").open("w") as log:
        while True:
            start = time.perf_counter()
            try:
                held = claims.claim_next(store, agent, START, RULES)
            except (Conflict, StoreUnavailable):
                continue
            if held is None:
                return
            log.write(f"{held.ticket} {time.perf_counter() - start:.6f}\n")
            log.flush()
            claims.act(store, held.ticket, "resolve", agent, START, RULES)


def _report(
    folder: Path,
    where: str,
    tickets: int,
    workers: int,
    kills: int,
    back: int,
    waiting: int,
    seconds: float,
) -> str:
    handed: dict[str, int] = defaultdict(int)
    times = []
    for log in folder.glob("*.log"):
        for line in log.read_text().splitlines():
            ticket, _, took = line.partition(" ")
            handed[ticket] += 1
            times.append(float(took))
    times.sort()
    twice = sum(count > 1 for count in handed.values())
    p50, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.99))
    kind = "sqlite" if where == "sqlite" else "elasticsearch"
    return (
        f"{kind}: {tickets:,} tickets, {workers} workers, {kills} killed: {twice} handed out "
        f"twice, {waiting} lost, {back} came back from the dead; {seconds:.0f} s, "
        f"{len(times) / seconds:,.0f} claims/s, next p50 {p50:.0f} ms, p99 {p99:.0f} ms"
    )


if __name__ == "__main__":
    main()
