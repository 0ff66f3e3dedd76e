"""Notice what a listing no longer shows, and ask its network whether it is gone.

A search that is walked again shows the items of its overlap again. One that was there and
is not any more may have been deleted, or may have slipped through a page border; so it is
asked for by itself, and only the network's own word makes a `Deletion`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from listeners.contract import Page, State
from listeners.mention import Deletion, Mention

KEPT = 300
"""How many of the latest items are watched."""
ASKED = 25
"""How many are asked for in one run."""

Ask = Callable[[Mapping[str, str]], Mapping[str, str]]
"""From handles by native id to the reasons of those that are gone, by native id."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """What is remembered of an item that was listed."""

    at: float
    """Where it stands in the listing's order: seconds since 1970."""
    handle: str
    """What its network knows it by, where that is not the native id."""
    instance: str = ""


class Watched(msgspec.Struct, frozen=True):
    """The part of a listener's state that this module owns."""

    watched: dict[str, Seen] = {}


def with_deletions(
    pages: Iterable[Page],
    ask: Ask,
    *,
    source: str,
    state: State | None,
    now: datetime,
    handle: Callable[[Mention], str] = lambda mention: mention.native_id,
) -> Iterator[Page]:
    """The pages of a newest-first walk, and after its end one with what is gone.

    Asks about watched items only that a whole walk passed over: a walk that an earlier run
    began is no evidence. An error while asking costs the asking, not the walk, whose pages
    are stored by then.

    Raises:
        ListenerError: what ``pages`` and ``ask`` raise.
    """
    watched = dict(msgspec.convert(state or {}, Watched).watched)
    whole = not (state or {}).get("walk")
    listed: dict[str, Seen] = {}
    for page in pages:
        for item in page.items:
            if isinstance(item, Mention):
                at = (item.indexed_at or item.created_at).timestamp()
                listed[item.native_id] = Seen(at, handle(item), item.instance)
        if not page.done:
            yield _with(page, {**watched, **listed})
            continue
        missed = _missed(watched, listed) if whole else {}
        watched = {**watched, **listed}
        if not missed:
            yield _with(page, watched)
            return
        yield _with(msgspec.structs.replace(page, done=False), watched)
        gone = ask({native_id: seen.handle for native_id, seen in missed.items()})
        yield Page(
            items=[
                Deletion(
                    source=source,
                    instance=missed[native_id].instance,
                    native_id=native_id,
                    seen_at=now,
                    reason=reason,
                )
                for native_id, reason in gone.items()
            ],
            state=_with(
                page, {key: seen for key, seen in watched.items() if key not in missed}
            ).state,
            done=True,
        )


def _missed(watched: Mapping[str, Seen], listed: Mapping[str, Seen]) -> dict[str, Seen]:
    """What the walk passed over: deeper items were not listed because it stopped."""
    if not listed:
        return {}
    low = min(seen.at for seen in listed.values())
    missed = [
        (key, seen) for key, seen in watched.items() if key not in listed and seen.at > low
    ]
    return dict(missed[:ASKED])


def _with(page: Page, watched: Mapping[str, Seen]) -> Page:
    latest = sorted(watched.items(), key=lambda one: (one[1].at, one[0]))[-KEPT:]
    state = {**page.state, "watched": msgspec.to_builtins(dict(latest))}
    return msgspec.structs.replace(page, state=state)
