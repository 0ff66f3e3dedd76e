"""Looking again at what was heard lately: is it still there?

For networks that do not tell of deletions. A listener keeps `Watched` in its state, asks
the network for the ids that are `due`, and lets `settle` judge what came back. An id that
is missing once may be a fault of the answer; missing in two runs, it is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta

import msgspec

from listeners.mention import Deletion, Mention

MOST = 5000
"""How many items of one target are looked at again, the newest ones."""

_CONFIRM = timedelta(minutes=10)
_CLOCKS = timedelta(minutes=5)


class Heard(msgspec.Struct, frozen=True, array_like=True):
    """One item, in seconds since 1970."""

    created: int
    looked: int
    """When we last saw it, or saw it missing."""
    missing: bool = False


Watched = dict[str, Heard]
"""By native id."""


def remember(
    watched: Watched, records: Iterable[Mention | Deletion], now: datetime, keep: timedelta
) -> Watched:
    """``watched`` with a page's mentions, without its deletions and what is older than ``keep``."""
    after = dict(watched)
    stamp = int(now.timestamp())
    for record in records:
        if isinstance(record, Deletion):
            after.pop(record.native_id, None)
        else:
            after[record.native_id] = Heard(int(record.created_at.timestamp()), stamp)
    oldest = (now - keep).timestamp()
    newest = sorted(after.items(), key=lambda item: item[1].created)[-MOST:]
    return {name: heard for name, heard in newest if heard.created >= oldest}


def due(watched: Watched, now: datetime, every: timedelta) -> list[str]:
    """The ids to ask for, those first that nobody looked at for longest."""
    waited = (now - every).timestamp()
    confirmed = (now - _CONFIRM).timestamp()
    names = [n for n, h in watched.items() if h.looked <= (confirmed if h.missing else waited)]
    return sorted(names, key=lambda name: watched[name].looked)


def is_news(watched: Watched, record: Mention | Deletion) -> bool:
    """Whether a record says more than was heard; clocks may differ by a few minutes."""
    known = watched.get(record.native_id)
    if known is None or isinstance(record, Deletion):
        return True
    edited_at = record.edited_at
    return edited_at is not None and (edited_at + _CLOCKS).timestamp() > known.looked


def settle(
    watched: Watched,
    asked: Iterable[str],
    present: Collection[str],
    found: Iterable[Mention | Deletion],
    *,
    gone: Callable[[str], Deletion],
    now: datetime,
    keep: timedelta,
) -> tuple[Watched, list[Mention | Deletion]]:
    """What to watch after an answer, and what it says that was not known.

    ``present`` are the ids that came back, ``found`` what could be understood of them, and
    ``gone`` makes the deletion of an id that did not come back twice.
    """
    after, stamp = dict(watched), int(now.timestamp())
    news = [record for record in found if is_news(watched, record)]
    for name in asked:
        missing = name not in present
        if missing and after[name].missing:
            news.append(gone(name))
        after[name] = Heard(after[name].created, stamp, missing)
    return remember(after, news, now, keep), news
