"""What a deployment needs every night, in one order: purge, retention, what was left behind."""

from __future__ import annotations

from datetime import datetime

import msgspec

from listeners.coverage import silences
from listeners.purge import purge
from outcry import pipeline
from outcry.alerts import alert_silences
from outcry.reconcile import left_behind
from outcry.retention import retain
from outcry.settings import Settings
from outcry.windows import Window
from triage.deliveries import Worked
from triage.store.base import Store

DAYS_BACK = 7
"""How far back windows are looked for that were left behind."""


class Tidied(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of `tidy` did."""

    purged: int
    retained: int
    """Records that were too old to be kept."""
    caught_up: int
    """Files and senders that were scored and triaged here."""
    windows: tuple[Window, ...]
    """Scheduled windows that have to be scored and triaged again."""

    @property
    def counts(self) -> dict[str, int]:
        """Its numbers by name."""
        counts = {"purged": self.purged, "retained": self.retained, "caught_up": self.caught_up}
        return counts | {"windows_left_behind": len(self.windows)}


def tidy(settings: Settings, store: Store, now: datetime) -> Tidied:
    """Remove what must not be kept, and find what no run has finished; idempotent.

    Files and senders, which no schedule comes back to, are scored and triaged here.
    """
    purged = purge(settings.landing)
    retained = retain(settings, store, now)
    windows, others = left_behind(settings, store, now, DAYS_BACK)
    for name in others:
        pipeline.score(settings, window=name)
        pipeline.triage(settings, store, window=name, now=now)
    return Tidied(
        purged=purged.mentions,
        retained=retained.records,
        caught_up=len(others),
        windows=tuple(windows),
    )


def watch_silences(settings: Settings, store: Store, now: datetime) -> Worked:
    """Alert once for each source that used to be heard and is silent; reads weeks of the ledger."""
    if not (settings.alerts.webhook or settings.alerts.email_to):
        return Worked()
    return alert_silences(settings.alerts, store, silences(settings.landing, now), now)
