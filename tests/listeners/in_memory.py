"""Sources that are a list in memory: by time, the newest first, or by order of arrival."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, ClassVar

from listeners.contract import Budget, Page, State, Target, Traits
from listeners.mapping import map_items
from listeners.mention import Mention
from listeners.walk import newest_first

OVERLAP = timedelta(minutes=10)
Item = dict[str, Any]


def map_item(item: Item) -> Mention:
    """The mention of a well-formed item."""
    if item["malformed"]:
        raise ValueError("it is malformed")
    at = datetime.fromisoformat(item["at"])
    return Mention(
        source="fake",
        native_id=str(item["id"]),
        text=item["text"],
        created_at=at,
        collected_at=at,
        listener="fake/1",
    )


class NewestFirst:
    """A listing by time, in pages that repeat the last item of the page before."""

    name: ClassVar[str] = "fake"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(order="newest_first")

    def __init__(self, items: list[Item], page_size: int) -> None:
        self._items = items
        self._page_size = page_size

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Walk down the listing."""
        return newest_first(
            self._fetch,
            map_item,
            listener=self,
            target=target,
            state=state,
            budget=budget,
            overlap=OVERLAP,
            history=timedelta(days=9999),
        )

    def _fetch(self, cursor: Any) -> tuple[list[Item], Any]:
        listing = sorted(self._items, key=_place, reverse=True)
        if cursor is not None:
            listing = [item for item in listing if _place(item) <= tuple(cursor)]
        size = self._page_size + (cursor is not None)
        page = [dict(item) for item in listing[:size]]
        return page, list(_place(page[-1])) if len(listing) > size else None


class OldestFirst:
    """A listing by order of arrival, from a cursor on."""

    name: ClassVar[str] = "fake"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(order="oldest_first")

    def __init__(self, items: list[Item], page_size: int) -> None:
        self._items = items
        self._page_size = page_size

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Walk up the listing, each page beginning with the last item of the one before."""
        cursor = (state or {}).get("cursor", 0)
        while True:
            page = [dict(item) for item in self._items[max(0, cursor - 1) :][: self._page_size + 1]]
            items, rejects = map_items(page, map_item, listener=self, target=target, at=budget.now)
            cursor = max(0, cursor - 1) + len(page)
            done = cursor == len(self._items)
            yield Page(items=items, rejects=rejects, state={"cursor": cursor}, done=done)
            if done:
                return


def _place(item: Item) -> tuple[str, int]:
    return item["at"], item["id"]
