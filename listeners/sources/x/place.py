"""Where a target of X stands: its walk, what it has cost, and which posts are watched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from listeners.mention import Deletion
from listeners.sources.x.client import BATCH, Search, Spent
from listeners.sources.x.posts import first_version, time_of

_REACH = timedelta(days=7) - timedelta(minutes=5)
_WATCHED = 5000


class Watched(msgspec.Struct, frozen=True, array_like=True):
    """A post that will be looked up again."""

    native_id: str
    checks: int = 0
    """How many times it was."""


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
    spent: Spent = Spent()
    watched: dict[str, Watched] = {}
    """By the id of the version that we know."""

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
        anew = msgspec.structs.replace(self, since=None, high=None, token=None, begun_at=now)
        return anew, gap

    def after(self, answer: Mapping[str, Any], search: Search, now: datetime) -> Place:
        """The place after a page of the search; its ``token`` is None if the walk is done."""
        meta = answer.get("meta") or {}
        high = self.high or meta.get("newest_id")
        token = meta.get("next_token")
        spent = self.spent.with_answer(answer, search, now)
        if token is not None:
            return msgspec.structs.replace(self, high=high, token=token, spent=spent)
        return msgspec.structs.replace(
            self,
            since=high or self.since,
            high=None,
            token=None,
            begun_at=None,
            heard_at=self.begun_at,
            spent=spent,
        )

    def watching(
        self, posts: Sequence[Any], search: Search, now: datetime
    ) -> tuple[Place, str | None]:
        """The place with these posts watched, and the gap where there are too many."""
        ages = search.recheck_after_days
        new: dict[str, Watched] = {}
        for post in posts:
            if not isinstance(post, dict) or not _is_id(post.get("id")):
                continue
            age = now - time_of(post["id"])
            passed = sum(age >= timedelta(days=days) for days in ages)
            if passed < len(ages) and post["id"] not in self.watched:
                new[post["id"]] = Watched(first_version(post), passed)
        watched = dict(sorted({**self.watched, **new}.items(), key=lambda one: int(one[0])))
        too_many = len(watched) - _WATCHED
        if too_many <= 0:
            return msgspec.structs.replace(self, watched=watched), None
        gap = (
            f"more than {_WATCHED} posts wait to be looked up again: whether the oldest were "
            "deleted is not known; narrow the query"
        )
        kept = dict(list(watched.items())[too_many:])
        return msgspec.structs.replace(self, watched=kept), gap

    def due(self, search: Search, now: datetime) -> list[str]:
        """The posts to look up now, the oldest first, a hundred at most."""
        ages = search.recheck_after_days
        ids = [
            post_id
            for post_id, one in self.watched.items()
            if one.checks >= len(ages) or now - time_of(post_id) >= timedelta(days=ages[one.checks])
        ]
        return ids[:BATCH]

    def looked_up(
        self, ids: Sequence[str], answer: Mapping[str, Any], search: Search, now: datetime
    ) -> tuple[Place, list[Deletion]]:
        """The place after these posts were looked up, and those that are gone."""
        errors = [one for one in answer.get("errors") or () if isinstance(one, dict)]
        named = {str(one.get("resource_id") or one.get("value")) for one in errors}
        gone = [
            Deletion(source="x", native_id=self.watched[post_id].native_id, seen_at=now)
            for post_id in ids
            if post_id in named
        ]
        watched = dict(self.watched)
        for post_id in ids:
            before = watched.pop(post_id)
            if post_id not in named and before.checks + 1 < len(search.recheck_after_days):
                watched[post_id] = Watched(before.native_id, before.checks + 1)
        spent = self.spent.with_answer(answer, search, now)
        in_order = dict(sorted(watched.items(), key=lambda one: int(one[0])))
        return msgspec.structs.replace(self, watched=in_order, spent=spent), gone


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20
