"""Mastodon and compatible servers: the public timeline of a hashtag.

The first run takes the newest ``history_pages`` pages of 40 posts, going back; older
posts are not asked for. From then on it walks forward by ``min_id``, which gives the
oldest posts that are newer than the last one seen in the server's own order, so nothing is skipped,
however late it arrived from another server. Posts are the same on every server by their
``uri``; so that is their identity, and one state per server and tag. A timeline does not tell
of edits and deletions: posts of the last days are asked for again by the server's own ids.

Target params: ``server`` and ``tag``; optionally ``access_token``, ``history_pages``,
and ``owners`` (the brand's own accounts as ``name@host``).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Known, Page, Rate, Reject, State, Target, Traits
from listeners.http import with_retries
from listeners.mapping import map_again, map_items
from listeners.mention import Author, Deletion, Engagement, Mention
from listeners.sources.mastodon.client import Client, Timeline, id_of
from listeners.targets import settings, wrong
from listeners.text import plain_text
from listeners.times import parse_time

_TIMEOUT = 20.0
_URIS = 500
_ALL = 1_000_000


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The state. Ids are the server's and opaque."""

    newest: str | None = None
    """Everything up to here is stored, as far back as the history goes."""
    oldest: str | None = None
    """How far back the history has come."""
    history_left: int | None = None
    """Pages of history to take yet; None before the first run."""
    uris: dict[str, str] = {}
    """``uri`` by id of the last posts, because replies name the id only."""


class Mastodon:
    """One hashtag on one server."""

    name: ClassVar[str] = "mastodon"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="oldest_first",
        has_deletes=True,
        rate_family="mastodon",
        rates=(Rate(amount=300, per=300),),
        rate_by=("server",),
        silent_empty=True,
    )

    recheck_batch: ClassVar[int] = 20
    recheck_age: ClassVar[timedelta] = timedelta(days=7)

    def __init__(
        self,
        *,
        timeout: float = _TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._timeout = timeout
        self._sleep = sleep
        self._jitter = jitter

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _timeline(target)

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do; see `listeners.contract.Identifies`."""
        client = Client(_timeline(target), budget, self._timeout)
        return with_retries(client.whoami, sleep=self._sleep, jitter=self._jitter)

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of posts, each page oldest first.

        Raises:
            Unsupported: if the server has switched this feed off.
            AuthFailed: if it wants a token, or another one.
            RateLimited: with the time that the server gives, else in five minutes.
            SchemaChanged: if it answers with something else than a list of posts.
            Transient, TargetGone, BadTarget: as their classes say.
        """
        timeline = _timeline(target)
        client = Client(timeline, budget, self._timeout)
        client.check_open()
        place = msgspec.convert(state or {}, Place)
        if place.history_left is None:
            place = msgspec.structs.replace(place, history_left=timeline.history_pages)
        while True:
            back = place.newest is None or bool(place.history_left)
            cursor = {"max_id": place.oldest} if back else {"min_id": place.newest}
            posts, newest, oldest = with_retries(
                partial(client.page, cursor),
                sleep=self._sleep,
                jitter=self._jitter,
            )
            uris = {**place.uris, **_uris(posts)}
            items, rejects = map_items(
                reversed(posts),
                partial(self._map, timeline=timeline, uris=uris, now=budget.now),
                listener=self,
                target=target,
                at=budget.now,
            )
            done = not posts and (not back or place.newest is None)
            place = Place(
                newest=place.newest if back and place.newest else newest or place.newest,
                oldest=oldest if back and posts else place.oldest,
                history_left=_left(place, posts) if back else 0,
                uris=dict(list(uris.items())[-_URIS:]),
            )
            yield Page(
                items=items,
                rejects=rejects,
                state=msgspec.to_builtins(place),
                raw_count=len(items) + len(rejects),
                done=done,
                quota_left=client.quota_left,
            )
            if done:
                return

    def recheck(
        self, batch: Sequence[Known], target: Target, budget: Budget
    ) -> Iterator[Mention | Deletion]:
        """Each post as it is now, or its deletion; nothing if the server shows none of several.

        Raises:
            Unsupported: if the server is older than Mastodon 4.3.
            ListenerError: as `collect`.
        """
        timeline = _timeline(target)
        client = Client(timeline, budget, self._timeout)
        asked = {known.ref: known for known in batch if known.ref is not None}
        posts = with_retries(
            partial(client.posts, list(asked)), sleep=self._sleep, jitter=self._jitter
        )
        by_uri = {known.native_id: known for known in asked.values()}
        found, _ = map_items(
            posts,
            partial(self._map, timeline=timeline, uris={}, now=budget.now),
            listener=self,
            target=target,
            at=budget.now,
        )
        for mention in found:
            # Which post it answers is known by its place in the timeline only.
            if isinstance(mention, Mention) and (known := by_uri.get(mention.native_id)):
                yield msgspec.structs.replace(mention, parent_id=known.parent_id)
        # Another server has other numbers: what they show there is no word about ours.
        shown = {post.get("uri") for post in posts if isinstance(post, dict)} & by_uri.keys()
        if shown or len(asked) == 1:
            for uri in sorted(by_uri.keys() - shown):
                yield Deletion(source=self.name, native_id=uri, seen_at=budget.now, reason="gone")

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected post.

        Raises:
            ValueError: if it still cannot be understood, or is not public.
        """
        return map_again(
            reject.raw,
            partial(self._map, timeline=_timeline(target), uris={}, now=now),
            "it is not public, or not to be gathered",
        )

    def _map(
        self, post: Any, timeline: Timeline, uris: Mapping[str, str], now: datetime
    ) -> Mention | None:
        if post["visibility"] not in ("public", "unlisted"):
            return None
        account = post["account"]
        if account.get("noindex") is True:
            return None  # They asked not to be gathered; `indexable`, off by default, is of search.
        acct = account["acct"]
        handle = acct if "@" in acct else f"{acct}@{timeline.host}"
        edited_at = post.get("edited_at")
        return Mention(
            source=self.name,
            native_id=post["uri"],
            text=plain_text(post["content"]),
            title=plain_text(post.get("spoiler_text") or "") or None,
            lang=post.get("language"),
            url=post.get("url") or post["uri"],
            created_at=parse_time(post["created_at"])[0],
            edited_at=parse_time(edited_at)[0] if edited_at else None,
            collected_at=now,
            listener=f"{self.name}/{self.version}",
            author=Author(
                id=account.get("uri") or account.get("url"),
                handle=handle,
                name=account.get("display_name") or None,
                url=account.get("url"),
                followers=account.get("followers_count"),
                is_owner=handle.lower() in {o.lower().lstrip("@") for o in timeline.owners},
            ),
            parent_id=uris.get(post.get("in_reply_to_id") or ""),
            repost_of=post["reblog"]["uri"] if post.get("reblog") else None,
            engagement=Engagement(
                likes=post.get("favourites_count"),
                replies=post.get("replies_count"),
                shares=post.get("reblogs_count"),
            ),
            matched=(f"#{timeline.tag}",),
            raw=post,
        )


def _timeline(target: Target) -> Timeline:
    timeline = settings(target, Timeline)
    if not timeline.host or not timeline.tag or timeline.tag.startswith("#"):
        raise wrong(target, "give server as a host and tag without its '#'")
    return timeline


def _left(place: Place, posts: list[Any]) -> int:
    """Pages of history to take after this one."""
    if posts:
        return max(0, (place.history_left or 0) - 1)
    # Nobody has used the tag yet: whatever comes is newer than our listening.
    return _ALL if place.newest is None else 0


def _uris(posts: list[Any]) -> dict[str, str]:
    found = {}
    for post in reversed(posts):
        key = id_of(post)
        if key is not None and isinstance(post.get("uri"), str):
            found[key] = post["uri"]
    return found
