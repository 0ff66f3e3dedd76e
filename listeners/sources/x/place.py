"""Where a target of X stands: how far its search has come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from listeners.sources.x.posts import time_of

_REACH = timedelta(days=7) - timedelta(minutes=5)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The state. Ids are X's."""

    since: str | None = None
    """The newest post of the last walk that came to its end."""
    high: str | None = None
    """The newest post of the walk that is under way."""
    token: str | None = None
    """Where that walk goes on."""
    begun_at: datetime | None = None
    """When that walk began."""
    heard_at: datetime | None = None
    """When the last walk that came to its end had begun: everything until then was heard."""

    def within_reach(self, now: datetime) -> tuple[Place, str | None]:
        """The place to search from, and the gap where X no longer searches as far back."""
        gap = None
        if self.begun_at is None and self.heard_at and self.heard_at <= now - _REACH:
            begins = (now - timedelta(days=7)).isoformat(timespec="minutes")
            gap = (
                f"posts from {self.heard_at.isoformat(timespec='minutes')} to {begins} were not "
                "heard: X searches seven days back, so listen more often"
            )
        if self.since is None or time_of(self.since) > now - _REACH:
            return msgspec.structs.replace(self, begun_at=self.begun_at or now), gap
        return self.from_the_top(now, since=None), gap

    def from_the_top(self, now: datetime, *, since: str | None) -> Place:
        """The place of a walk that begins now, down to ``since``."""
        return Place(since=since, begun_at=now, heard_at=self.heard_at)

    def after(self, answer: Mapping[str, Any]) -> Place:
        """The place after a page of the search; its ``token`` is None if the walk is done."""
        meta = answer.get("meta") or {}
        high = self.high or meta.get("newest_id")
        if token := meta.get("next_token"):
            return msgspec.structs.replace(self, high=high, token=token)
        return Place(since=high or self.since, heard_at=self.begun_at)
