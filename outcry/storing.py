"""The first half of a triage: scored parts into the store, a chunk of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from listeners.erase import forget_again
from listeners.landing import Landing, Part
from listeners.mention import Deletion, Mention
from nlp.assessment import Assessment
from nlp.assessment import decode as decode_assessment
from triage.fold_report import EXAMPLES, Example, FoldReport
from triage.intake import StoreReport, store_records
from triage.rules import Rules
from triage.store.base import Refusal, Store
from triage.turns import Turn

STORED = 1_000
"""Records that are stored by one transaction, unless a part alone has more."""

Pair = tuple[Mention | Deletion, Assessment | None]


class Triaged(msgspec.Struct, kw_only=True):
    """What a run of `triage` did, in counts that do not grow with the stream."""

    parts: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0
    refused: int = 0
    """Documents that the store would not take; its rejects say why."""
    opened: int = 0
    updated: int = 0
    reopened: int = 0
    closed: int = 0
    refreshed: int = 0
    """Open tickets whose waiting time moved them."""
    folded: dict[str, int] = {}
    """Mentions that are in a case, by reason."""
    forgotten: int = 0
    """Mentions by forgotten people, heard again and removed again."""
    left_out: dict[str, int] = {}
    """Mentions that are in none, by reason."""
    examples: list[Example] = []
    """Some of those left out."""

    def add_stored(self, report: StoreReport) -> None:
        """Count what one call of `store_records` did."""
        self.new += report.new
        self.changed += report.changed
        self.unchanged += report.unchanged
        self.deleted += report.deleted
        self.refused += len(report.refused)

    def add_folded(self, report: FoldReport) -> None:
        """Count what one call of `fold_cases` did."""
        self.opened += len(report.opened)
        self.updated += len(report.updated)
        self.reopened += len(report.reopened)
        self.closed += len(report.closed)
        for reason, count in report.folded.items():
            self.folded[reason] = self.folded.get(reason, 0) + count
        for reason, count in report.left_out.items():
            self.left_out[reason] = self.left_out.get(reason, 0) + count
        self.examples += report.examples[: EXAMPLES - len(self.examples)]
        self.refused += len(report.refused)


class Storing:
    """Takes scored parts in the order of the landing zone; each once."""

    def __init__(
        self, landing: Landing, store: Store, rules: Rules, turn: Turn, now: datetime
    ) -> None:
        self._landing, self._store, self._rules, self._now = landing, store, rules, now
        self.turn = turn
        self.report = Triaged()
        self.parts: set[Part] = set()
        """All that were given."""
        self._chunk: list[tuple[Part, list[Pair]]] = []
        self._size = 0

    def add(self, kind: str, part: Part) -> None:
        """Store a part that was scored as ``kind``, together with those that follow."""
        self.turn.keep()
        if part in self.parts:
            return
        found = list(pairs_of(self._landing, kind, part))
        if self._size + len(found) > STORED:
            self.flush()
        self.parts.add(part)
        self._chunk.append((part, found))
        self._size += len(found)

    def flush(self) -> None:
        """Let the store have what it has not got yet."""
        chunk, self._chunk, self._size = self._chunk, [], 0
        if not chunk:
            return
        with self._store.together():
            for part, found in chunk:
                stored = store_records(self._store, found, self._rules)
                self.report.add_stored(stored)
                if stored.forgotten:
                    self.report.forgotten += forget_again(self._landing, part, stored.forgotten)
                keep_refused(self._store, part, stored.refused, self._now)


def pairs_of(landing: Landing, kind: str, part: Part) -> Iterator[Pair]:
    """The records of a raw part, each mention with its assessment.

    A purge that was killed may have left assessments of mentions that are gone: passed over.
    """
    assessed = map(decode_assessment, landing.read_lines(kind, part))
    for record in landing.records(part):
        if isinstance(record, Mention):
            yield record, next((one for one in assessed if one.uid == record.uid), None)
        else:
            yield record, None


def keep_refused(store: Store, part: Part, refused: Sequence[Refusal], now: datetime) -> None:
    """List what the store would not take; the landing zone keeps it, for `replay`."""
    rows = [
        {
            "id": refusal.id,
            "source": part.source,
            "window": part.window,
            "target": part.target,
            "stage": "store",
            "error": refusal.reason,
            "at": now.isoformat(),
        }
        for refusal in refused
    ]
    if rows:
        store.save_rejects(rows)
