"""Ten windows while processes and the node are killed: ``python -m bench.kills [--elasticsearch]``.

Each window is heard, scored and triaged by a process of its own, beside one that goes over the
window before once more. Both are killed (SIGKILL) at random and started again until they have
ended; with ``--elasticsearch`` the node is killed too. Then what housekeeping does at night is
done once. Prints how often what was killed, whether the three counts (ledger, landing zone,
store) agree, and which tickets are missing or too many beside a run in which nothing happened.
`bench.kills_airflow` does it to Airflow itself.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec

from bench.storm import ENDS, FAULTS, THINGS
from outcry import pipeline, upkeep
from outcry.reconcile import reconcile
from outcry.settings import Settings, load_settings
from outcry.windows import Window, window_of
from tests.servers.elasticsearch import Node, private_node
from tests.servers.feeds import RSS_TYPE, rss
from tests.servers.web import Answer, Request, serving
from triage.errors import Busy, StoreUnavailable

START = datetime(2026, 5, 4, 6, tzinfo=UTC)
FEEDS = ("forum", "blog", "reviews")
EACH = 8
"""Posts that a feed has more with each window."""
AGAIN = 75
"""Exit code of a process that has to be started again: another one, or the node, was in its way."""
_SHOWN = 60
_WORDS = """
again agent always answer apology arrived balcony basket before blanket broken bucket
cancelled carpet ceiling charge clerk coffee counter country cousin daughter delayed dinner
doctor driver evening excuse factory family father fence finger floor garden ghost glass
grandmother hallway harbour holiday hospital hour invoice island jacket journey kitchen ladder
letter library manager market message midnight mirror mother mountain neighbour office orange
parcel pavement pocket police promise queue railway receipt refund river school shadow
shoulder sister station storm student summer teacher ticket toilet tower traffic uncle village
visitor voucher waiter wedding weekend widow window winter wrong yesterday
"""
_context = multiprocessing.get_context("forkserver")


class Town:
    """Feeds that grow by the window; each post is a complaint of a customer of its own."""

    def __init__(self, windows: int) -> None:
        self.windows = 0
        chance = random.Random(11)
        # Words that differ: near-copies are one case, and which of them opens it is open.
        self._posts = [
            f"My {chance.choice(THINGS)} {chance.choice(FAULTS)} {chance.choice(ENDS)}. "
            f"{' '.join(chance.sample(_WORDS.split(), 12)).capitalize()}. Terrible service!"
            for _ in range(windows * EACH * len(FEEDS))
        ]

    def answer(self, request: Request) -> Answer:
        """The newest posts of the feed of the path, the newest first."""
        feed = FEEDS.index(request.path.strip("/"))
        own = self._posts[feed :: len(FEEDS)][: self.windows * EACH]
        items = [_item(feed, number, text) for number, text in enumerate(own)]
        return Answer(rss(items[::-1][:_SHOWN]), headers={"Content-Type": RSS_TYPE})


def _item(feed: int, number: int, text: str) -> str:
    at = START + timedelta(minutes=15 * (number // EACH), seconds=20 * (number % EACH))
    return (
        f"<item><guid isPermaLink='false'>{FEEDS[feed]}-{number}</guid>"
        f"<link>http://town.example/{FEEDS[feed]}/{number}</link>"
        f"<author>customer-{feed}-{number}</author>"
        f"<pubDate>{at:%a, %d %b %Y %H:%M:%S} GMT</pubDate><description>{text}</description></item>"
    )


def settle(home: Path, url: str, store: str = "") -> Path:
    """Write the settings of a deployment that listens to the town."""
    home.mkdir(parents=True)
    targets = "".join(
        f'\n[[targets]]\nsource = "rss"\nkey = "{name}"\nurl = "{url}/{name}"\nkind = "post"\n'
        for name in FEEDS
    )
    listen = '[listen]\nallow_networks = ["127.0.0.0/8"]\n[nlp]\nprocesses = 1\n'
    (home / "outcry.toml").write_text(f"[store]\n{store}\n{listen}{targets}")
    return home


def window(number: int) -> Window:
    """The window of that number."""
    return window_of(START + timedelta(minutes=15 * number), 15)


def now_of(number: int) -> datetime:
    """When the window of that number has closed."""
    return window(number).end


def work(home: str, secrets: Mapping[str, str], number: int) -> None:
    """One window, from listening to tickets; what a process of a worker does."""
    settings = load_settings(Path(home), secrets)
    chosen, now = window(number), now_of(number)
    try:
        rows = pipeline.listen(settings, chosen, now)
        pipeline.score(settings, window=chosen.name)
        with closing(settings.open_store()) as store:
            pipeline.triage(settings, store, window=chosen.name, now=now)
    except (Busy, StoreUnavailable):
        sys.exit(AGAIN)
    if any(row.outcome != "ok" for row in rows):
        sys.exit(AGAIN)


class Report(msgspec.Struct, kw_only=True):
    """What happened, and what is left of it."""

    windows: int
    killed: int = 0
    node_killed: int = 0
    again: int = 0
    """Times that a process ended by itself and had to be started again."""
    differences: tuple[str, ...] = ()
    """Where the three counts do not agree after housekeeping."""
    tickets: int = 0
    missing: tuple[str, ...] = ()
    too_many: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, doubled, or left to differ."""
        return not (self.differences or self.missing or self.too_many)


def judge(settings: Settings, expected: set[str], report: Report, now: datetime) -> None:
    """Do what housekeeping does, and compare."""
    with closing(settings.open_store()) as store:
        for left in upkeep.tidy(settings, store, now).windows:
            pipeline.score(settings, window=left.name)
            pipeline.triage(settings, store, window=left.name, now=now)
        balances = list(reconcile(settings, store, START - timedelta(days=36500)))
        report.differences = tuple(
            f"{one.source} {one.window}: {one.difference}" for one in balances if one.difference
        )
        found = {ticket.ticket for ticket in store.all_tickets()}
    report.tickets = len(found)
    report.missing = tuple(sorted(expected - found))
    report.too_many = tuple(sorted(found - expected))


def undisturbed(folder: Path, windows: int) -> tuple[set[str], float]:
    """The tickets of a deployment to which nothing happened, and how long a window takes it."""
    town = Town(windows)
    with serving(town.answer) as url:
        settings = load_settings(settle(folder / "undisturbed", url))
        began = time.perf_counter()
        for number in range(windows):
            town.windows = number + 1
            work(str(settings.home), {}, number)
        took = (time.perf_counter() - began) / windows
        with closing(settings.open_store()) as store:
            return {ticket.ticket for ticket in store.all_tickets()}, took


def disturbed(
    folder: Path, windows: int, seed: int = 1, node: Node | None = None, kills: int = 3
) -> Report:
    """Ten windows, each killed up to so many times; see the module's docstring."""
    expected, took = undisturbed(folder, windows)
    chance, town, report = random.Random(seed), Town(windows), Report(windows=windows)
    _context.set_forkserver_preload(["outcry.pipeline", "outcry.upkeep"])
    secrets = secrets_of(node)
    prefix = f'prefix = "kills-{seed}-{int(time.time())}"' if node else ""
    with serving(town.answer) as url:
        settings = load_settings(settle(folder / "disturbed", url, prefix), secrets)
        for number in range(windows):
            town.windows = number + 1
            waiting = {number} | ({number - 1} if number else set())
            left = kills
            while waiting:
                running = {one: _start(settings, secrets, one) for one in sorted(waiting)}
                for process in running.values():
                    if left and chance.random() < 0.8:
                        process.join(chance.uniform(0, 1.5 * took))
                        if process.exitcode is None:
                            left -= 1
                            report.killed += 1
                            process.kill()
                    elif node is not None and chance.random() < 0.15:
                        process.join(chance.uniform(0, took))
                        report.node_killed += 1
                        node.stop_hard()
                        process.join(chance.uniform(0, 2))
                        node.start_again()
                for one, process in running.items():
                    process.join()
                    if process.exitcode == 0:
                        waiting.discard(one)
                    elif process.exitcode == AGAIN:
                        report.again += 1
                        time.sleep(0.2)
                    elif process.exitcode is not None and process.exitcode > 0:
                        raise SystemExit(f"window {one} failed; what it said is above")
        judge(settings, expected, report, now_of(windows + 2))
    return report


def secrets_of(node: Node | None) -> dict[str, str]:
    """How to reach the node, by the names of the variables."""
    if node is None:
        return {}
    return {
        "OUTCRY_ELASTICSEARCH": node.url,
        "OUTCRY_ES_USER": node.user,
        "OUTCRY_ES_PASSWORD": node.password,
    }


def _start(settings: Settings, secrets: Mapping[str, str], number: int) -> BaseProcess:
    process = _context.Process(target=work, args=(str(settings.home), secrets, number))
    process.start()
    return process


@contextmanager
def node_if(wanted: bool) -> Iterator[Node | None]:
    """A node that may be killed, if one is wanted."""
    if not wanted:
        yield None
        return
    with private_node() as node:
        yield node


def say(report: Report) -> None:
    """Print a report."""
    print(f"windows       {report.windows}, {report.killed} processes killed")
    print(f"node          killed {report.node_killed} times; {report.again} runs had to go again")
    print(f"three counts  {'agree' if not report.differences else 'DIFFER'}")
    for line in islice(report.differences, 10):
        print(f"  {line}")
    lost, more = len(report.missing), len(report.too_many)
    print(f"tickets       {report.tickets}, {lost} lost, {more} too many")


def main() -> None:
    """Print the report; ends with 1 if something was lost, doubled, or differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--elasticsearch", action="store_true", help="on a node that is killed, too"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, node_if(given.elasticsearch) as node:
        report = disturbed(Path(folder), given.windows, given.seed, node)
    say(report)
    sys.exit(not report.clean)


if __name__ == "__main__":
    main()
