"""Fifty agents clicking at the desk: ``python -m bench.desk [sqlite | URL] --tickets 200000``.

One server process on the loopback, agents who look at the queue, page, filter, open cases, claim
and note, each with a pause between two clicks. Says how long the server took for each kind of
click, from the first byte of the question to the last of the answer (the store's time is in it),
and how much memory it used. On a machine that does other work beside, the best time and the
server's own work say more than the percentiles. With ``--prefix`` the tickets of an earlier run
are used again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import socket
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bench.tickets import fill
from desk.accounts import add_user
from desk.deployment import Deployment, DeskSettings
from triage.store import Store, open_store
from triage.store.base import QueueFilter

START = datetime(2026, 5, 4, 6, tzinfo=UTC)
PASSWORD = "a password of the bench"
SETTINGS = DeskSettings(calls_per_minute=1_000_000)
WARM_S = 12
"""Everybody signs in, which is not measured: hashing a password is slow on purpose."""
CLICKS = ("queue", "queue", "queue", "filter", "page two", "case", "claim", "note", "html")


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
        print(_table(json.loads((folder / "times.json").read_text())))


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
    timed = _Timed(create_app(deployment))
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(timed, log_level="warning"))
    thread = threading.Thread(target=server.run, args=[[listening]])
    thread.start()
    ready.put(f"http://127.0.0.1:{listening.getsockname()[1]}")
    done.wait()
    server.should_exit = True
    thread.join()
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    result = {
        "times": timed.times,
        "statuses": timed.statuses,
        "peak_mb": peak / 1024,
        "cpu_s": time.process_time() - timed.worked_before,
        "load": os.getloadavg()[0],
    }
    (folder / "times.json").write_text(json.dumps(result))


class _Timed:
    """ASGI middleware that notes how long each click took, by the click's name."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.times: dict[str, list[float]] = defaultdict(list)
        self.statuses: dict[str, int] = defaultdict(int)
        self.worked_before = 0.0
        """Seconds of work before the first click."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers", ()))
        click = headers.get(b"x-click", b"").decode()
        begin = time.perf_counter()
        if click and not self.worked_before:
            self.worked_before = time.process_time()

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.statuses[f"{click or 'other'} {message['status']}"] += 1
            await send(message)

        await self._app(scope, receive, sending)
        if click:
            self.times[click].append(time.perf_counter() - begin)


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
        following: str | None = None
        while (now := time.monotonic()) < begin + seconds:
            click = rng.choice(CLICKS)
            headers = {"X-Click": click if now > begin else ""}
            path = "/api/v1/queue?size=50"
            if click == "html":
                await browser.get("/queue", headers=headers)
            elif click == "case" and shown:
                await browser.get(f"/api/v1/tickets/{rng.choice(shown)}", headers=headers)
            elif click == "claim":
                await browser.post("/api/v1/tickets/next", json={}, headers=headers)
            elif click == "note" and shown:
                note = f"/api/v1/tickets/{rng.choice(shown)}/note"
                await browser.post(note, json={"words": "looked at it"}, headers=headers)
            elif click in ("queue", "filter") or following is None:
                path += "&tier=P2&source=reddit" if click == "filter" else ""
                if headers["X-Click"] != "filter" and now > begin:
                    headers = {"X-Click": "queue"}
                page = (await browser.get(path, headers=headers)).json()
                shown = [row["ticket"] for row in page["items"]] or shown
                following = page["next"]
            else:
                await browser.get(f"{path}&cursor={following}", headers=headers)
            await asyncio.sleep(rng.uniform(0.5, 1.5) * pause)


def _table(found: dict[str, Any]) -> str:
    lines = ["click       count  best ms   p50 ms   p90 ms   p99 ms   most ms"]
    for click, times in sorted(found["times"].items()):
        times.sort()
        shares = [times[min(len(times) - 1, int(len(times) * share))] for share in (0.5, 0.9, 0.99)]
        cells = "".join(f"{1000 * one:9.1f}" for one in (times[0], *shares, times[-1]))
        lines.append(f"{click:<10} {len(times):6d}{cells}")
    failed = {name: n for name, n in found["statuses"].items() if name.split()[-1] >= "400"}
    clicks = sum(map(len, found["times"].values()))
    lines.append(
        f"the server's own work is {1000 * found['cpu_s'] / clicks:.1f} ms a click; "
        f"{found['load']:.1f} programs wanted the {os.cpu_count()} cores meanwhile"
    )
    lines.append(f"server's memory at most {found['peak_mb']:.0f} MB; refused: {failed or 'none'}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
