"""A store under load: ``python -m bench.store [sqlite | URL] [--tickets N] [--mentions N]``.

Fills a store with tickets, then prints the time of a queue page and of `next`, and the rate at
which mentions are stored and folded beside them, with this process's peak memory at the first
and the last quarter of the folding.
"""

from __future__ import annotations

import argparse
import platform
import random
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.claims import opened
from bench.tickets import fill
from listeners.mention import Author, Mention
from nlp.assessment import Assessment
from triage import claims
from triage.casework import fold_cases
from triage.intake import Pair, store_records
from triage.rules import Rules
from triage.store import Store
from triage.store.base import QueueFilter
from triage.ticket import WAITING

START = datetime(2026, 5, 4, 6, tzinfo=UTC)
NOW = START + timedelta(days=7)
RULES = Rules()
CHUNK = 1000
ASKED = 300
"""Pages and claims that are timed."""

_THINGS = ("parcel", "router", "kettle", "invoice", "flight", "card", "refund", "booking")
_FAULTS = ("never came", "is broken", "was charged twice", "is late", "vanished", "was cancelled")
_MOODS = ("and nobody answers", "for the third time", "after a week", "this is useless", "again")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", nargs="?", default="sqlite", help="sqlite, or http://user:pw@host")
    parser.add_argument("--tickets", type=int, default=200_000)
    parser.add_argument("--mentions", type=int, default=20_000)
    given = parser.parse_args()
    print(f"{platform.machine()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        store = opened(given.store, Path(folder))
        store.setup()
        start = time.perf_counter()
        fill(store, given.tickets, START)
        seconds = time.perf_counter() - start
        print(f"{given.tickets:,} tickets written: {given.tickets / seconds:,.0f}/s", flush=True)
        _pages(store)
        _claims(store)
        _folding(store, given.mentions)
        store.close()


def _pages(store: Store) -> None:
    waiting = QueueFilter(statuses=WAITING, free_at=NOW)
    billing = QueueFilter(statuses=WAITING, departments=("billing",), free_at=NOW)
    for name, wanted in (("queue page", waiting), ("page of a department", billing)):
        _timed(name, lambda wanted=wanted: store.queue(wanted, size=50))  # type: ignore[misc]


def _claims(store: Store) -> None:
    taken = iter(range(ASKED))
    _timed("next", lambda: claims.claim_next(store, f"agent{next(taken)}", NOW, RULES))


def _timed(name: str, call: Callable[[], object]) -> None:
    times = []
    for _ in range(ASKED):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
    print(f"{name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms", flush=True)


def _folding(store: Store, count: int) -> None:
    rng = random.Random(2)
    peaks = []
    begin = time.perf_counter()
    for start in range(0, count, CHUNK):
        pairs = [_pair(number, rng) for number in range(start, min(count, start + CHUNK))]
        stored = store_records(store, pairs, RULES)
        fold_cases(store, stored.uids, RULES, NOW)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    rate = count / (time.perf_counter() - begin)
    early, late = peaks[len(peaks) // 4], peaks[-1]
    print(f"{count:,} mentions stored and folded: {rate:,.0f}/s")
    print(f"peak memory {early:.0f} MB after a quarter, {late:.0f} MB at the end")


def _pair(number: int, rng: random.Random) -> Pair:
    """A third are complaints, one in six of those a copy; the rest is small talk."""
    complains = rng.random() < 0.33
    case = rng.randrange(10**6) if rng.random() < 0.84 else 4711
    text = f"my {rng.choice(_THINGS)} {case} {rng.choice(_FAULTS)} {rng.choice(_MOODS)}"
    at = START + timedelta(seconds=number)
    mention = Mention(
        source="mastodon",
        native_id=f"b{number}",
        text=text if complains else f"watching the match with {rng.randrange(99)} friends",
        created_at=at,
        collected_at=at,
        listener="bench/1",
        author=Author(id=f"p{rng.randrange(10**6)}"),
    )
    assessed = Assessment(
        uid=mention.uid,
        model="bench/1",
        language="en",
        sentiment="negative" if complains else "neutral",
        complaint=complains,
        complaint_probability=0.9 if complains else 0.1,
    )
    return mention, assessed


if __name__ == "__main__":
    main()
