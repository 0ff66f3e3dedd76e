"""A landing zone that listens to a station, run after run."""

from __future__ import annotations

import gzip
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

from listeners.contract import Budget
from listeners.landing import Landing
from listeners.ledger import LedgerRow, rows
from listeners.mention import Mention
from listeners.registry import SOURCES
from listeners.run import collect
from listeners.secrets import secrets_in
from tests.listeners.fakes import LOOPBACK, CrashError, CrashingLanding, rejected, stored
from tests.servers.station import BaseStation

MANY = 40
"""Runs after which a source that still has not come to its end never will."""
IDLE = 8
"""Runs that find nothing, after which there is nothing."""


def station_of(source: str) -> BaseStation:
    """The far end of a registered source."""
    made = import_module(f"tests.servers.{SOURCES[source].module}").Station()
    assert isinstance(made, BaseStation)
    assert made.source == source
    return made


class Desk:
    """Runs of one target, each a little later than the one before and in its own window."""

    def __init__(self, station: BaseStation, root: Path) -> None:
        self.station = station
        self.world = station.world
        self.landing = Landing(root)
        self.runs = 0
        # Clients look at the clock on the wall, so the world keeps to it.
        self.world.now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=30)

    def listen(self, pages: int = 100) -> LedgerRow:
        """One run."""
        self.runs += 1
        now = datetime.now(UTC)
        return collect(
            self.station.listener(),
            self.station.target(),
            self.landing,
            f"w{self.runs:03}",
            Budget(
                max_pages=pages,
                now=now,
                reach=LOOPBACK,
                allowance=self.station.allowance(self.landing.root),
            ),
        )

    def settle(self, pages: int = 100) -> None:
        """Run until there is nothing more, on good days only.

        A source that reads a stretch of the past again in each run may never come to its
        end within so few pages; then it is enough that many runs find nothing.
        """
        self.world.script = []
        quiet = idle = 0
        for _ in range(MANY):
            row = self.listen(pages)
            assert row.error is None, row
            quiet = 0 if row.cut_off or row.new or row.changed else quiet + 1
            idle = 0 if row.new or row.changed else idle + 1
            if quiet == 2 or idle == IDLE:
                return
        raise AssertionError(f"{self.station.source} does not come to its end: {row}")

    def dies_at(self, step: int) -> bool:
        """A run whose process dies at a step of writing; whether it came so far."""
        whole = self.landing
        self.landing = CrashingLanding(whole.root, step)
        try:
            with suppress(CrashError):
                self.listen()
                return False
            return True
        finally:
            self.landing = whole

    def mentions(self) -> list[Mention]:
        """All that is stored."""
        return [record for record in stored(self.landing) if isinstance(record, Mention)]

    def complete(self) -> None:
        """Everything that the network shows is stored, nothing else and no version twice."""
        records = stored(self.landing)
        versions = Counter((record.uid, record.content_hash) for record in records)
        assert [name for name, count in versions.items() if count > 1] == []
        numbers = {self.station.number(mention) for mention in self.mentions()}
        shown = {post.number for post in self.world.posts if not post.malformed}
        assert shown - numbers == set(), "lost"
        assert numbers - shown <= {post.number for post in self.world.gone}, "out of nowhere"
        books = list(rows(self.landing))
        assert sum(row.new + row.changed + row.deleted for row in books) == len(records)
        rejects = rejected(self.landing)
        assert sum(row.rejected for row in books) == len(rejects)
        assert len({reject.id for reject in rejects}) == len(rejects)
        self.keeps_secrets("")

    def keeps_secrets(self, said: str) -> None:
        """No secret of the target is in any file that was written, nor in what was said."""
        files = [path for path in self.landing.root.rglob("*") if path.is_file()]
        written = [
            gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            for path in files
        ]
        for secret in secrets_in(self.station.target()):
            assert secret not in said
            assert not any(secret.encode() in content for content in written)
