"""Reddit as far as a search, a comment listing and a look-up by name go.

Shaped from the documentation of Reddit's API and from what PRAW asks, not recorded from the
live service.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from listeners.contract import Listener, Target
from listeners.sources.reddit import Reddit
from tests.servers.station import HttpStation, Post, error, json_answer
from tests.servers.web import Answer, Request

Thing = dict[str, Any]

KEYS = {"client_id": "an id", "client_secret": "a secret"}


def thing(post: Post, *, kind: str = "t3", **changes: Any) -> Thing:
    """What Reddit calls a post (``t3``) or a comment (``t1``), as a listing shows it."""
    written = {"title": f"Title {post.number}", "selftext": post.text, "num_comments": 2}
    if kind == "t1":
        written = {"body": post.text, "parent_id": "t1_a0", "link_id": "t3_b0"}
    shown = {
        "name": f"{kind}_{post.number:05}",
        "id": f"{post.number:05}",
        "author": "ann",
        "author_fullname": "t2_ann",
        "created_utc": post.at.timestamp(),
        "edited": post.edited_at.timestamp() if post.edited_at else False,
        "permalink": f"/r/tram/comments/{post.number:05}/title/",
        "subreddit": "tram",
        "score": 3,
        "over_18": False,
        **written,
        **changes,
    }
    if post.malformed:
        del shown["author"]
    return shown


class Station(HttpStation):
    """A search on all of Reddit; other targets and things are the tests' to set."""

    source = "reddit"
    renews = True

    def __init__(self) -> None:
        super().__init__()
        self.params: dict[str, Any] = {"account": "brand-bot", "query": "tram", **KEYS}
        self.kind = "t3"
        self.changes: dict[int, Thing] = {}
        """What is different about a thing, by the post's number."""
        self.most = 1000
        """A listing's length."""
        self.remaining = 99.0
        self._tokens = 0

    def target(self) -> Target:
        """The search."""
        return Target(source="reddit", key="tram", params=self.params)

    def listener(self) -> Listener:
        """As operators get it."""
        return Reddit(
            oauth_url=self.url,
            reddit_url=self.url,
            timeout=self.patience,
            sleep=lambda seconds: None,
        )

    def is_page(self, request: Request) -> bool:
        """A listing."""
        return request.path.startswith("/r/")

    def too_many(self, reset_at: datetime) -> Answer:
        """Nothing is left, for so many seconds."""
        seconds = int((reset_at - datetime.now(UTC)).total_seconds()) + 1
        headers = {"x-ratelimit-used": "1000", "x-ratelimit-remaining": "0.0"}
        return error(429, {**headers, "x-ratelimit-reset": str(seconds)})

    def blocked(self, request: Request) -> Answer:
        """A listing of nothing."""
        return self._listing([], None)

    def answer(self, request: Request) -> Answer:
        """A token, a listing, or things by their names."""
        if request.path == "/api/v1/access_token":
            return self._token(request)
        if request.headers.get("authorization") != f"bearer token {self._tokens}":
            return error(401)
        posts = self.listing(request)[: self.most]
        if request.path == "/api/info":
            asked = request.query["id"].split(",")
            return self._listing([p for p in posts if self._name(p) in asked], None)
        after = request.query.get("after")
        if after is None:
            start = 0
        elif after in (names := [self._name(post) for post in posts]):
            start = names.index(after) + 1
        else:
            start = len(posts)  # Nothing comes after what is gone.
        shown, following = self.cut(posts, start)
        return self._listing(list(shown), following)

    def _token(self, request: Request) -> Answer:
        known = base64.b64encode(":".join(KEYS.values()).encode()).decode()
        if request.headers.get("authorization") != f"Basic {known}":
            return error(401)
        assert request.form["grant_type"] == "client_credentials"
        self._tokens += 1
        token = {"access_token": f"token {self._tokens}", "token_type": "bearer"}
        return json_answer({**token, "expires_in": 86400, "scope": "*"})

    def _listing(self, posts: list[Post], following: int | None) -> Answer:
        after = self._name(posts[-1]) if posts and following is not None else None
        children = [
            {"kind": self.kind, "data": thing(p, kind=self.kind, **self.changes.get(p.number, {}))}
            for p in posts
        ]
        headers = {"x-ratelimit-used": "1", "x-ratelimit-reset": "300"}
        return json_answer(
            {"kind": "Listing", "data": {"after": after, "before": None, "children": children}},
            headers={**headers, "x-ratelimit-remaining": str(self.remaining)},
        )

    def _name(self, post: Post) -> str:
        return f"{self.kind}_{post.number:05}"
