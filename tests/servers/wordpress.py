"""A WordPress site as far as its comments go, well and badly behaved.

Shaped from WordPress's documentation and source of its REST interface, not recorded from
a site. ``after`` is compared in the site's own time, as there.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.servers.web import Answer, Request

Comment = dict[str, Any]


def comment(number: int, at: datetime, **changes: Any) -> Comment:
    """One comment, as the interface gives it."""
    return {
        "id": number,
        "post": 7,
        "parent": 0,
        "author": 0,
        "author_name": f"Guest {number}",
        "author_url": "",
        "date": "",
        "date_gmt": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
        "content": {"rendered": f"<p>Comment {number}<br />on the tram</p>\n"},
        "link": f"https://blog.example/trams/#comment-{number}",
        "status": "approved",
        "type": "comment",
        "meta": [],
        **changes,
    }


class WordPressSite:
    """Answers for ``tests.servers.web.serving``; comments may come and go between requests."""

    def __init__(self, zone: str = "Europe/Berlin", page_size: int = 100) -> None:
        self.comments: list[Comment] = []
        self.hidden: set[int] = set()
        """Comments on posts that a reader may not see: counted, and left out of their page."""
        self.zone = ZoneInfo(zone)
        self.page_size = page_size
        self.next_answers: list[Answer | None] = []
        self.after_each: Callable[[], None] = lambda: None
        self.queries: list[dict[str, str]] = []

    def __call__(self, request: Request) -> Answer:
        if request.path != "/blog/wp-json/wp/v2/comments":
            return as_json({"code": "rest_no_route", "data": {"status": 404}}, 404)
        self.queries.append(dict(request.query))
        if self.next_answers and (answer := self.next_answers.pop(0)) is not None:
            return answer
        answer = self._list(request)
        self.after_each()
        return answer

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)

    def _list(self, request: Request) -> Answer:
        query = request.query
        after = self._local(datetime.fromisoformat(query["after"]))
        found = [
            c
            for c in sorted(self.comments, key=lambda c: (str(c.get("date_gmt")), c["id"]))
            if self._local(_utc(c)) > after
        ]
        size = min(int(query["per_page"]), self.page_size)
        start = (int(query["page"]) - 1) * size
        page = [c for c in found[start : start + size] if c["id"] not in self.hidden]
        pages = -(-len(found) // size)
        return as_json(page, 200, {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)})


def _utc(comment: Comment) -> datetime:
    try:
        return datetime.fromisoformat(str(comment["date_gmt"])).replace(tzinfo=UTC)
    except ValueError:
        return datetime.now(UTC) + timedelta(days=9)


def as_json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """An answer of JSON."""
    content = {"Content-Type": "application/json; charset=UTF-8", **(headers or {})}
    return Answer(json.dumps(value).encode(), status, content)
