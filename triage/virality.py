"""How fast a case spreads: reach gained in the last hour, and what that comes to if it goes on.

Reach at a time is what was known of the audience then: followers of everybody who had said it by
that time, and the views that the collections up to then have reported. The forecast is the
reach gained in the last hour times the hours that such spreading still lasts: posts on social
networks gain with a half-life of some hours, so the rest of the curve is a geometric series
(the decay that Crane and Sornette, 2008, PNAS 105(41), describe for bursts, cut to one number).
Where counts are known at one collection only, what came before is not growth.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from triage.store.base import StoredMention

WINDOW = timedelta(hours=1)
HALF_LIFE_HOURS = 3.0
"""After so long the reach gained in an hour is half of what it was."""
AHEAD = timedelta(hours=6)
_SHARE_REACH = 100
"""People whom one more share reaches, where a source counts shares and nothing else."""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How a case spreads at a time; people, as far as the sources say."""

    now: int
    gained: int
    """In the last hour."""
    forecast: int
    """More within `AHEAD`, if it goes on like this and decays."""
    changes_at: datetime | None
    """When the last of what was gained is an hour old: then it has to be looked at again."""


def spread(rows: Iterable[StoredMention], now: datetime) -> Spread | None:
    """How the sayers of a case spread it; None where no source says how many people they reach."""
    rows = [row for row in rows if not row.deleted]
    before, after = _reach_at(rows, now - WINDOW), _reach_at(rows, now)
    if after is None:
        return None
    gained = max(0, after - (before or 0))
    fresh = [at for row in rows for at in _news(row) if now - WINDOW < at <= now]
    return Spread(
        now=after,
        gained=gained,
        forecast=round(gained * _hours_to_come()),
        changes_at=max(fresh) + WINDOW if fresh and gained else None,
    )


def _hours_to_come() -> float:
    """The sum of what the hours to come bring, as multiples of the last one."""
    keep = 0.5 ** (1 / HALF_LIFE_HOURS)
    hours = AHEAD / timedelta(hours=1)
    return float(keep * (1 - keep**hours) / (1 - keep))


def _news(row: StoredMention) -> list[datetime]:
    """When something new was learnt of the post's reach."""
    return [row.created_at, row.collected_at] if row.seen else [row.created_at]


def _reach_at(rows: Iterable[StoredMention], at: datetime) -> int | None:
    """People reached by then; the largest of a person's posts counts once."""
    people: dict[str, int] = {}
    for row in rows:
        if row.created_at > at:
            continue
        counts = [n for n in (row.followers, _counted(row, at)) if n is not None]
        if counts:
            person = row.customer or row.uid
            people[person] = max(people.get(person, 0), *counts)
    return sum(people.values()) if people else None


def _counted(row: StoredMention, at: datetime) -> int | None:
    """Views, or what shares make likely, by the newest collection up to then.

    A post that was collected once had its counts from the beginning, for all we know.
    """
    known = [
        *((one.at, one.views, one.shares) for one in row.seen),
        (row.collected_at, row.views, row.shares),
    ]
    past = [one for one in known if one[0] <= at] or known[:1]
    _, views, shares = past[-1]
    if views is not None:
        return views
    return None if shares is None else shares * _SHARE_REACH
