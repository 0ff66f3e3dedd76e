"""A Mastodon server as far as a tag timeline goes, well and badly behaved.

Shaped from the documentation of Mastodon's API (timelines, instance, rate limits), not
recorded from a live server.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from listeners.contract import Listener, Target
from listeners.sources.mastodon import Mastodon
from tests.servers.station import HttpStation, Post
from tests.servers.web import Answer, Request

Status = dict[str, Any]


def status(number: int, *, host: str = "social.example", **changes: Any) -> Status:
    """One post, as the API gives it; ids grow with ``number``."""
    return {
        "id": str(100_000 + number),
        "uri": f"https://{host}/users/ann/statuses/{number}",
        "url": f"https://{host}/@ann/{number}",
        "created_at": f"2026-01-02T03:{number // 60 % 60:02}:{number % 60:02}.000Z",
        "edited_at": None,
        "content": f"<p>Post {number} about the<br />tram</p>",
        "spoiler_text": "",
        "language": "en",
        "visibility": "public",
        "sensitive": False,
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        "reblog": None,
        "replies_count": 1,
        "reblogs_count": 2,
        "favourites_count": 3,
        "media_attachments": [],
        "mentions": [],
        "tags": [{"name": "tram", "url": f"https://{host}/tags/tram"}],
        "emojis": [],
        "account": {
            "id": "7",
            "username": "ann",
            "acct": "ann",
            "uri": f"https://{host}/users/ann",
            "url": f"https://{host}/@ann",
            "display_name": "Ann",
            "followers_count": 12,
            "bot": False,
            "created_at": "2020-01-01T00:00:00.000Z",
        },
        **changes,
    }


class MastodonServer:
    """Answers for ``tests.servers.web.serving``; posts can come and go between requests."""

    def __init__(self, posts: list[Status], *, page_size: int = 40) -> None:
        self.posts = posts
        self.page_size = page_size
        self.access: dict[str, Any] | None = {"local": "public", "remote": "public"}
        self.token: str | None = None
        self.old = False
        """It is older than 4.3."""
        self.base = "http://127.0.0.1"
        self.queries: list[dict[str, str]] = []
        self.next_answers: list[Answer | None] = []
        """Given once each, before the timeline is well behaved again; None is good behaviour."""
        self.after_each: Callable[[], None] = lambda: None

    def __call__(self, request: Request) -> Answer:
        if request.path.rstrip("/") == "/api/v2/instance":
            return self._instance()
        if request.path.rstrip("/") == "/api/v1/apps/verify_credentials":
            return self._application(request)
        if request.path.rstrip("/") == "/api/v1/statuses" and not self.old:
            asked = parse_qs(request.query_string)["id[]"]
            assert len(asked) <= 20
            return _json([post for post in self.posts if post["id"] in asked])
        if not request.path.startswith("/api/v1/timelines/tag/"):
            return _json({"error": "Record not found"}, 404)
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return _json({"error": "The access token is invalid"}, 401)
        self.queries.append(dict(request.query))
        if self.next_answers and (answer := self.next_answers.pop(0)) is not None:
            return answer
        answer = self._timeline(request)
        self.after_each()
        return answer

    def _instance(self) -> Answer:
        if self.access is None:
            return _json({"error": "Not found"}, 404)
        access = {"hashtag_feeds": self.access, "live_feeds": self.access}
        return _json(
            {"domain": "x", "version": "4.5.0", "configuration": {"timelines_access": access}}
        )

    def _application(self, request: Request) -> Answer:
        if request.headers.get("authorization") != "Bearer a secret":
            return _json({"error": "The access token is invalid"}, 401)
        scopes = {} if self.access is None else {"scopes": ["read", "profile"]}
        return _json({"name": "Harrowgate listens", "website": None, **scopes})

    def _timeline(self, request: Request) -> Answer:
        query = request.query
        newest_first = sorted(self.posts, key=lambda post: -int(post["id"]))
        limit = min(int(query.get("limit", 20)), self.page_size)
        if "max_id" in query:
            newest_first = [p for p in newest_first if int(p["id"]) < int(query["max_id"])]
        if "since_id" in query:
            newest_first = [p for p in newest_first if int(p["id"]) > int(query["since_id"])]
        if "min_id" in query:
            newer = [p for p in newest_first if int(p["id"]) > int(query["min_id"])]
            page = newer[-limit:]
        else:
            page = newest_first[:limit]
        headers = {
            "X-RateLimit-Limit": "300",
            "X-RateLimit-Remaining": str(300 - len(self.queries)),
            "X-RateLimit-Reset": "2036-01-01T00:00:00.000000Z",
        }
        if page:
            here = f"{self.base}{request.path}?limit={limit}"
            headers["Link"] = (
                f'<{here}&max_id={page[-1]["id"]}>; rel="next", '
                f'<{here}&min_id={page[0]["id"]}>; rel="prev"'
            )
        return _json(page, 200, headers)


def too_many(reset: str = "2036-01-01T00:00:00.000000Z") -> Answer:
    """A 429 as Mastodon sends it."""
    headers = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    return _json({"error": "Too many requests"}, 429, headers)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(
        json.dumps(value).encode(),
        status,
        {"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


class Station(HttpStation):
    """A hashtag of one server."""

    source = "mastodon"

    def __init__(self) -> None:
        super().__init__()
        self._server = MastodonServer([], page_size=self.page_size)

    def target(self) -> Target:
        """The hashtag."""
        params = {"server": self.url, "tag": "tram", "access_token": "a secret"}
        return Target(source="mastodon", key="tram", params=params)

    def listener(self) -> Listener:
        """As operators get it."""
        return Mastodon(timeout=self.patience, sleep=lambda seconds: None)

    def is_page(self, request: Request) -> bool:
        """All but the server's description of itself."""
        return "/timelines/" in request.path

    def answer(self, request: Request) -> Answer:
        """What the server says, of the posts as they are now."""
        self._server.base = self.url
        self._server.page_size = self.page_size
        self._server.posts = [_status(post) for post in self.world.posts]
        if self.world.repeats and "max_id" in request.query:
            again = str(int(request.query["max_id"]) + 1)
            request = replace(request, query={**request.query, "max_id": again})
        return self._server(request)

    def too_many(self, reset_at: datetime) -> Answer:
        """With the time of the reset."""
        return too_many(reset_at.isoformat().replace("+00:00", ".000000Z"))


@cache
def _status(post: Post) -> Status:
    shown = status(post.number, created_at=_iso(post.at), content=f"<p>{post.text}</p>")
    shown["edited_at"] = None if post.edited_at is None else _iso(post.edited_at)
    if post.malformed:
        del shown["account"]
    return shown


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
