"""The YouTube Data API as far as comments and the search for videos go.

Shaped from the documentation of version 3 of the API, not recorded from the live service.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from listeners.contract import Listener, Target
from listeners.sources.youtube import YouTube
from tests.servers.station import HttpStation, Post, fetcher, json_answer
from tests.servers.web import Answer, Request

VIDEO = "tram-video1"
CHANNEL = "UC" + "brand" * 4 + "01"
_KEY = "a secret key"


def comment(post: Post, *, parent: str | None = None, **changes: Any) -> dict[str, Any]:
    """A comment, or a reply to a thread."""
    name = f"Ug{post.number:05}"
    snippet = {
        "channelId": CHANNEL,
        "videoId": VIDEO,
        "textOriginal": post.text,
        "textDisplay": post.text,
        "authorDisplayName": "@ann",
        "authorChannelId": {"value": "UCann"},
        "authorChannelUrl": "https://www.youtube.com/@ann",
        "likeCount": 3,
        "publishedAt": _iso(post.at),
        "updatedAt": _iso(post.edited_at or post.at),
        **({} if parent is None else {"parentId": parent}),
        **changes,
    }
    if post.malformed:
        del snippet["publishedAt"]
    return {"id": name if parent is None else f"{parent}.{name}", "snippet": snippet}


def refusal(reason: str, status: int = 403, **more: Any) -> Answer:
    """An error as the API words it."""
    errors = [{"domain": "youtube", "reason": reason, "message": "No."}]
    said = {"code": status, "message": "No.", "errors": errors, **more}
    return json_answer({"error": said}, status)


class Station(HttpStation):
    """The comments of one video; other targets are the tests' to set."""

    source = "youtube"
    not_applicable = {"blocked": "a refusal is an error here, with a reason"}

    def __init__(self) -> None:
        super().__init__()
        self.params: dict[str, Any] = {"videos": [VIDEO], "api_key": _KEY}
        self.replies: dict[int, list[Post]] = {}
        """By the number of the post that they answer."""
        self.videos: dict[str, datetime] = {}
        """What a search finds, and when it was published."""
        self.searches_left = 100
        self.closed: dict[str, Answer] = {}
        """What is said of a video instead of its comments."""
        self.old_tokens = False
        """Page tokens of earlier runs are refused."""

    def target(self) -> Target:
        """The video."""
        return Target(source="youtube", key="tram", params=self.params)

    def listener(self) -> Listener:
        """As operators get it."""
        return YouTube(fetcher(self.patience), address=self.url)

    def is_page(self, request: Request) -> bool:
        """A page of threads."""
        return request.path.endswith("/commentThreads") and "id" not in request.query

    def answer(self, request: Request) -> Answer:
        """Threads, comments or videos."""
        if request.headers.get("x-goog-api-key") != _KEY:
            return refusal("badRequest", 400, details=[{"reason": "API_KEY_INVALID"}])
        kind, query = request.path.rpartition("/")[2], request.query
        if kind == "i18nLanguages":
            return json_answer({"items": [{"id": "zu", "snippet": {"hl": "zu", "name": "Zulu"}}]})
        if kind == "search" and self.searches_left == 0:
            return refusal("quotaExceeded")
        if kind == "search":
            self.searches_left -= 1
            found = sorted(self.videos.items(), key=lambda item: item[1], reverse=True)
            items = [
                {"id": {"videoId": v}, "snippet": {"publishedAt": _iso(at)}} for v, at in found
            ]
            return json_answer({"items": items})
        asked = query.get("id", "").split(",")
        if kind == "comments" and "id" in query:
            return json_answer({"items": [c for c in self._all() if c["id"] in asked]})
        if kind == "comments":
            return self._replies(query["parentId"], query.get("pageToken"))
        if "id" in query:
            items = [self._thread(post) for post in self.world.posts]
            return json_answer({"items": [t for t in items if t["id"] in asked]})
        if (video := query.get("videoId", "")) in self.closed:
            return self.closed[video]
        return self._threads(request)

    def _threads(self, request: Request) -> Answer:
        posts, token = self.listing(request), request.query.get("pageToken")
        if token is not None and self.old_tokens:
            self.old_tokens = False
            return refusal("invalidPageToken", 400)
        start = 0
        if token is not None:
            at, number = token.split("/")
            start = sum((p.at.timestamp(), p.number) >= (float(at), int(number)) for p in posts)
        shown, following = self.cut(posts, start)
        more = {}
        if following is not None:
            last = shown[-1]
            more = {"nextPageToken": f"{last.at.timestamp()}/{last.number}"}
        return json_answer({"items": [self._thread(post) for post in shown], **more})

    def _thread(self, post: Post) -> dict[str, Any]:
        top, replies = comment(post), self._comments(post)
        around = {"channelId": CHANNEL, "videoId": VIDEO, "topLevelComment": top}
        return {
            "id": top["id"],
            "snippet": {**around, "totalReplyCount": len(replies)},
            **({"replies": {"comments": replies[:5]}} if replies else {}),
        }

    def _replies(self, parent: str, token: str | None) -> Answer:
        (post,) = (post for post in self.world.posts if comment(post)["id"] == parent)
        start, replies = int(token or 0), self._comments(post)
        end = start + self.page_size
        more = {"nextPageToken": str(end)} if end < len(replies) else {}
        return json_answer({"items": replies[start:end], **more})

    def _comments(self, post: Post) -> list[dict[str, Any]]:
        parent = comment(post)["id"]
        return [comment(reply, parent=parent) for reply in self.replies.get(post.number, [])]

    def _all(self) -> list[dict[str, Any]]:
        return [c for post in self.world.posts for c in (comment(post), *self._comments(post))]


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
