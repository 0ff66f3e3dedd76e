"""A month at once: ``python -m bench.backfill [MENTIONS] [--days N] [--store sqlite | URL]``.

Fills a landing zone with 30 days (2,880 windows of 15 minutes) of three targets in words of
our own, then scores and triages all that waits, as ``outcry triage --score`` does, in a process of
its own; ``--apart`` as ``outcry score`` and ``outcry triage``, one after the other. Prints the
seconds, the rate and the peak memory of each stage (of its largest process, as the operating
system accounts for it), and in which of our functions a stage spent its time: a sample of its main
process every 10 ms, counted for each function on the stack. ``--digest`` prints a digest of all
tickets and their histories, to compare two versions of the code. ``--keep FOLDER`` leaves all
there, and begins with what is there already. With fewer ``--days`` parts are as full as those of
more mentions: 100,000 in 3 days, or 10,000 in 0.3, are a piece of a million in 30. In Elasticsearch
indices that begin with ``backfill-`` are left.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from bench.month import DAYS, END, EVERY, TARGETS, write_month
from bench.stream import ACCOUNT
from listeners.landing import Landing
from outcry import pipeline
from outcry.settings import load_settings
from triage.store import Store

ROOMS = ("dags", "listeners", "models", "nlp", "outcry", "triage")
EVERY_S = 0.01
SHOWN = 14
NOW = END + timedelta(hours=1)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mentions", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=DAYS)
    parser.add_argument("--store", default="sqlite", help="sqlite, or http://user:pw@host")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--apart", action="store_true", help="first all scoring, then all triage")
    parser.add_argument("--digest", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    parser.add_argument("--stage", choices=sorted(STAGES), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        _be(given.stage, given.keep)
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    place = nullcontext(str(given.keep)) if given.keep else tempfile.TemporaryDirectory()
    with place as folder:
        home = Path(folder)
        made = _make(home, given)
        print(
            f"{given.mentions:,} mentions in {made:,} parts: {given.days:g} days, "
            f"{timedelta(days=given.days) // EVERY:,} windows, {len(TARGETS)} targets; "
            f"store {'sqlite' if given.store == 'sqlite' else 'elasticsearch'}"
        )
        stages = ("score", "triage") if given.apart else ("both",)
        seconds = {stage: _run(stage, home, given.mentions) for stage in stages}
        total = sum(seconds.values())
        shares = ", ".join(f"{stage} {spent / total:.0%}" for stage, spent in seconds.items())
        rate = given.mentions / total
        print(f"landing zone to tickets: {total / 60:.1f} min, {rate:,.0f} mentions/s ({shares})")
        with closing(load_settings(home).open_store()) as store:
            print(", ".join(f"{count:,} {name}" for name, count in store.counts().items()))
            if given.digest:
                print(f"digest of the tickets: {digest(store)}")


def digest(store: Store) -> str:
    """64 hex digits over every ticket and its history, in order."""
    found = hashlib.sha256()
    for ticket in store.all_tickets():
        found.update(msgspec.json.encode(ticket))
        found.update(msgspec.json.encode(store.events(ticket.ticket)))
    return found.hexdigest()


def _make(home: Path, given: argparse.Namespace) -> int:
    """Write the settings and the landing zone; how many parts there are."""
    store: str = given.store
    home.mkdir(parents=True, exist_ok=True)
    lines = ["[brand]", f'accounts = ["*:{ACCOUNT}"]', "[store]"]
    if store != "sqlite":
        prefix = f"backfill-{home.name.lower()}"
        lines += ['kind = "elasticsearch"', f'url = "{store}"', f'prefix = "{prefix}"']
    (home / "outcry.toml").write_text("\n".join(lines) + "\n")
    landing = Landing(home / "landing")
    made = sum(1 for _ in landing.parts("raw"))
    return made or write_month(landing, given.mentions, given.seed, given.days)


def _score(home: Path) -> None:
    pipeline.score(load_settings(home))


def _triage(home: Path) -> None:
    settings = load_settings(home)
    with closing(settings.open_store()) as store:
        pipeline.triage(settings, store, now=NOW)


def _both(home: Path) -> None:
    settings = load_settings(home)
    with closing(settings.open_store()) as store:
        pipeline.catch_up(settings, store, now=NOW)


STAGES: dict[str, Callable[[Path], None]] = {"score": _score, "triage": _triage, "both": _both}


def _be(stage: str, home: Path) -> None:
    with _sampled() as seen:
        STAGES[stage](home)
    (home / f"{stage}.json").write_text(json.dumps(seen))


def _run(stage: str, home: Path, mentions: int) -> float:
    """Run a stage as a process of its own and print what it cost; its seconds."""
    words = (sys.executable, "-m", "bench.backfill", "--stage", stage, "--keep", str(home))
    start = time.perf_counter()
    _, status, usage = os.wait4(os.posix_spawn(words[0], words, os.environ), 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"bench: {stage} ended with {os.waitstatus_to_exitcode(status)}")
    print(
        f"{stage}: {seconds:,.1f} s, {mentions / seconds:,.0f} mentions/s, "
        f"CPU {usage.ru_utime + usage.ru_stime:,.1f} s, peak {usage.ru_maxrss / 1024:,.0f} MB"
    )
    seen = json.loads((home / f"{stage}.json").read_text())
    total = seen.pop("", 0)
    for name, count in Counter(seen).most_common(SHOWN):
        print(f"  {count / total:6.1%}  {name}")
    sys.stdout.flush()
    return seconds


@contextmanager
def _sampled() -> Iterator[dict[str, int]]:
    """How often each function of ours was on the stack; under "", how often it was looked."""
    seen: Counter[str] = Counter()

    def look(_: int, frame: FrameType | None) -> None:
        seen[""] += 1
        names = set()
        while frame is not None:
            room = frame.f_globals.get("__name__", "")
            if room.partition(".")[0] in ROOMS:
                names.add(f"{room}.{frame.f_code.co_qualname}")
            frame = frame.f_back
        seen.update(names)

    before: Any = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, EVERY_S, EVERY_S)
    try:
        yield seen
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


if __name__ == "__main__":
    main()
