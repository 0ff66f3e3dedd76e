"""The Stack Exchange API as far as a search goes, well and badly behaved.

Shaped from the documentation at api.stackexchange.com/docs, not recorded from it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from listeners.contract import Listener, Target
from listeners.sources.stackexchange import StackExchange
from tests.servers.scripted import Scripted
from tests.servers.station import HttpStation, Post, fetcher, json_answer
from tests.servers.web import Answer, Request

KEY = "a-secret"


def question(number: int, at: int, **changes: Any) -> dict[str, Any]:
    """One question with its body."""
    return {
        "question_id": number,
        "title": f"Why is tram {number} &quot;late&quot;?",
        "body": f"<p>Question {number} about the tram</p>",
        "creation_date": at,
        "last_activity_date": at,
        "owner": {
            "user_id": 12,
            "display_name": "Ann &amp; Bo",
            "reputation": 101,
            "link": "https://stackoverflow.com/users/12/ann",
        },
        "link": f"https://stackoverflow.com/questions/{number}/why",
        "score": 4,
        "view_count": 55,
        "answer_count": 1,
        "tags": ["tram"],
        **changes,
    }


class StackExchangeServer(Scripted):
    """One site; the whole quota is 300 calls."""

    def __init__(self, questions: list[dict[str, Any]]) -> None:
        super().__init__()
        self.questions = questions
        self.page_size = 100
        self.repeats = False
        self.backoffs: list[int] = []
        """Seconds to order with the next answers; 0 orders none."""

    def well_behaved(self, request: Request) -> Answer:
        """A page of a search, or questions by number."""
        if request.query.get("site") != "stackoverflow":
            return error(400, "bad_parameter", "No site found for name `x`")
        if request.query.get("key", KEY) != KEY:
            return error(400, "bad_parameter", "`key` doesn't match a known application")
        if request.path.endswith("/info"):
            info = {"items": [{"new_active_users": 1}], "has_more": False}
            return json_answer({**info, "quota_max": 10_000, "quota_remaining": 9_999})
        if request.path.endswith("/search/advanced"):
            found = self._search(request.query)
        else:
            numbers = request.path.rpartition("/")[2].split(";")
            found = [one for one in self.questions if str(one["question_id"]) in numbers]
        size = min(int(request.query["pagesize"]), self.page_size)
        first = (int(request.query.get("page", 1)) - 1) * size
        again = first - 1 if self.repeats and first else first
        answer: dict[str, Any] = {
            "items": found[again : first + size],
            "has_more": len(found) > first + size,
            "quota_max": 300,
            "quota_remaining": 300 - len(self.requests),
        }
        if self.backoffs and (seconds := self.backoffs.pop(0)):
            answer["backoff"] = seconds
        return json_answer(answer)

    def _search(self, query: Any) -> list[dict[str, Any]]:
        assert (query["sort"], query["order"]) == ("activity", "asc")
        found = [
            one
            for one in self.questions
            if one["creation_date"] >= int(query["fromdate"])
            and one["last_activity_date"] >= int(query["min"])
        ]
        return sorted(found, key=lambda one: one["last_activity_date"])


def error(number: int, name: str, message: str, status: int = 400) -> Answer:
    """An error as the API sends it: the number is in the body."""
    return json_answer({"error_id": number, "error_name": name, "error_message": message}, status)


class Station(HttpStation):
    """A search on one site."""

    source = "stackexchange"
    meanings = {"429": "QuotaExhausted"}

    def __init__(self) -> None:
        super().__init__()
        self._server = StackExchangeServer([])

    def target(self) -> Target:
        """The search."""
        params = {"site": "stackoverflow", "query": "tram", "api_url": self.url}
        return Target(source="stackexchange", key="tram", params=params)

    def keyed(self) -> Target:
        """The search with a key."""
        target = self.target()
        return msgspec.structs.replace(target, params={**target.params, "key": KEY})

    def listener(self) -> Listener:
        """As operators get it."""
        return StackExchange(fetcher(self.patience), sleep=lambda seconds: None)

    def answer(self, request: Request) -> Answer:
        """What the API says."""
        self._server.page_size = self.page_size
        self._server.questions = [_asked(one) for one in self.world.posts]
        self._server.repeats = self.world.repeats
        return self._server.well_behaved(request)

    def too_many(self, reset_at: datetime) -> Answer:
        """The seconds to wait are in the words."""
        wait = int((reset_at - datetime.now(UTC)).total_seconds()) + 1
        words = f"too many requests from this IP, more requests available in {wait} seconds"
        return error(502, "throttle_violation", words)


def _asked(one: Post) -> dict[str, Any]:
    at = int(one.at.timestamp())
    shown = question(one.number, at, body=f"<p>{one.text}</p>")
    if one.edited_at is not None:
        edited = int(one.edited_at.timestamp())
        shown |= {"last_edit_date": edited, "last_activity_date": edited}
    if one.malformed:
        del shown["link"]
    return shown
