"""Lemmy: posts and comments that match a search on one server, whatever server they are from.

Newest first, by numbered pages. Pages of a number shift when something is deleted, so each
page reaches back over the end of the one before. The identity of an item is its address in
the fediverse (``ap_id``), the same on every server; the server in it knows what was deleted.
API version 3, as of Lemmy 0.18 and 0.19.

Target params: ``server`` and ``query``; optionally ``owners`` (the brand's own accounts as
``name@host``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from listeners.contract import Budget, Known, Page, Rate, Reject, State, Target, Traits
from listeners.errors import (
    AuthFailed,
    BadTarget,
    ListenerError,
    RateLimited,
    SchemaChanged,
    TargetGone,
    Transient,
)
from listeners.http import Fetched, Fetcher
from listeners.mapping import MALFORMED, map_again
from listeners.mention import Author, Deletion, Engagement, Mention
from listeners.targets import settings, web_address, wrong
from listeners.times import parse_time
from listeners.walk import newest_first

_PAGE = 50
_ORIGIN = re.compile(r"(https?://[^/]+)/(post|comment)/(\d+)")
_OVERLAP = timedelta(hours=6)
_WAIT = timedelta(minutes=10)
"""For a limit is so much in ten minutes, and nobody says when they began."""


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    server: str
    """A host, or an address with http:// or https://."""
    query: str
    owners: tuple[str, ...] = ()


class Lemmy:
    """One search on one server."""

    name: ClassVar[str] = "lemmy"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="newest_first",
        has_edits=True,
        has_deletes=True,
        rates=(Rate(amount=100, per=600),),
        rate_by=("server",),
        rate_family="lemmy",
        silent_empty=True,
    )

    recheck_batch: ClassVar[int] = 10
    recheck_age: ClassVar[timedelta] = timedelta(days=7)

    def __init__(self, fetcher: Fetcher | None = None, *, page: int = _PAGE) -> None:
        self._fetcher = fetcher or Fetcher()
        self._size = page

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _search(target)

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield the matching posts and comments, newest first.

        Raises:
            RateLimited: also where the server says so with status 400, as Lemmy 0.19 does.
            SchemaChanged: if the server sends something else than posts and comments.
            ListenerError: what `Fetcher.json` raises.
        """
        search = _search(target)
        yield from newest_first(
            partial(self._page, search, budget),
            partial(self._map, search=search, now=budget.now),
            listener=self,
            target=target,
            state=state,
            budget=budget,
            overlap=_OVERLAP,
        )

    def recheck(
        self, batch: Sequence[Known], target: Target, budget: Budget
    ) -> Iterator[Mention | Deletion]:
        """A deletion for each item that the server it was written on has deleted or removed.

        Items of servers that do not answer, or are no Lemmy, are taken to be there.
        """
        search = _search(target)
        for known in batch:
            found = _ORIGIN.fullmatch(known.native_id)
            if found is None:
                continue
            origin, kind, number = found.groups()
            try:
                view = self._ask(f"{origin}/api/v3/{kind}", budget, {"id": number})
                reason = _flag(view[f"{kind}_view"][kind])
            except _Gone:
                reason = "deleted"
            except RateLimited:
                if origin == search.server:
                    raise
                continue
            except (Transient, SchemaChanged, AuthFailed, BadTarget, TargetGone, *MALFORMED):
                continue
            if reason is not None:
                yield Deletion(
                    source=self.name, native_id=known.native_id, seen_at=budget.now, reason=reason
                )

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The record of a rejected post or comment.

        Raises:
            ValueError: if it still cannot be understood.
        """
        return map_again(reject.raw, partial(self._map, search=_search(target), now=now))

    def _page(self, search: Search, budget: Budget, cursor: Any) -> tuple[list[Any], Any]:
        number = cursor or 1
        limit = _limit(number, self._size)
        asked = {
            "q": search.query,
            "type_": "All",
            "sort": "New",
            "listing_type": "All",
            "limit": limit,
            "page": number,
        }
        url = f"{search.server}/api/v3/search"
        answer = self._ask(url, budget, asked)
        lists: list[Any] = [None]
        if isinstance(answer, dict):
            lists = [answer.get(name) for name in ("posts", "comments")]
        if not all(isinstance(items, list) for items in lists):
            raise SchemaChanged(f"{url} sent no posts and comments: compare with Lemmy's API v3")
        # Two lists by time. The last item says how deep the page goes: that of the shallower
        # list among those that go on, else that of the deepest.
        ended = sorted((items for items in lists if len(items) < limit), key=_depth, reverse=True)
        going = sorted((items for items in lists if len(items) >= limit), key=_depth)
        items = [item for items in (*ended, *going) for item in items]
        return items, number + 1 if going else None

    def _map(self, item: Any, search: Search, now: datetime) -> Mention | Deletion:
        comment = item.get("comment")
        said = item["post"] if comment is None else comment
        native_id = said["ap_id"]
        if reason := _flag(said):
            return Deletion(source=self.name, native_id=native_id, seen_at=now, reason=reason)
        updated = said.get("updated")
        title = said["name"] if comment is None else None
        text = (said.get("body") if comment is None else said["content"]) or ""
        creator = item["creator"]
        handle = _name(creator)
        counts = item.get("counts") or {}
        return Mention(
            source=self.name,
            native_id=native_id,
            kind="post" if comment is None else "comment",
            text=text.strip() or title or "",
            title=title if text.strip() else None,
            url=native_id,
            # Until 0.18 times had no zone; they were UTC all the same.
            created_at=parse_time(said["published"], UTC)[0],
            edited_at=parse_time(updated, UTC)[0] if updated else None,
            collected_at=now,
            listener=f"{self.name}/{self.version}",
            author=Author(
                id=creator["actor_id"],
                handle=handle,
                name=creator.get("display_name"),
                url=creator["actor_id"],
                is_owner=handle.lower() in {owner.lower().lstrip("@") for owner in search.owners},
            ),
            container=_name(item["community"]),
            root_id=None if comment is None else item["post"]["ap_id"],
            engagement=Engagement(
                score=counts.get("score"),
                likes=counts.get("upvotes"),
                replies=counts.get("comments" if comment is None else "child_count"),
            ),
            matched=(search.query,),
            flags=("nsfw",) if item["post"].get("nsfw") else (),
            raw=item,
        )

    def _ask(self, url: str, budget: Budget, params: Mapping[str, Any]) -> Any:
        def judge(answer: Fetched) -> ListenerError | None:
            if answer.status == 400 and b"rate_limit_error" in answer.body:
                at = budget.now + _WAIT
                return RateLimited(f"{url} asks to be asked less often: listen less often", at)
            said = b"couldnt_find" in answer.body or b'"not_found"' in answer.body
            if answer.status in (400, 404) and said:
                return _Gone(f"{url} is not there: correct or remove the target")
            return None

        return self._fetcher.json(url, budget=budget, params=params, judge=judge).value


class _Gone(TargetGone):
    """One item, by the word of a Lemmy."""


def _search(target: Target) -> Search:
    search = settings(target, Search)
    if not search.query.strip():
        raise wrong(target, "query is empty: give words to search for")
    return msgspec.structs.replace(search, server=web_address(target, "server", search.server))


def _limit(number: int, size: int) -> int:
    """Items of a page: the n-th begins n - 1 items before the end of the one before.

    Offsets are multiples of the page's size, so it shrinks; from half of the size on (625
    items down, of 50 a page) pages lie end to end.
    """
    return max(size - number, size // 2) if number > 1 else size


def _depth(items: list[Any]) -> str:
    try:
        return str((items[-1].get("comment") or items[-1]["post"])["published"])
    except MALFORMED:
        return ""


def _flag(said: Mapping[str, Any]) -> str | None:
    if said.get("deleted"):
        return "deleted"
    return "removed by moderators" if said.get("removed") else None


def _name(whom: Mapping[str, Any]) -> str:
    """``name@host`` of a person or community."""
    return f"{whom['name']}@{urlsplit(whom['actor_id']).hostname or ''}"
