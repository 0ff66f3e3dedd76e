"""A Bluesky server as far as signing in and searching go, well and badly behaved.

Shaped from the lexicons of atproto (app.bsky.feed.searchPosts and getPosts,
com.atproto.server.createSession), not recorded from the live network.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import msgspec

from listeners.contract import Listener, Target
from listeners.sources.bluesky import Bluesky
from tests.servers.scripted import Scripted
from tests.servers.station import HttpStation, Post, fetcher, json_answer
from tests.servers.web import Answer, Request

DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
_CID = "bafyreidnwt5s2u353exextusedas4nr77z5rhgzmg5j2swdadb7n65wxsy"


def record(number: int, second: float, **changes: Any) -> dict[str, Any]:
    """A post as its author wrote it, ``second`` of the second of January 2026."""
    return {
        "$type": "app.bsky.feed.post",
        "text": f"Post {number} about the tram",
        "createdAt": _when(second),
        "langs": ["en"],
        **changes,
    }


def uri(number: int, did: str = DID) -> str:
    """The address of a post."""
    return f"at://{did}/app.bsky.feed.post/3k{number:011}"


def post_view(number: int, second: float, **changes: Any) -> dict[str, Any]:
    """A post as a search gives it."""
    return {
        "uri": uri(number),
        "cid": _CID,
        "author": {"did": DID, "handle": "ann.example", "displayName": "Ann", "labels": []},
        "record": record(number, second),
        "indexedAt": _when(second),
        "likeCount": 3,
        "replyCount": 1,
        "repostCount": 2,
        "quoteCount": 0,
        "labels": [],
        **changes,
    }


def _when(second: float) -> str:
    at = datetime.fromtimestamp(datetime(2026, 1, 2, tzinfo=UTC).timestamp() + second, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class BlueskyServer(Scripted):
    """The entryway, the account's own server and the search at one address."""

    def __init__(self, posts: list[dict[str, Any]]) -> None:
        super().__init__()
        self.posts = posts
        self.password = "a-secret"
        self.page_size = 100
        self.cap = 10_000
        self.repeats = False
        self.sessions = 0
        self.expired: set[str] = set()
        self.own_server: str | None = None

    def well_behaved(self, request: Request) -> Answer:
        """What a method answers."""
        method = request.path.removeprefix("/xrpc/")
        if method == "com.atproto.server.createSession":
            return self._session(msgspec.json.decode(request.body))
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token.startswith("token-"):
            return _error(401, "AuthMissing", "Authentication Required")
        if token in self.expired:
            return _error(400, "ExpiredToken", "Token has expired")
        if method == "com.atproto.server.getSession":
            return json_answer({"did": DID, "handle": "us.example", "active": True})
        if method == "app.bsky.feed.getPosts":
            asked = parse_qs(request.query_string)["uris"]
            assert len(asked) <= 25
            return json_answer({"posts": [one for one in self.posts if one["uri"] in asked]})
        return self._search(request.query)

    def _session(self, asked: dict[str, str]) -> Answer:
        if asked["password"] != self.password:
            return _error(401, "AuthenticationRequired", "Invalid identifier or password")
        self.sessions += 1
        session: dict[str, Any] = {
            "did": DID,
            "handle": asked["identifier"],
            "accessJwt": f"token-{self.sessions}",
            "refreshJwt": "again",
        }
        if self.own_server:
            service = {"id": "#atproto_pds", "serviceEndpoint": self.own_server}
            session["didDoc"] = {"id": DID, "service": [service]}
        return json_answer(session)

    def _search(self, query: Any) -> Answer:
        assert query["sort"] == "latest"
        found = sorted(self.posts, key=lambda one: str(one.get("indexedAt")), reverse=True)
        if until := query.get("until"):
            before = datetime.fromisoformat(until)
            found = [one for one in found if datetime.fromisoformat(one["indexedAt"]) < before]
        found = found[: self.cap]
        first = int(query.get("cursor", 0))
        size = min(int(query["limit"]), self.page_size)
        again = first - 1 if self.repeats and first else first
        answer: dict[str, Any] = {"posts": found[again : first + size]}
        if len(found) > first + size:
            answer["cursor"] = str(first + size)
        return json_answer(answer)


def too_many(reset: int) -> Answer:
    """A 429 as Bluesky sends it; ``reset`` is a time in seconds since 1970."""
    headers = {
        "RateLimit-Limit": "3000",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(reset),
        "RateLimit-Policy": "3000;w=300",
    }
    return json_answer({"error": "RateLimitExceeded", "message": "Slow down"}, 429, headers)


def _error(status: int, name: str, message: str) -> Answer:
    return json_answer({"error": name, "message": message}, status)


class Station(HttpStation):
    """A search."""

    source = "bluesky"
    renews = True

    def __init__(self) -> None:
        super().__init__()
        self._server = BlueskyServer([])

    def target(self) -> Target:
        """The search."""
        params = {"query": "tram", "handle": "us.example", "app_password": "a-secret"}
        return Target(source="bluesky", key="tram", params={**params, "service": self.url})

    def listener(self) -> Listener:
        """As operators get it."""
        return Bluesky(fetcher(self.patience))

    def is_page(self, request: Request) -> bool:
        """All but signing in."""
        return request.path.endswith("searchPosts")

    def answer(self, request: Request) -> Answer:
        """What the network says."""
        self._server.page_size = self.page_size
        self._server.posts = [_listed(one) for one in self.world.posts]
        self._server.repeats = self.world.repeats
        return self._server.well_behaved(request)

    def too_many(self, reset_at: datetime) -> Answer:
        """With the time of the reset."""
        return too_many(int(reset_at.timestamp()))


def _listed(one: Post) -> dict[str, Any]:
    when = one.at.isoformat().replace("+00:00", ".000Z")
    said = record(one.number, 0, text=one.text, createdAt=when)
    view = post_view(one.number, 0, record=said, indexedAt=when)
    if one.malformed:
        del view["author"]
    return view
