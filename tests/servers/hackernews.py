"""Algolia's index of Hacker News, and Hacker News itself, well and badly behaved.

Shaped from the documentation of the search (hn.algolia.com/api) and of the Firebase API,
not recorded from the live services.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from listeners.contract import Listener, Target
from listeners.sources.hackernews import HackerNews
from tests.servers.scripted import Scripted
from tests.servers.station import HttpStation, Post, fetcher, json_answer
from tests.servers.web import Answer, Request

_UNTIL = re.compile(r"created_at_i<=(\d+)")
_CAP = 1000
"""Hits that one query can page through, as Algolia's default has it."""


def story(number: int, at: int, **changes: Any) -> dict[str, Any]:
    """One story, as a hit."""
    return {
        "objectID": str(number),
        "author": "ann",
        "created_at": datetime.fromtimestamp(at, UTC).isoformat(),
        "created_at_i": at,
        "title": f"Ask HN: tram {number}",
        "story_text": f"<p>Story {number} was late &amp; wet",
        "url": None,
        "points": 7,
        "num_comments": 2,
        "story_id": number,
        "_tags": ["story", "author_ann", f"story_{number}"],
        **changes,
    }


def comment(number: int, at: int, *, parent: int, root: int, **changes: Any) -> dict[str, Any]:
    """One comment, as a hit."""
    return {
        "objectID": str(number),
        "author": "bo",
        "created_at": datetime.fromtimestamp(at, UTC).isoformat(),
        "created_at_i": at,
        "comment_text": f"Comment {number} on the tram",
        "points": None,
        "parent_id": parent,
        "story_id": root,
        "story_title": f"Ask HN: tram {root}",
        "_tags": ["comment", "author_bo", f"story_{root}"],
        **changes,
    }


class HackerNewsServer(Scripted):
    """Both services at one address."""

    def __init__(self, hits: list[dict[str, Any]]) -> None:
        super().__init__()
        self.hits = hits
        self.deleted: set[str] = set()
        self.dead: set[str] = set()

    def well_behaved(self, request: Request) -> Answer:
        """A page of hits, or an item."""
        if request.path == "/api/v1/search_by_date":
            return self._search(request)
        number = request.path.removeprefix("/v0/item/").removesuffix(".json")
        item: dict[str, Any] = {"id": int(number), "type": "story"}
        if number in self.deleted:
            return json_answer({**item, "deleted": True})
        return json_answer({**item, "by": "ann", **({"dead": True} if number in self.dead else {})})

    def _search(self, request: Request) -> Answer:
        query = request.query
        shown = sorted(self.hits, key=lambda hit: -hit["created_at_i"])
        if found := _UNTIL.search(query.get("numericFilters", "")):
            shown = [hit for hit in shown if hit["created_at_i"] <= int(found[1])]
        size, page = int(query["hitsPerPage"]), int(query.get("page", 0))
        shown = shown[:_CAP]
        return json_answer(
            {
                "hits": shown[page * size : (page + 1) * size],
                "nbHits": len(shown),
                "page": page,
                "nbPages": -(-len(shown) // size),
                "hitsPerPage": size,
                "query": query["query"],
            }
        )


class Station(HttpStation):
    """A search."""

    source = "hackernews"

    def __init__(self) -> None:
        super().__init__()
        self._server = HackerNewsServer([])

    def target(self) -> Target:
        """The search."""
        params = {"query": "tram", "search_url": self.url, "items_url": self.url}
        return Target(source="hackernews", key="tram", params=params)

    def listener(self) -> Listener:
        """As operators get it."""
        return HackerNews(fetcher(self.patience))

    def answer(self, request: Request) -> Answer:
        """What the index says; it may give fewer hits than it was asked for."""
        self._server.hits = [_hit(post) for post in self.world.posts]
        size = str(self.page_size + self.world.repeats)
        return self._server.well_behaved(
            replace(request, query={**request.query, "hitsPerPage": size})
        )


def _hit(post: Post) -> dict[str, Any]:
    hit = story(post.number, int(post.at.timestamp()), story_text=post.text)
    return {**hit, "author": 7} if post.malformed else hit
