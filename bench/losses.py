"""Histories of a month: random arrivals, bursts, edits, caps and deaths. What is lost?

    python -m bench.losses [HISTORIES]

Each history is a source that grows for 30 days and a listener that is run some times a day,
with random page caps, killed at a random step of writing in some, then left alone
until it has nothing more to do. Half of the histories list the newest first, half by arrival.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from listeners.contract import Budget, Listener
from listeners.landing import Landing
from listeners.run import collect
from tests.listeners.fakes import IN_MEMORY, TARGET, CrashError, CrashingLanding, stored
from tests.listeners.in_memory import OVERLAP, Item, NewestFirst, OldestFirst

DAYS = 30
_START = datetime(2026, 1, 1, tzinfo=UTC)


class History:
    """One month of one source; the same seed gives the same month."""

    def __init__(self, seed: int, root: Path, days: int = DAYS) -> None:
        self._random = random.Random(seed)
        self._newest_first = seed % 2 == 0
        self._root = root
        self._days = days
        self.items: list[Item] = []
        self.deaths = 0
        self.capped = 0
        self.runs = 0

    def play(self) -> tuple[int, int]:
        """How many items were lost, and how many were stored twice."""
        now, end = _START, _START + timedelta(days=self._days)
        while now < end:
            passed = timedelta(minutes=self._random.randint(5, 480))
            self._arrive(now, now + passed)
            now += passed
            dies_at = self._random.randint(0, 12) if self._random.random() < 0.25 else None
            self._run(now, self._random.randint(1, 3), dies_at)
        for _ in range(2):
            self._run(now, 100_000, None)
        versions = Counter((r.native_id, r.content_hash) for r in stored(Landing(self._root)))
        heard = {native_id for native_id, _ in versions}
        lost = sum(str(item["id"]) not in heard for item in self.items)
        return lost, sum(count > 1 for count in versions.values())

    def _arrive(self, start: datetime, end: datetime) -> None:
        count = self._random.choice((0, 1, 2, 3, 5, 40 if self._random.random() < 0.3 else 5))
        span = (end - start).total_seconds()
        for _ in range(count):
            at = start + timedelta(seconds=self._random.random() * span)
            if self._random.random() < 0.1:  # listed later than it was written
                at -= self._random.random() * OVERLAP * 0.9
            if self._random.random() < 0.01:
                at += timedelta(days=400)
            number = len(self.items)
            at = at.replace(second=0, microsecond=0)  # many share a time
            self.items.append(
                {"id": number, "at": at.isoformat(), "text": f"{number}", "malformed": False}
            )
        if self.items and self._random.random() < 0.1:
            self._random.choice(self.items)["text"] += "!"

    def _run(self, now: datetime, pages: int, dies_at: int | None) -> None:
        self.runs += 1
        budget = Budget(max_pages=pages, now=now)
        landing = CrashingLanding(self._root, dies_at)
        window = now.strftime("%Y%m%dT%H%M%SZ")
        try:
            row = collect(self._listener(), TARGET, landing, window, budget, clock=lambda: now)
            self.capped += row.cut_off
        except CrashError:
            self.deaths += 1

    def _listener(self) -> Listener:
        return (NewestFirst if self._newest_first else OldestFirst)(self.items, 5)


def main(histories: int) -> int:
    """Play and print; returns 1 if anything was lost or stored twice."""
    items = lost = twice = runs = deaths = capped = 0
    for seed in range(histories):
        with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder, suppress(KeyboardInterrupt):
            history = History(seed, Path(folder))
            gone, doubled = history.play()
        lost, twice = lost + gone, twice + doubled
        items, runs = items + len(history.items), runs + history.runs
        deaths, capped = deaths + history.deaths, capped + history.capped
    print(
        f"{histories} histories of {DAYS} days: {items} items, {runs} runs, {deaths} deaths, "
        f"{capped} runs cut off; {lost} lost, {twice} stored twice"
    )
    return int(bool(lost or twice))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
