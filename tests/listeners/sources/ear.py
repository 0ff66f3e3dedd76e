"""What the tests of the sources share: a landing zone that listens to one target."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from listeners.contract import Listener, Target
from listeners.landing import Landing
from listeners.ledger import LedgerRow
from listeners.mention import Deletion, Mention
from listeners.recheck import recheck
from listeners.run import collect
from tests.listeners.fakes import NOW, budget, stored


@dataclass
class Ear:
    """Each call of `listen` is a run in a window of its own."""

    root: Path
    listener: Listener
    params: dict[str, Any]
    now: datetime = NOW
    runs: int = field(default=0)

    @property
    def landing(self) -> Landing:
        """Where it stores."""
        return Landing(self.root)

    @property
    def target(self) -> Target:
        """What it listens to."""
        return Target(source=self.listener.name, key="tram", params=self.params)

    def listen(self, pages: int = 100) -> LedgerRow:
        """One run."""
        self.runs += 1
        given = budget(pages, now=self.now)
        return collect(self.listener, self.target, self.landing, f"w{self.runs:04}", given)

    def look_again(self) -> LedgerRow:
        """One run of re-checking what is stored."""
        self.runs += 1
        given = budget(100, now=self.now)
        row = recheck(self.listener, self.target, self.landing, f"w{self.runs:04}", given)
        assert row is not None
        return row

    def mentions(self) -> list[Mention]:
        """All mentions stored, every version."""
        return [record for record in stored(self.landing) if isinstance(record, Mention)]

    def ids(self) -> list[str]:
        """Their ids, in the order in which they were stored."""
        return [mention.native_id for mention in self.mentions()]

    def deletions(self) -> dict[str, str]:
        """Reasons by id of what is gone."""
        gone = (record for record in stored(self.landing) if isinstance(record, Deletion))
        return {record.native_id: record.reason for record in gone}
