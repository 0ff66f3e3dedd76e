"""A WordPress site as far as its comments go, well and badly behaved.

Shaped from the documentation and the source of WordPress's REST interface, not recorded
from a site. As there, ``after`` is compared in the site's own time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from listeners.contract import Listener, Target
from listeners.sources.wordpress import WordPress
from tests.servers.station import HttpStation, Post, error, fetcher, json_answer
from tests.servers.web import Answer, Request


class Station(HttpStation):
    """The comments of one site in Berlin."""

    source = "wordpress"
    not_applicable: ClassVar = {"duplicates": "we ask by position, and overlap on purpose"}

    def __init__(self) -> None:
        super().__init__()
        self.params: dict[str, Any] = {}
        self.extra: dict[str, Any] = {}
        """Fields of every comment."""
        self.hidden: set[int] = set()
        """Comments that a reader may not see: counted, and left out of their page."""
        self.zone = ZoneInfo("Europe/Berlin")

    def target(self) -> Target:
        """The site."""
        params = {"site": f"{self.url}/blog/", **self.params}
        return Target(source="wordpress", key="blog", params=params)

    def listener(self) -> Listener:
        """As operators get it."""
        return WordPress(fetcher(self.patience), per_page=self.page_size)

    def answer(self, request: Request) -> Answer:
        """The comments from a position on, the oldest first."""
        if request.path != "/blog/wp-json/wp/v2/comments":
            return error(404)
        after = self._local(datetime.fromisoformat(request.query["after"]))
        found = [p for p in reversed(self.listing(request)) if self._local(p.at) > after]
        offset, size = int(request.query["offset"]), int(request.query["per_page"])
        page = found[offset : offset + size]
        comments = [self._comment(post) for post in page if post.number not in self.hidden]
        return json_answer(comments, headers={"X-WP-Total": str(len(found))})

    def blocked(self, request: Request) -> Answer:
        """No comments."""
        return json_answer([], headers={"X-WP-Total": "0"})

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)

    def _comment(self, post: Post) -> dict[str, Any]:
        comment = {
            "id": post.number,
            "post": 7,
            "parent": 0,
            "author": 0,
            "author_name": "Guest",
            "author_url": "",
            "date": self._local(post.at).isoformat(timespec="seconds"),
            "date_gmt": post.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "content": {"rendered": f"<p>{post.text}</p>\n"},
            "link": f"https://blog.example/trams/#comment-{post.number}",
            "status": "approved",
            "type": "comment",
            **self.extra,
        }
        if post.malformed:
            del comment["content"]
        return comment
