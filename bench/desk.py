"""Fifty agents clicking at the desk: ``python -m bench.desk [sqlite | URL] --tickets 200000``.

One server process on the loopback, agents who look at the queue, page, filter, open cases, claim
and note, each with a pause between two clicks. Says for each kind of click what it cost (the
store's own time and the server's own work, see `bench.costs`), how long it took by the clock, and
how much memory the server used. With ``--prefix`` the tickets of an earlier run are used again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bench.costs import Costs, watched
from bench.tickets import fill
from desk.accounts import add_user
from desk.deployment import Deployment, DeskSettings
from triage.store import Store, open_store
from triage.store.base import QueueFilter

START = datetime(2026, 5, 4, 6, tzinfo=UTC)
PASSWORD = "a password of the bench"
SETTINGS = DeskSettings(calls_per_minute=1_000_000)
TICKET = re.compile(r'data-ticket="([^"]+)"')
CURSOR = re.compile(r'href="/queue\?[^"]*cursor=([^"&]+)')
WARM_S = 20
"""Everybody signs in, which is not measured: hashing a password is slow on purpose."""
CLICKS = (
    *("queue", "queue", "queue", "filtered", "further"),
    *("case", "claim", "note", "queue by API"),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", nargs="?", default="sqlite", help="sqlite, or http://user:pw@host")
    parser.add_argument("--tickets", type=int, default=200_000)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--pause", type=float, default=2, help="seconds between two clicks")
    parser.add_argument("--prefix", help="of indices to fill, or to use again if they are full")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prefix = given.prefix or f"bench-{folder.name.lower()}"
        store = _opened(given.store, folder, prefix)
        store.setup()
        begin = time.perf_counter()
        if store.count(QueueFilter()) < given.tickets:
            fill(store, given.tickets, START)
        staff = [f"agent{number}" for number in range(given.agents)]
        for agent in staff:
            add_user(store, agent, ("agent",), PASSWORD, START)
        print(
            f"{store.count(QueueFilter())} tickets and {given.agents} agents in "
            f"{time.perf_counter() - begin:.0f} s"
        )
        store.close()
        with _serving(given.store, folder, prefix) as address:
            asyncio.run(_clicking(address, staff, given.seconds, given.pause))
        print(_table(json.loads((folder / "costs.json").read_text())))


def _opened(where: str, folder: Path, prefix: str) -> Store:
    if where == "sqlite":
        return open_store("sqlite", path=folder / "outcry.db")
    return open_store("elasticsearch", url=where, prefix=prefix)


@contextmanager
def _serving(where: str, folder: Path, prefix: str) -> Iterator[str]:
    """The address of a server in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    ready, done = spawn.Queue(), spawn.Event()
    server = spawn.Process(target=_serve, args=(where, folder, prefix, ready, done))
    server.start()
    try:
        yield ready.get(timeout=60)
    finally:
        done.set()
        server.join()


def _serve(where: str, folder: Path, prefix: str, ready: Any, done: Any) -> None:
    import uvicorn

    from desk.app import create_app

    deployment = Deployment(
        home=folder, open_store=lambda: _opened(where, folder, prefix), settings=SETTINGS
    )
    counted = Costs(create_app(deployment))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(counted, log_level="warning"))
    thread = threading.Thread(target=server.run, args=[[listening]])
    with watched():
        thread.start()
        ready.put(f"http://127.0.0.1:{listening.getsockname()[1]}")
        done.wait()
        server.should_exit = True
        thread.join()
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    result = {
        "costs": {
            click: [(1000 * one.store, 1000 * one.work, 1000 * one.clock) for one in costs]
            for click, costs in counted.costs.items()
        },
        "statuses": counted.statuses,
        "peak_mb": peak / 1024,
        "load": os.getloadavg()[0],
    }
    (folder / "costs.json").write_text(json.dumps(result))


async def _clicking(address: str, staff: list[str], seconds: float, pause: float) -> None:
    begin = time.monotonic() + WARM_S
    async with asyncio.TaskGroup() as group:
        for number, agent in enumerate(staff):
            group.create_task(_agent(address, agent, random.Random(number), begin, seconds, pause))


async def _agent(
    address: str, name: str, rng: random.Random, begin: float, seconds: float, pause: float
) -> None:
    async with httpx.AsyncClient(base_url=address, timeout=60) as browser:
        await asyncio.sleep(rng.uniform(0, WARM_S / 2))
        await browser.post("/sign-in", data={"name": name, "password": PASSWORD})
        me = (await browser.get("/api/v1/me")).json()
        browser.headers["X-CSRF-Token"] = me["csrf"]
        shown: list[str] = []
        further = ""
        while (now := time.monotonic()) < begin + seconds:
            click = rng.choice(CLICKS)
            if (click in ("case", "note") and not shown) or (click == "further" and not further):
                click = "queue"
            browser.headers["X-Click"] = click if now > begin else ""
            if click == "case":
                await browser.get(f"/cases/{rng.choice(shown)}")
            elif click == "claim":
                await browser.post("/api/v1/tickets/next", json={})
            elif click == "note":
                note = f"/api/v1/tickets/{rng.choice(shown)}/note"
                await browser.post(note, json={"words": "looked at it"})
            elif click == "queue by API":
                await browser.get("/api/v1/queue?size=50")
            else:
                more = {"filtered": "tier=P2&source=reddit", "further": f"cursor={further}"}
                page = (await browser.get(f"/queue?{more.get(click, '')}")).text
                shown = TICKET.findall(page) or shown
                further = next(iter(CURSOR.findall(page)), "")
            await asyncio.sleep(rng.uniform(0.5, 1.5) * pause)


def _table(found: dict[str, Any]) -> str:
    lines = [
        "milliseconds         cost                 store    work    by the clock",
        "click         count  p50    p90    p99    p99      p99     p50    p90    p99   most",
    ]
    for click, costs in sorted(found["costs"].items()):
        store, work, clock = zip(*costs, strict=True)
        both = [one + other for one, other, _ in costs]
        cells = (
            *(_share(both, share) for share in (0.5, 0.9, 0.99)),
            *(_share(times, 0.99) for times in (store, work)),
            *(_share(clock, share) for share in (0.5, 0.9, 0.99, 1)),
        )
        lines.append(f"{click:<12} {len(costs):6d}" + "".join(f"{one:7.1f}" for one in cells))
    failed = {name: n for name, n in found["statuses"].items() if name.split()[-1] >= "400"}
    lines.append(f"{found['load']:.1f} programs wanted the {os.cpu_count()} cores meanwhile")
    lines.append(f"server's memory at most {found['peak_mb']:.0f} MB; refused: {failed or 'none'}")
    return "\n".join(lines)


def _share(values: Sequence[float], share: float) -> float:
    """The value that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


if __name__ == "__main__":
    main()
