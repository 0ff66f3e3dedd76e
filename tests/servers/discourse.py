"""A Discourse forum as far as its public posts go, well and badly behaved.

Shaped from Discourse's API documentation and its posts controller, not recorded from a
live forum. ``older`` behaves as versions before the change of what ``before`` means.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from listeners.contract import Listener, Target
from listeners.sources.discourse import Discourse
from tests.servers.scripted import Scripted
from tests.servers.station import HttpStation, Post, fetcher, json_answer
from tests.servers.web import Answer, Request

_PAGE = 50


def post(number: int, *, topic: int = 7, place: int = 1, **changes: Any) -> dict[str, Any]:
    """One post, as the listing gives it."""
    at = f"2026-01-02T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.123Z"
    return {
        "id": number,
        "username": "ann",
        "name": "Ann Example",
        "created_at": at,
        "updated_at": at,
        "cooked": f"<p>Post {number} about the<br>tram</p>",
        "raw": f"Post {number} about the\ntram",
        "topic_id": topic,
        "topic_title": "The tram again",
        "topic_slug": "the-tram-again",
        "post_number": place,
        "post_type": 1,
        "reply_to_post_number": None,
        "reply_count": 1,
        "reads": 9,
        "score": 3.2,
        "version": 1,
        "user_id": 31,
        "category_id": 4,
        "user_deleted": False,
        "hidden": False,
        "actions_summary": [{"id": 2, "count": 3}],
        **changes,
    }


class DiscourseServer(Scripted):
    """One forum; ``posts`` is what it shows, and can change between requests."""

    def __init__(self, posts: list[dict[str, Any]], *, older: bool = False) -> None:
        super().__init__()
        self.posts = posts
        self.older = older
        self.page_size = _PAGE
        self.key: str | None = None
        self.private: set[str] = set()

    def well_behaved(self, request: Request) -> Answer:
        """A page of posts, or one post."""
        if self.key and request.headers.get("api-key") != self.key:
            error = {"errors": ["You need to be logged in."], "error_type": "not_logged_in"}
            return json_answer(error, 403)
        if request.path == "/posts.json":
            return json_answer({"latest_posts": self._page(int(request.query.get("before", 0)))})
        place = request.path.removeprefix("/posts/by_number/").removesuffix(".json")
        if place in self.private:
            return json_answer({"errors": ["no"], "error_type": "invalid_access"}, 403)
        for one in self.posts:
            if f"{one['topic_id']}/{one['post_number']}" == place:
                return json_answer(one)
        return json_answer({"errors": ["not here"], "error_type": "not_found"}, 404)

    def _page(self, before: int) -> list[dict[str, Any]]:
        posts = sorted(self.posts, key=lambda one: -one["id"])
        if not self.older:
            return [one for one in posts if not before or one["id"] < before][: self.page_size]
        if not before:
            before = max((one["id"] for one in posts), default=0)
        return [one for one in posts if before - _PAGE < one["id"] <= before]


def too_many(seconds: int) -> Answer:
    """A 429 as Discourse sends it."""
    body = {"error_type": "rate_limit", "extras": {"wait_seconds": seconds}}
    return json_answer(body, 429, {"Retry-After": str(seconds)})


class Station(HttpStation):
    """One forum."""

    source = "discourse"

    def __init__(self) -> None:
        super().__init__()
        self._server = DiscourseServer([])

    def target(self) -> Target:
        """All of its posts."""
        return Target(source="discourse", key="forum", params={"url": self.url})

    def keyed(self) -> Target:
        """A forum behind a login."""
        self._server.key = "a secret"
        params = {"url": self.url, "api_key": "a secret", "api_username": "outcry"}
        return Target(source="discourse", key="forum", params=params)

    def listener(self) -> Listener:
        """As operators get it."""
        return Discourse(fetcher(self.patience))

    def answer(self, request: Request) -> Answer:
        """What the forum says."""
        self._server.page_size = self.page_size
        self._server.posts = [_shown(one) for one in self.world.posts]
        if self.world.repeats and (before := request.query.get("before")):
            request = replace(request, query={"before": str(int(before) + 1)})
        return self._server.well_behaved(request)

    def blocked(self, request: Request) -> Answer:
        """A forum that hides its posts shows an empty list."""
        return json_answer({"latest_posts": []})

    def too_many(self, reset_at: datetime) -> Answer:
        """With the seconds to wait."""
        return too_many(int((reset_at - datetime.now(UTC)).total_seconds()) + 1)


def _shown(one: Post) -> dict[str, Any]:
    at = one.at.isoformat().replace("+00:00", ".000Z")
    shown = post(one.number, topic=7, place=one.number, created_at=at, updated_at=at)
    shown |= {"cooked": f"<p>{one.text}</p>", "version": 1 if one.edited_at is None else 2}
    return {**shown, "created_at": "yesterday"} if one.malformed else shown
