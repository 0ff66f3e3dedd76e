"""A file into the landing zone, and its rejected rows once more after a fix."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Page, Reject, Replays, State, Target, Traits
from listeners.landing import REJECTS, Landing
from listeners.ledger import LedgerRow
from listeners.registry import listener
from listeners.run import collect
from listeners.secrets import public
from listeners.sources.import_file import target_for, window_for
from listeners.state import load
from outcry.settings import Settings

ALL_PAGES = 1_000_000_000
"""A file is read to its end: nobody else waits for its turn."""


def import_file(
    settings: Settings,
    path: Path,
    *,
    now: datetime,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
    **options: Any,
) -> LedgerRow:
    """Bring a file into the landing zone; see `target_for` for the options.

    The same file again adds nothing. The outcome is in the row, errors included; rows that
    could not be understood are kept as rejects.

    Raises:
        ListenerError: if there is no such file, or it cannot be read at all.
        LandingError: if the landing zone cannot be written.
    """
    target = target_for(path, **options)
    keep_target(settings.landing, target)
    size = target.params["size"]
    return collect(
        listener(target.source),
        target,
        settings.landing,
        window_for(target),
        Budget(max_pages=ALL_PAGES, now=now),
        watch=lambda page: progress("import", min(page.state.get("offset", 0), size), size),
    )


def keep_target(landing: Landing, target: Target) -> None:
    """Remember how rows were read, without secrets, so that rejects can be read once more."""
    landing.write_document(_name(target), msgspec.json.encode(public(target)))


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What `replay_rejects` did."""

    mended: int = 0
    """Rejects that are mentions now."""
    still_rejected: int = 0


def rejects(settings: Settings) -> Iterator[Reject]:
    """The rejects that are still waiting for a fix, by source, window and target."""
    for _, waiting in _by_target(settings.landing):
        yield from waiting


def replay_rejects(settings: Settings, *, now: datetime) -> Replayed:
    """Map every waiting reject once more, as the settings and the code are now.

    What can be understood joins the window that it came from; the rest keeps waiting.
    Killed and run again, nothing is stored twice.
    """
    mended = still = 0
    for (source, window, key), waiting in _by_target(settings.landing):
        target = _target(settings, source, key)
        found = listener(source)
        if target is None or not isinstance(found, Replays):
            still += len(waiting)
            continue
        once_more = _OnceMore(found, target, waiting)
        budget = Budget(max_pages=ALL_PAGES, now=now)
        collect(once_more, _replay_target(source, key), settings.landing, window, budget)
        mended += once_more.mended
        still += len(waiting) - once_more.mended
    return Replayed(mended=mended, still_rejected=still)


class _OnceMore:
    """Rejects as a source; its state is the ids of those that are mentions now."""

    name: ClassVar[str] = "replay"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(order="file", strict_pages=False)

    def __init__(self, mapper: Replays, target: Target, waiting: Sequence[Reject]) -> None:
        self._mapper, self._target, self._waiting = mapper, target, waiting
        self.mended = 0

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        fixed = list((state or {}).get("fixed", ()))
        items = []
        for reject in self._waiting:
            try:
                items.append(self._mapper.remap(reject, self._target, reject.at))
            except ValueError:
                continue
            fixed.append(reject.id)
        self.mended = len(items)
        yield Page(items=items, state={"fixed": fixed}, done=True, raw_count=len(items))


def _by_target(landing: Landing) -> Iterator[tuple[tuple[str, str, str], list[Reject]]]:
    """The waiting rejects of each (source, window, target) that has any, one at a time."""
    parts = landing.parts(REJECTS)
    for (source, window, key), group in groupby(parts, lambda p: (p.source, p.window, p.target)):
        state = load(landing, _replay_target(source, key))
        fixed = set((state.state or {}).get("fixed", ()) if state else ())
        known = {reject.id: reject for part in group for reject in landing.rejects(part)}
        waiting = [reject for name, reject in known.items() if name not in fixed]
        if waiting:
            yield (source, window, key), waiting


def _replay_target(source: str, key: str) -> Target:
    return Target(source=source, key=f"{key}.replay")


def _target(settings: Settings, source: str, key: str) -> Target | None:
    """The target as it is set now; an imported file's as it was imported."""
    for target in settings.targets:
        if (target.source, target.key) == (source, key):
            return target
    kept = settings.landing.read_document(_name(Target(source=source, key=key)))
    return msgspec.json.decode(kept, type=Target) if kept else None


def _name(target: Target) -> str:
    return f"targets/source={target.source}/target={target.key}.json"
