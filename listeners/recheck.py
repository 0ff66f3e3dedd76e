"""Ask again for what was heard lately: what is gone leaves a `Deletion`, what changed a version.

For networks that do not tell by themselves. A listener that `Rechecks` is given the ids of
its target's recent mentions, oldest first, a batch a page, under a target of its own
(``KEY.recheck``); so limits, crashes and the ledger are those of any collecting.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Known, Listener, Page, Rechecks, State, Target, Traits
from listeners.landing import RAW, Landing, window_name, window_start
from listeners.ledger import LedgerRow
from listeners.mention import Deletion, Mention
from listeners.run import collect

SUFFIX = ".recheck"
_SLACK = timedelta(days=1)
"""How much later than it was written a mention is usually heard."""


class _Latest(msgspec.Struct, frozen=True):
    known: Known
    version: str


def recheck(
    listener: Listener, target: Target, landing: Landing, window: str, budget: Budget
) -> LedgerRow | None:
    """Look again at the target's mentions that are young enough; None if its source cannot.

    One that is cut short goes on with the next item the next time, then starts anew.

    Raises:
        LandingError: if the landing zone cannot be read or written.
    """
    if not isinstance(listener, Rechecks):
        return None
    again = _Again(listener, target, landing)
    own = msgspec.structs.replace(target, key=f"{target.key}{SUFFIX}")
    return collect(again, own, landing, window, budget)


class _Again:
    """A target's recent mentions as a source; its state is how far it has come."""

    name: ClassVar[str] = "recheck"
    version: ClassVar[str] = "1"

    traits: ClassVar[Traits] = Traits(order="window", has_deletes=True, has_edits=True)

    def __init__(self, asks: Rechecks, target: Target, landing: Landing) -> None:
        self._asks, self._target, self._landing = asks, target, landing

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield a page for each batch: what is gone or changed."""
        young = budget.now - self._asks.recheck_age
        latest = recent(self._landing, self._target, young)
        after: Any = (state or {}).get("after")
        waiting = sorted(latest.items(), key=lambda item: _place(item[1].known, item[0]))
        if after is not None:
            waiting = [(uid, one) for uid, one in waiting if _place(one.known, uid) > tuple(after)]
        size = self._asks.recheck_batch
        for start in range(0, len(waiting), size):
            batch = waiting[start : start + size]
            found = self._asks.recheck([one.known for _, one in batch], self._target, budget)
            asked = dict(batch)
            items = [r for r in found if r.uid in asked and r.content_hash != asked[r.uid].version]
            uid, last = batch[-1]
            done = start + size >= len(waiting)
            yield Page(
                items=items,
                stored={record.uid: asked[record.uid].version for record in items},
                state={"after": None if done else list(_place(last.known, uid))},
                raw_count=len(items),
                done=done,
            )
        if not waiting:
            yield Page(state={"after": None}, done=True)


def recent(landing: Landing, target: Target, since: datetime) -> dict[str, _Latest]:
    """The mentions of a target that were written since, by uid, without those that are gone.

    Reads the windows since then, one record at a time.
    """
    found: dict[str, _Latest] = {}
    oldest = window_name(since - _SLACK)
    for key in (target.key, f"{target.key}{SUFFIX}"):
        for part in landing.parts(RAW, source=target.source, target=key):
            if window_start(part.window) and part.window < oldest:
                continue
            for record in landing.records(part):
                if isinstance(record, Deletion):
                    found.pop(record.uid, None)
                elif record.created_at >= since:
                    found[record.uid] = _Latest(_known(record), record.content_hash)
    return found


def _known(mention: Mention) -> Known:
    ref = mention.raw.get("id") if isinstance(mention.raw, dict) else None
    return Known(
        native_id=mention.native_id,
        instance=mention.instance,
        created_at=mention.created_at,
        parent_id=mention.parent_id,
        ref=str(ref) if isinstance(ref, str | int) else None,
    )


def _place(known: Known, uid: str) -> tuple[str, str]:
    return known.created_at.isoformat(), uid
