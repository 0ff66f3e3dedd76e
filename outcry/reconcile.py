"""Three counts that must agree: the ledger's, the landing zone's, the store's.

The ledger counts what was heard, the landing zone holds it, the store has made mentions of it.
Whatever was interrupted shows as a difference here, with its name and the step that mends it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from listeners import ledger
from listeners.erase import first_length
from listeners.landing import RAW, Landing, Part
from listeners.mention import Mention
from outcry.readings import kind_of
from outcry.settings import Settings
from outcry.windows import Window, window_named
from triage.store.base import Store
from triage.store.records import batches

BATCH = 500


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """One source in one window; all numbers are records, but for ``unscored`` and ``unfolded``."""

    source: str
    window: str
    counted: int
    """By the ledger: new, changed and deleted."""
    landed: int
    """Lines of raw parts, with those that were erased on purpose."""
    mentions: int
    """Different mentions in them."""
    stored: int
    """Of those, known to the store."""
    unscored: int
    """Raw parts that the model has not read."""
    unfolded: int
    """Scored parts that the store has not worked in."""

    @property
    def difference(self) -> str | None:
        """Which count is behind and what mends it; None if all agree."""
        if self.counted != self.landed:
            return (
                f"the ledger counts {self.counted} records, the landing zone holds {self.landed}: "
                "listen to this window again, or restore the lost parts"
            )
        if self.unscored:
            return f"{self.unscored} parts were never scored: score this window"
        if self.unfolded:
            return f"{self.unfolded} parts were never triaged: triage this window"
        if self.stored != self.mentions:
            return (
                f"the store lacks {self.mentions - self.stored} of {self.mentions} mentions: see "
                "its rejects, then 'outcry replay --triage' for this window"
            )
        return None


def reconcile(settings: Settings, store: Store, since: datetime) -> Iterator[Balance]:
    """The balance of each source and window that was heard since, by source and window.

    Holds one part in memory. What is being collected at this moment may differ until it is done.
    """
    landing = settings.landing
    for (source, window), records in _heard(landing, since):
        parts = list(landing.parts(RAW, source=source, window=window))
        unscored, unfolded = _waiting(settings, store, parts)
        landed, mentions, stored = 0, 0, 0
        for part in parts:
            lines, uids = _held(landing, part)
            landed += lines
            mentions += len(uids)
            stored += sum(len(store.mentions(some)) for some in batches(sorted(uids), BATCH))
        yield Balance(
            source=source,
            window=window,
            counted=records,
            landed=landed,
            mentions=mentions,
            stored=stored,
            unscored=unscored,
            unfolded=unfolded,
        )


def left_behind(
    settings: Settings, store: Store, now: datetime, days: float
) -> tuple[list[Window], list[str]]:
    """Windows that were heard, but not scored or triaged; and files and senders, by window name.

    The window that is being worked on is left out. Nothing is read but what parts there are.
    """
    landing = settings.landing
    young = now - timedelta(minutes=2 * settings.listen.every_minutes)
    windows: dict[str, Window] = {}
    others: set[str] = set()
    for (source, name), _ in _heard(landing, now - timedelta(days=days)):
        parts = list(landing.parts(RAW, source=source, window=name))
        if not any(_waiting(settings, store, parts)):
            continue
        window = window_named(name, settings.listen.every_minutes)
        if window is None:
            others.add(name)
        elif window.end <= young:
            windows[name] = window
    return [windows[name] for name in sorted(windows)], sorted(others)


def _heard(landing: Landing, since: datetime) -> list[tuple[tuple[str, str], int]]:
    """Each source and window with a run since, and how many records the ledger counts, sorted."""
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for row in ledger.rows(landing):
        if row.finished_at >= since:
            counted[row.source, row.window] += row.new + row.changed + row.deleted
    return sorted(counted.items())


def _waiting(settings: Settings, store: Store, parts: Sequence[Part]) -> tuple[int, int]:
    """How many of these raw parts wait to be scored, and how many scored ones to be triaged."""
    landing, kinds = settings.landing, settings.scored_kinds
    found = [(kind_of(landing, kinds, part), part) for part in parts]
    names = [f"{kind}/{part.name}" for kind, part in found if kind is not None]
    return len(parts) - len(names), len(names) - len(store.done("folded", names))


def _held(landing: Landing, part: Part) -> tuple[int, set[str]]:
    """How many lines a part has, erased ones included, and the mentions in it."""
    lines = 0
    uids = set()
    for record in landing.records(part):
        lines += 1
        if isinstance(record, Mention):
            uids.add(record.uid)
    return first_length(landing, part) or lines, uids
