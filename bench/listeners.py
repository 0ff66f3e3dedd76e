"""What listening costs: ``python -m bench.listeners [SOURCE...]``.

For each source that is read as JSON over HTTP, its station (`tests/servers`) shows some
thousand posts from a process of its own, in pages as large as the network's; one process
collects them into a landing zone on the disk, real client, mapper and all. Rates are by the
clock and by our process's own CPU time, which other work on the machine does not slow down;
the CPU time is split into client (asking and paging), mapper and landing. Then one source is
collected for 500,000 mentions, and the peak of memory is printed on the way.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec

from listeners.contract import (
    Budget,
    Listener,
    Page,
    Reject,
    Replays,
    State,
    Target,
    Traits,
)
from listeners.http import Fetcher
from listeners.landing import RAW, Landing
from listeners.mention import Author, Mention, Record
from listeners.registry import names
from listeners.run import collect
from listeners.walk import newest_first
from tests.listeners.conformance.desk import station_of
from tests.listeners.fakes import LOOPBACK
from tests.servers.station import HttpStation
from tests.servers.web import Answer, Request, serving

POSTS = 4_000
PAGE = 100
MANY = 500_000
TARGET_RATE = 2_000
_NOT_JSON = ("rss", "telegram")


def main() -> None:
    """Print a line for each source, then how memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="*", default=[], metavar="SOURCE")
    parser.add_argument("--posts", type=int, default=POSTS)
    parser.add_argument("--many", type=int, default=MANY, help="0 leaves memory out")
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'':46} mentions a second   CPU seconds for 1,000 mentions")
    names_of_columns = ("seconds", "by clock", "by CPU", "client", "mapper", "landing")
    print(f"{'source':14} {'mentions':>9} ", *(f"{name:>9}" for name in names_of_columns))
    chosen = given.sources or [
        name
        for name in names()
        if isinstance(station_of(name), HttpStation) and name not in _NOT_JSON
    ]
    for name in chosen:
        found = _throughput(name, given.posts)
        count, worked = found.count, found.client + found.mapper + found.landing
        split = (found.client, found.mapper, found.landing)
        print(
            f"{name:14} {count:9,}  {found.seconds:9.1f} {count / found.seconds:9,.0f}",
            f"{count / worked:9,.0f}",
            *(f"{1000 * part / count:9.3f}" for part in split),
            "" if count / found.seconds >= TARGET_RATE else " below the target",
            flush=True,
        )
    if given.many:
        _memory(given.many)


class _Cost(NamedTuple):
    """Of one collecting from the beginning; the last three are seconds of our own CPU time."""

    count: int
    seconds: float
    client: float
    mapper: float
    landing: float


class _Clocked:
    """A listener, and the CPU time that its pages take."""

    def __init__(self, inner: Listener) -> None:
        self._inner = inner
        self.name, self.version, self.traits = inner.name, inner.version, inner.traits  # type: ignore[misc]
        self.worked = 0.0

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """The listener's pages."""
        pages = iter(self._inner.collect(target, state, budget))
        while True:
            began = time.process_time()
            page = next(pages, None)
            self.worked += time.process_time() - began
            if page is None:
                return
            yield page


def _throughput(name: str, posts: int) -> _Cost:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_show, args=(name, posts, theirs), daemon=True)
    server.start()
    station = station_of(name)
    assert isinstance(station, HttpStation)
    station.url, params = ours.recv()
    station.patience, station.page_size = 20.0, PAGE
    target = msgspec.structs.replace(station.target(), params=params)
    found = station.listener()
    assert isinstance(found, Replays)
    for _ in range(2):  # The first time the far end makes its answers, then it only gives them.
        with tempfile.TemporaryDirectory() as folder:
            landing, now, clocked = Landing(Path(folder)), datetime.now(UTC), _Clocked(found)
            allowance = station.allowance(landing.root)
            budget = Budget(max_pages=1_000_000, now=now, reach=LOOPBACK, allowance=allowance)
            began, cpu = time.perf_counter(), time.process_time()
            row = collect(clocked, target, landing, "w", budget)
            seconds, worked = time.perf_counter() - began, time.process_time() - cpu
            rejects = [
                _again(record) for part in landing.parts(RAW) for record in landing.records(part)
            ]
    ours.send("stop")
    server.join()
    if row.error is not None:
        print(f"{name}: {row.error}")
    began = time.process_time()
    for reject in rejects:
        found.remap(reject, target, now)
    mapper = time.process_time() - began
    return _Cost(row.new, seconds, clocked.worked - mapper, mapper, worked - clocked.worked)


def _again(record: Record) -> Reject:
    """A record's payload, to be mapped again."""
    raw = getattr(record, "raw", None)
    return Reject(
        source=record.source, target="a", stage="map", error="-", raw=raw, at=datetime.now(UTC)
    )


def _show(name: str, posts: int, pipe: Connection) -> None:
    """A station in a process of its own, until it is told to stop."""
    station = station_of(name)
    assert isinstance(station, HttpStation)
    station.page_size = PAGE
    answers: dict[object, Answer] = {}
    make = station.answer

    def remembered(request: Request) -> Answer:
        key = (request.method, request.path, str(request.query), request.body)
        if key not in answers:
            answers[key] = make(request)
        return answers[key]

    station.answer = remembered  # type: ignore[method-assign]
    station.world.now = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    station.world.write(posts)
    with station.open():
        target = station.target()
        params = {**target.params, **({"history_pages": 1_000_000} if name == "mastodon" else {})}
        pipe.send((station.url, params))
        pipe.recv()


class _Endless:
    """A plain source of so many posts, for memory: `newest_first` over `Fetcher.json`."""

    name: ClassVar[str] = "endless"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(order="newest_first")

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Walk down."""
        fetcher = Fetcher()

        def fetch(cursor: Any) -> tuple[list[Any], Any]:
            params = {"before": cursor}
            answer = fetcher.json(target.params["url"], budget=budget, params=params).value
            return answer["posts"], answer["next"]

        def mapper(post: Any) -> Mention:
            return Mention(
                source=self.name,
                native_id=str(post["id"]),
                text=post["text"],
                author=Author(handle=post["by"]),
                created_at=datetime.fromtimestamp(post["at"], UTC),
                collected_at=budget.now,
                listener="endless/1",
                raw=post,
            )

        return newest_first(
            fetch,
            mapper,
            listener=self,
            target=target,
            state=state,
            budget=budget,
            overlap=timedelta(minutes=10),
            history=timedelta(days=9999),
        )


def _endless(request: Request) -> Answer:
    before = int(request.query["before"])
    posts = [
        {"id": n, "text": f"post {n}: " + "the tram is late " * 8, "by": "ann", "at": 10**9 + n}
        for n in range(before - 1, max(-1, before - 1 - PAGE), -1)
    ]
    last = posts[-1]["id"]
    return Answer(json.dumps({"posts": posts, "next": last or None}).encode())


def _serve_endless(pipe: Connection) -> None:
    with serving(_endless) as url:
        pipe.send(url)
        pipe.recv()


def _memory(many: int) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=_serve_endless, args=(theirs,), daemon=True)
    server.start()
    url = ours.recv()
    seen = 0
    marks = [many // 10, many // 2, many]

    def watch(page: Page) -> None:
        nonlocal seen
        seen += len(page.items)
        while marks and seen >= marks[0]:
            print(f"{marks.pop(0):14,} mentions: peak {_peak():.0f} MB", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        # The walk starts at its cursor, so that the source need not know how long it is.
        target = Target(source="endless", key="a", params={"url": f"{url}/posts"})
        walk = {"cursor": many, "high": None, "low": None, "floor": "1990-01-01T00:00:00Z"}
        budget = Budget(max_pages=1_000_000_000, now=datetime.now(UTC), reach=LOOPBACK)
        began = time.perf_counter()
        landing = Landing(Path(folder))
        row = collect(_From(walk), target, landing, "w", budget, watch=watch)
        seconds = time.perf_counter() - began
    ours.send("stop")
    server.join()
    print(f"endless: {row.new:,} mentions in {seconds:.0f} s, {row.new / seconds:,.0f} mentions/s")


class _From(_Endless):
    """Begins where it is told."""

    def __init__(self, walk: dict[str, Any]) -> None:
        self._walk = walk

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Walk down from there, once."""
        for page in super().collect(
            target, state or {"watermark": None, "walk": self._walk}, budget
        ):
            reached = page.state["walk"] is None
            yield Page(items=page.items, state=page.state, raw_count=page.raw_count, done=reached)
            if reached:
                return


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
