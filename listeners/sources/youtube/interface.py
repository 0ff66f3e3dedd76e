"""The YouTube Data API, version 3, as far as comments go; its failures by our classes.

Every call costs one unit of the project's day, but for searches, which have a day's
allowance of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from listeners.contract import Budget
from listeners.errors import (
    AuthFailed,
    ListenerError,
    QuotaExhausted,
    RateLimited,
    SchemaChanged,
    TargetGone,
)
from listeners.http import Fetched, Fetcher
from listeners.mapping import MALFORMED, one_line

ZONE = "America/Los_Angeles"
"""Where the day of the allowance begins at midnight."""
BATCH = 50
"""The most comments that are asked for by id at once."""

_MINUTE = timedelta(minutes=1)
_CLOSED = {"commentsDisabled", "videoNotFound", "channelNotFound", "commentNotFound"}
_REFUSED = {"keyInvalid", "keyExpired", "accessNotConfigured", "forbidden", "ipRefererBlocked"}


class Closed(TargetGone):
    """A video or channel has no comments to read: deleted, private, or switched off."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"youtube: {reason}: correct or remove the video or channel")
        self.reason = reason


class Refused(SchemaChanged):
    """A page token that is no longer good, or another fault of the request."""


class Interface:
    """Pages of raw comment threads, comments and videos."""

    def __init__(self, fetcher: Fetcher, address: str, key: str | None, budget: Budget) -> None:
        if not key:
            raise AuthFailed("youtube: no credential: set OUTCRY_YOUTUBE_API_KEY")
        self._fetcher = fetcher
        self._address = address
        self._key = key
        self._budget = budget

    def threads(self, feed: str, token: str | None) -> tuple[list[Any], str | None]:
        """A page of a video's or a channel's threads, the newest first, and the next token."""
        place = "allThreadsRelatedToChannelId" if feed.startswith("UC") else "videoId"
        query = {place: feed, "part": "snippet,replies", "order": "time", "maxResults": 100}
        return self._page("commentThreads", query, token)

    def replies(self, thread: str, token: str | None) -> tuple[list[Any], str | None]:
        """A page of all replies to a thread."""
        query = {"parentId": thread, "part": "snippet", "maxResults": 100}
        return self._page("comments", query, token)

    def by_id(self, kind: str, ids: Iterable[str]) -> list[Any]:
        """What is left of ``commentThreads`` or ``comments``, `BATCH` at most."""
        return self._page(kind, {"id": ",".join(ids), "part": "snippet"}, None)[0]

    def languages(self) -> list[Any]:
        """The languages of the site: the same for everybody, so whether a key is good."""
        return self._page("i18nLanguages", {"part": "snippet"}, None)[0]

    def search(self, query: str, after: datetime) -> tuple[list[Any], str | None]:
        """The fifty newest videos that match, and a token if there are more."""
        self._budget.take(1, "searches")
        asked = {"q": query, "type": "video", "order": "date", "part": "snippet"}
        since = after.strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._page("search", {**asked, "publishedAfter": since, "maxResults": 50}, None)

    def _page(
        self, kind: str, query: dict[str, Any], token: str | None
    ) -> tuple[list[Any], str | None]:
        is_search, has_text = kind == "search", kind.startswith("comment")
        answer = self._fetcher.json(
            f"{self._address}/youtube/v3/{kind}",
            budget=self._budget,
            params={
                **query,
                "textFormat": "plainText" if has_text else None,
                "pageToken": token,
            },
            headers={"x-goog-api-key": self._key},
            judge=self._judge,
            calls=0 if is_search else 1,
        ).value
        try:
            items, following = answer.get("items", []), answer.get("nextPageToken")
        except MALFORMED as error:
            raise SchemaChanged(f"youtube {kind}: {one_line(error)}: compare") from error
        if not isinstance(items, list) or not isinstance(following, str | None):
            raise SchemaChanged(f"youtube {kind}: no list: compare with the API's documentation")
        return items, following

    def _judge(self, answer: Fetched) -> ListenerError | None:
        if answer.status < 400:
            return None
        reason, now = _reason(answer.body), self._budget.now
        if reason in ("quotaExceeded", "dailyLimitExceeded"):
            at = _midnight(now)
            return QuotaExhausted(f"youtube: the day's units are spent until {at:%H:%MZ}: wait", at)
        if reason in ("rateLimitExceeded", "userRateLimitExceeded"):
            return RateLimited("youtube: too many calls: wait a minute", now + _MINUTE)
        if reason in _CLOSED:
            return Closed(reason)
        if reason in _REFUSED or b"API_KEY_INVALID" in answer.body:
            return AuthFailed(f"youtube: refused ({reason}): check OUTCRY_YOUTUBE_API_KEY")
        if answer.status == 400:
            return Refused(f"youtube: {reason or 'bad request'}: compare with its documentation")
        return None


def _reason(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["error"]["errors"][0]["reason"])[:80]
    except MALFORMED:
        return ""


def _midnight(now: datetime) -> datetime:
    zone = ZoneInfo(ZONE)
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)
