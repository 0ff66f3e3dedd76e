"""Where analysts begin: the frames of a deployment, from its store or from its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from insight.frames import BEGINNING, END, Frames
from outcry import pipeline
from outcry.settings import Settings, load_settings
from triage.incidents import watch
from triage.rules import Rules
from triage.series import Listed
from triage.store import open_store
from triage.store.base import Store
from triage.store.shelf import Keep


@contextmanager
def frames(
    home: Path | None = None,
    *,
    landing: bool = False,
    now: datetime | None = None,
    change: Callable[[Rules], Rules] | None = None,
) -> Iterator[Frames]:
    """The frames of the deployment in ``home`` (default: as for every command).

    With ``landing`` from its files alone, as if its store had been lost and was made again at
    ``now``: what people decided is not in it, all else is the same. It takes as long as triage.
    With ``change`` likewise, but by other rules: what would be if they held. Neither changes
    anything in the deployment.

    Raises:
        BadRules: if the changed rules make no sense.
        SettingsError, StoreError, LandingError: if a part of the deployment cannot be used.
    """
    settings = load_settings(home)
    store = settings.open_store()
    try:
        if change is not None:
            settings = msgspec.structs.replace(settings, rules=change(settings.rules).check())
        if landing or change is not None:
            with _replayed(settings, store, now or datetime.now(UTC)) as replayed:
                yield Frames(replayed)
        else:
            yield Frames(store)
    finally:
        store.close()


@contextmanager
def _replayed(settings: Settings, store: Store, now: datetime) -> Iterator[Store]:
    """An embedded store of its own, filled from the landing zone; gone at the end."""
    with TemporaryDirectory(prefix="outcry-frames-") as place:
        replayed = open_store("sqlite", path=Path(place) / "outcry.db")
        try:
            replayed.setup()
            gone = [  # who was forgotten stays forgotten
                Keep(key=one.key, at=one.at, group=one.group, record=msgspec.Raw(one.body))
                for one in store.shelf("erasure")
            ]
            replayed.shelve("erasure", gone)
            pipeline.triage(settings, replayed, now=now)
            first = next(replayed.mentions_between(BEGINNING, END), None)
            if first is not None:
                listed = Listed(products=settings.products, places=settings.places)
                watch(replayed, settings.rules, settings.incidents, now, first.created_at, listed)
            yield replayed
        finally:
            replayed.close()
