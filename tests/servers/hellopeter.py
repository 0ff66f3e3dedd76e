"""HelloPeter's two doors, well and badly behaved.

Shaped from what public programs read of the JSON behind the website and from the published
example of an empty answer of the Business API v5; nothing is recorded from either.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from listeners.contract import Listener, Target
from listeners.sources.hellopeter import HelloPeter
from tests.servers.station import HttpStation, Post, error, fetcher, json_answer
from tests.servers.web import Answer, Request

_HERE = ZoneInfo("Africa/Johannesburg")


class Station(HttpStation):
    """One business; through the Business API unless ``params`` say otherwise."""

    source = "hellopeter"

    def __init__(self) -> None:
        super().__init__()
        self.params: dict[str, Any] = {"slug": "harrowgate-trams", "api_key": "a secret"}
        self.extra: dict[str, Any] = {}
        """Fields of every review."""

    def target(self) -> Target:
        """The business."""
        return Target(source="hellopeter", key="brand", params=self.params)

    def listener(self) -> Listener:
        """As operators get it, at another address."""
        return HelloPeter(fetcher(self.patience), api=self.url)

    def answer(self, request: Request) -> Answer:
        """A page by its number; the public door says 202 to all that is well."""
        number = int(request.query["page"])
        listing = self.listing(request)
        page, _ = self.cut(listing, (number - 1) * self.page_size)
        reviews = [self._review(post) for post in page]
        pages = -(-len(listing) // self.page_size)
        if request.path == "/consumer/business/harrowgate-trams/reviews":
            return json_answer({"data": reviews, "last_page": pages, "current_page": number}, 202)
        if request.path != "/v5/api/reviews":
            return error(404)
        if request.headers.get("apikey") != "a secret":
            return error(401)
        meta = {
            "perPage": self.page_size,
            "current": number,
            "totalRecords": len(listing),
            "lastPage": pages,
            "nextPage": f"{self.url}/v5/api/reviews?page={number + 1}",
        }
        return json_answer({"meta": meta, "data": reviews})

    def blocked(self, request: Request) -> Answer:
        """No reviews, and as so often a next page."""
        return json_answer({"meta": {"lastPage": 0, "nextPage": "?page=2"}, "data": []})

    def _review(self, post: Post) -> dict[str, Any]:
        review = {
            "id": post.number,
            "user_id": "u-7",
            "author_id": 77,
            "authorDisplayName": "Ann E",
            "author": "Ann E",
            "created_at": post.at.astimezone(_HERE).strftime("%Y-%m-%d %H:%M:%S"),
            "review_title": "Late again",
            "review_content": f"<p>{post.text}</p>",
            "review_rating": 1,
            "permalink": f"late-again-{post.number}",
            "business_name": "Harrowgate Trams",
            "business_slug": "harrowgate-trams",
            "replied": False,
            **self.extra,
        }
        if post.malformed:
            del review["review_rating"]
        return review
