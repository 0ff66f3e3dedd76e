"""Trustpilot's reviews of a business unit, well and badly behaved.

Shaped from Trustpilot's API documentation, not recorded from it.
"""

from __future__ import annotations

from typing import Any

from listeners.contract import Listener, Target
from listeners.sources.trustpilot import Trustpilot
from tests.servers.station import HttpStation, Post, error, fetcher, json_answer
from tests.servers.web import Answer, Request

UNIT = "46d6a890ffa235a75b00021d"


class Station(HttpStation):
    """One business unit."""

    source = "trustpilot"

    def __init__(self) -> None:
        super().__init__()
        self.params: dict[str, Any] = {"business_unit": UNIT, "api_key": "a secret"}
        self.extra: dict[str, Any] = {}
        """Fields of every review."""

    def target(self) -> Target:
        """The business unit."""
        return Target(source="trustpilot", key="brand", params=self.params)

    def listener(self) -> Listener:
        """As operators get it, at another address."""
        return Trustpilot(fetcher(self.patience), api=self.url)

    def answer(self, request: Request) -> Answer:
        """A page by its number; one beyond the last is empty."""
        if request.headers.get("apikey") != "a secret":
            return error(401)
        if request.path != f"/v1/business-units/{UNIT}/reviews":
            return error(404)
        assert request.query["orderBy"] == "createdat.desc"
        start = (int(request.query["page"]) - 1) * self.page_size
        page, _ = self.cut(self.listing(request), start)
        return json_answer({"links": [], "reviews": [self._review(post) for post in page]})

    def blocked(self, request: Request) -> Answer:
        """No reviews."""
        return json_answer({"links": [], "reviews": []})

    def _review(self, post: Post) -> dict[str, Any]:
        at = post.at.isoformat().replace("+00:00", "Z")
        review = {
            "id": f"5e3de1b45fb06f00{post.number:08}",
            "stars": 1,
            "title": "Late",
            "text": post.text,
            "language": "en",
            "createdAt": at,
            "updatedAt": post.edited_at.isoformat() if post.edited_at else None,
            "consumer": {"id": "c7", "displayName": "Ann", "countryCode": "GB"},
            "businessUnit": {"id": UNIT},
            "companyReply": None,
            "isVerified": True,
            **self.extra,
        }
        if post.malformed:
            del review["consumer"]
        return review
