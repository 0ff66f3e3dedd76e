"""What a deployment needs every night: purge, retention, what was left behind, compaction."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import groupby

import msgspec

from listeners import compaction
from listeners.coverage import silences
from listeners.errors import Busy
from listeners.landing import RAW, Landing, Part, window_start
from listeners.purge import purge
from outcry import pipeline
from outcry.alerts import alert_silences
from outcry.readings import kind_of
from outcry.reconcile import left_behind
from outcry.retention import retain
from outcry.settings import Settings
from outcry.windows import Window
from triage.deliveries import Worked
from triage.store.base import Store

DAYS_BACK = 7
"""How far back windows are looked for that were left behind."""
COMPACTED_AFTER = timedelta(days=DAYS_BACK + 1)
"""The parts of a window that is older become one."""


class Tidied(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of `tidy` did."""

    purged: int
    retained: int
    """Records that were too old to be kept."""
    caught_up: int
    """Files and senders that were scored and triaged here."""
    compacted: int
    """Parts that became fewer."""
    windows: tuple[Window, ...]
    """Scheduled windows that have to be scored and triaged again."""

    @property
    def counts(self) -> dict[str, int]:
        """Its numbers by name."""
        names = ("purged", "retained", "caught_up", "compacted")
        counts = {name: int(getattr(self, name)) for name in names}
        return counts | {"windows_left_behind": len(self.windows)}


def tidy(settings: Settings, store: Store, now: datetime) -> Tidied:
    """Remove what must not be kept, and find what no run has finished; idempotent.

    Files and senders, which no schedule comes back to, are scored and triaged here.
    """
    compaction.finish(settings.landing)
    purged = purge(settings.landing)
    retained = retain(settings, store, now)
    windows, others = left_behind(settings, store, now, DAYS_BACK)
    for name in others:
        pipeline.catch_up(settings, store, window=name, now=now)
    compacted = compact(settings, store, now)
    return Tidied(
        purged=purged.mentions,
        retained=retained.records,
        caught_up=len(others),
        compacted=compacted,
        windows=tuple(windows),
    )


def snapshot(settings: Settings, store: Store, now: datetime) -> None:
    """Keep today's snapshot where the settings name a place for it; once a day."""
    if settings.store.snapshots is not None:
        name = f"{settings.store.prefix}-{now:%Y%m%d}"
        store.snapshot(settings.store.snapshots, name, settings.store.snapshots_kept)


def roll_over(store: Store, now: datetime) -> list[str]:
    """See that the store takes the mentions of this month and of the next; a line for each.

    Raises:
        StoreError: if it does not, with what to do about it.
    """
    months = dict.fromkeys((now, now.replace(day=1) + timedelta(days=32)))
    return list(dict.fromkeys(store.prepare(at) for at in months))


def watch_silences(settings: Settings, store: Store, now: datetime) -> Worked:
    """Alert once for each source that used to be heard and is silent; reads weeks of the ledger."""
    if not (settings.alerts.webhook or settings.alerts.email_to):
        return Worked()
    return alert_silences(settings.alerts, store, silences(settings.landing, now), now)


def compact(settings: Settings, store: Store, now: datetime) -> int:
    """Make one part of the small ones of each target in an old window; how many went.

    A window is left alone until all of it is in the store.
    """
    landing, kinds, gone = settings.landing, settings.scored_kinds, 0
    places = groupby(landing.parts(RAW), lambda part: (part.source, part.window, part.target))
    for source, window, target in [place for place, parts in places if len(list(parts)) > 1]:
        start = window_start(window)
        if start is None or start > now - COMPACTED_AFTER:
            continue
        chosen = compaction.plan(landing, source, window, target)
        if chosen is None or not _all_folded(landing, store, kinds, chosen.parts):
            continue
        with suppress(Busy):  # It is heard just now: another night will do.
            compaction.compact(landing, chosen, lambda plan: _mark(store, plan))
            gone += len(chosen.parts) - 1
    return gone


def _all_folded(
    landing: Landing, store: Store, kinds: Sequence[str], parts: Sequence[Part]
) -> bool:
    names = [f"{kind_of(landing, kinds, part)}/{part.name}" for part in parts]
    return len(store.done("folded", names)) == len(parts)


def _mark(store: Store, plan: compaction.Plan) -> None:
    """The merged part holds nothing that the store has not seen."""
    store.mark("folded", [f"{kind}/{plan.merged.name}" for kind in plan.kinds])
