"""Hacker News: stories and comments that match a search, by Algolia's index of the site.

Newest first. The index answers at most 1,000 items to one query, so each page asks for what
is no newer than the oldest item of the page before, instead of turning pages: the limit is
never met, and nothing slips through when an item goes between two pages. The index fills
late, hours at times, so a walk goes six hours below what is known. What was deleted is asked
of Hacker News itself.

Target params: ``query``; optionally ``tags`` (else stories and comments), ``owners`` (the
brand's own user names), ``search_url`` and ``items_url``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Literal

import msgspec

from listeners.contract import Budget, Known, Page, Rate, Reject, State, Target, Traits
from listeners.errors import SchemaChanged
from listeners.http import Fetcher
from listeners.mapping import map_again
from listeners.mention import Author, Deletion, Engagement, Mention
from listeners.targets import settings, web_address, wrong
from listeners.text import plain_text
from listeners.times import parse_time
from listeners.walk import newest_first

_PAGE = 100
_OVERLAP = timedelta(hours=6)
_ITEM = "https://news.ycombinator.com/item?id="

Tag = Literal["story", "comment", "poll", "job"]


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    query: str
    tags: tuple[Tag, ...] = ("story", "comment")
    owners: tuple[str, ...] = ()
    search_url: str = "https://hn.algolia.com"
    items_url: str = "https://hacker-news.firebaseio.com"


class HackerNews:
    """One search."""

    name: ClassVar[str] = "hackernews"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="newest_first",
        has_edits=True,
        has_deletes=True,
        rates=(Rate(amount=10_000, per=3600),),
        rate_family="hackernews",
    )

    recheck_batch: ClassVar[int] = 20
    recheck_age: ClassVar[timedelta] = timedelta(days=3)

    def __init__(self, fetcher: Fetcher | None = None) -> None:
        self._fetcher = fetcher or Fetcher()

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _search(target)

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield the matching items, newest first.

        Raises:
            SchemaChanged: if the index sends something else than hits.
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
        """A deletion for each item that Hacker News itself calls deleted or dead."""
        search = _search(target)
        for known in batch:
            url = f"{search.items_url}/v0/item/{known.native_id}.json"
            item = self._fetcher.json(url, budget=budget).value
            if item is None or (isinstance(item, dict) and item.get("deleted")):
                reason = "deleted"
            elif isinstance(item, dict) and item.get("dead"):
                reason = "removed by moderators"
            else:
                continue
            yield Deletion(
                source=self.name, native_id=known.native_id, seen_at=budget.now, reason=reason
            )

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected item.

        Raises:
            ValueError: if it still cannot be understood.
        """
        return map_again(reject.raw, partial(self._map, search=_search(target), now=now))

    def _page(self, search: Search, budget: Budget, cursor: Any) -> tuple[list[Any], Any]:
        until, page = cursor or (None, 0)
        asked = {
            "query": search.query,
            "tags": f"({','.join(search.tags)})",
            "hitsPerPage": _PAGE,
            "page": page,
            "numericFilters": None if until is None else f"created_at_i<={until}",
        }
        url = f"{search.search_url}/api/v1/search_by_date"
        answer = self._fetcher.json(url, budget=budget, params=asked).value
        hits = answer.get("hits") if isinstance(answer, dict) else None
        if not isinstance(hits, list):
            raise SchemaChanged(f"{url} sent no hits: compare with Algolia's documentation")
        size = answer.get("hitsPerPage")
        if len(hits) < (size if isinstance(size, int) else _PAGE):
            return hits, None
        oldest = min((at for at in map(_second, hits) if at is not None), default=until)
        if oldest is None or (until is not None and oldest > until):
            raise SchemaChanged(f"{url} does not keep to the times asked for: narrow the query")
        # A whole page within one second can only be passed by turning it.
        return hits, [until, page + 1] if oldest == until else [oldest, 0]

    def _map(self, item: Any, search: Search, now: datetime) -> Mention:
        comment = item.get("comment_text")
        text = plain_text(comment or item.get("story_text") or "")
        title = (item.get("title") if comment is None else None) or ""
        if not text and not title:
            raise ValueError("it has neither a text nor a title")
        native_id = item["objectID"]
        story = item.get("story_id")
        parent = item.get("parent_id")
        author = item.get("author")
        return Mention(
            source=self.name,
            native_id=native_id,
            kind="post" if comment is None else "comment",
            text=text or title,
            title=(title or None) if text else None,
            url=f"{_ITEM}{native_id}",
            created_at=parse_time(item["created_at_i"])[0],
            collected_at=now,
            listener=f"{self.name}/{self.version}",
            author=Author(
                id=author,
                handle=author,
                url=f"https://news.ycombinator.com/user?id={author}" if author else None,
                is_owner=author in search.owners,
            ),
            parent_id=None if parent is None else str(parent),
            root_id=None if story is None or str(story) == native_id else str(story),
            # The index has no points of comments; it says null or an old number.
            engagement=Engagement(
                score=item.get("points") if comment is None else None,
                replies=item.get("num_comments"),
            ),
            matched=(search.query,),
            raw=item,
        )


def _search(target: Target) -> Search:
    search = settings(target, Search)
    if not search.query.strip() or not search.tags:
        raise wrong(target, "give a query and at least one tag")
    return msgspec.structs.replace(
        search,
        search_url=web_address(target, "search_url", search.search_url),
        items_url=web_address(target, "items_url", search.items_url),
    )


def _second(hit: Any) -> int | None:
    at = hit.get("created_at_i") if isinstance(hit, dict) else None
    return at if isinstance(at, int) else None
