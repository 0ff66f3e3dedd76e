"""X's recent search and look-up of posts, well and badly behaved.

Shaped from X's documentation, not recorded from it: exclusive ``since_id``, tokens that do
not expire, edits under a new id, errors for posts that are gone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from listeners.allowance import Credential
from listeners.contract import Allowance, Listener, Rate, Target
from listeners.landing import Landing
from listeners.mention import Mention
from listeners.sources.x import X
from listeners.sources.x.posts import time_of
from tests.servers.station import HttpStation, Post, error, fetcher, json_answer
from tests.servers.web import Answer, Request

_EDIT = 100_000
"""Added to a post's number for the version after an edit."""


class Station(HttpStation):
    """One query."""

    source = "x"
    not_applicable: ClassVar = {
        "blocked": "X refuses with a problem document, never with an empty page"
    }

    def __init__(self) -> None:
        super().__init__()
        self.params: dict[str, Any] = {
            "query": "harrowgate -is:retweet",
            "bearer_token": "a secret",
        }
        self.extra: dict[str, Any] = {}
        """Fields of every post."""
        self.began = datetime.now(UTC) - timedelta(minutes=30)
        self.now: datetime | None = None
        """What X's clock says; None is the clock on the wall."""
        self.cap = 50.0
        self.one_purse = False
        self.purses = 0
        self.billed = 0
        """Posts that were returned."""

    def target(self) -> Target:
        """The query."""
        return Target(source="x", key="brand", params=self.params)

    def listener(self) -> Listener:
        """As operators get it, at another address."""
        return X(fetcher(self.patience), api=self.url)

    def allowance(self, root: Path) -> Allowance:
        """The cap, of a purse for all runs, or of a fresh one that no 429 has closed."""
        self.purses += 0 if self.one_purse else 1
        cap = Rate(amount=self.cap, per="month", what="usd")
        return Credential(Landing(root), f"x-{self.purses}", (cap,))

    def id_of(self, post: Post) -> str:
        """X's id, by its own clock; an edit makes another."""
        return self._id(post.number + (_EDIT if post.edited_at else 0))

    def number(self, mention: Mention) -> int:
        """By the clock in the id."""
        return round((time_of(mention.native_id) - self.began) / timedelta(milliseconds=10))

    def answer(self, request: Request) -> Answer:
        """Search or look-up."""
        if request.headers.get("authorization") != "Bearer a secret":
            return error(401)
        if request.path == "/2/tweets":
            return self._lookup(request.query["ids"].split(","))
        assert request.path == "/2/tweets/search/recent"
        assert 10 <= int(request.query["max_results"]) <= 100
        since = int(request.query.get("since_id", 0))
        posts = sorted(self.world.posts, key=lambda post: -int(self.id_of(post)))
        oldest = (self.now or datetime.now(UTC)) - timedelta(days=7)
        posts = [post for post in posts if time_of(self.id_of(post)) > oldest]
        posts = [post for post in posts if int(self.id_of(post)) > since]
        if token := request.query.get("next_token"):
            below = int(token.removeprefix("b26v"))
            posts = [post for post in posts if int(self.id_of(post)) <= below]
        size = min(self.page_size, int(request.query["max_results"]))
        page, rest = posts[:size], posts[size - 1 if self.world.repeats and size > 1 else size :]
        meta: dict[str, Any] = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": self.id_of(page[0]), "oldest_id": self.id_of(page[-1])}
        if len(posts) > size:
            meta["next_token"] = f"b26v{self.id_of(rest[0])}"
        return self._posts(page, {"meta": meta})

    def too_many(self, reset_at: datetime) -> Answer:
        """By X's own headers."""
        problem = {"title": "Too Many Requests", "status": 429, "type": "about:blank"}
        reset = str(int(reset_at.timestamp()))
        headers = {"x-rate-limit-limit": "450", "x-rate-limit-remaining": "0"}
        return json_answer(problem, 429, {**headers, "x-rate-limit-reset": reset})

    def _lookup(self, ids: list[str]) -> Answer:
        shown = {self.id_of(post): post for post in self.world.posts}
        # By its first id, an edited post comes as it was.
        shown |= {self._id(p.number): replace(p, edited_at=None) for p in self.world.posts}
        problem = "https://api.x.com/2/problems/resource-not-found"
        errors = [
            {"resource_id": one, "value": one, "type": problem, "title": "Not Found Error"}
            for one in ids
            if one not in shown
        ]
        return self._posts(
            [shown[one] for one in ids if one in shown], {"errors": errors} if errors else {}
        )

    def _posts(self, posts: list[Post], more: dict[str, Any]) -> Answer:
        self.billed += len(posts)
        data = {"data": [self._post(post) for post in posts]} if posts else {}
        return json_answer({**data, **more}, headers={"x-rate-limit-remaining": "449"})

    def _id(self, number: int) -> str:
        at = self.began + number * timedelta(milliseconds=10)
        return str(((at - time_of("0")) // timedelta(milliseconds=1)) << 22)

    def _post(self, post: Post) -> dict[str, Any]:
        post_id, first = self.id_of(post), self._id(post.number)
        value = {
            "id": post_id,
            "text": post.text,
            "author_id": "77",
            "created_at": post.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "edit_history_tweet_ids": list(dict.fromkeys([first, post_id])),
            "lang": "en",
            "public_metrics": {"like_count": 3, "reply_count": 1, "retweet_count": 2},
            **self.extra,
        }
        if post.malformed:
            del value["author_id"]
        return value
