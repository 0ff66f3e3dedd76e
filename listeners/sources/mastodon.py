"""Mastodon and compatible servers: the public timeline of a hashtag.

The first run takes the newest ``history_pages`` pages of 40 posts, going back; older
posts are not asked for. From then on it walks forward by ``min_id``, which gives the
oldest posts that are newer than the last one seen in the server's own order, so nothing is skipped,
however late it arrived from another server. Posts are the same on every server by their
``uri``; so that is their identity, and one state per server and tag.

Target params: ``server`` and ``tag``; optionally ``access_token``, ``history_pages``,
and ``owners`` (the brand's own accounts as ``name@host``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

from listeners.contract import Budget, Page, Rate, Reject, State, Target, Traits
from listeners.errors import (
    AuthFailed,
    BadTarget,
    ListenerError,
    SchemaChanged,
    TargetGone,
    Unsupported,
)
from listeners.http import Fetched, Fetcher, Json
from listeners.mapping import MALFORMED, map_items, one_line
from listeners.mention import Author, Deletion, Engagement, Mention
from listeners.text import plain_text
from listeners.times import parse_time

_PAGE = 40
_URIS = 500
_ALL = 1_000_000
_LINK = re.compile(r"<([^>]*)>")


class Timeline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    server: str
    """A host, or an address with http:// or https://."""
    tag: str
    access_token: str | None = None
    history_pages: int = 5
    owners: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The server's address."""
        return self.server if "://" in self.server else f"https://{self.server}"

    @property
    def host(self) -> str:
        """The server's name, which the handles of its own users lack."""
        return urlsplit(self.base).hostname or ""


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
        rate_family="mastodon",
        rates=(Rate(amount=300, per=300),),
        rate_by=("server",),
        silent_empty=True,
    )

    def __init__(self, fetcher: Fetcher | None = None) -> None:
        self._fetcher = fetcher or Fetcher()

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _timeline(target)

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
        server = _Server(self._fetcher, timeline, budget)
        server.check_open()
        place = msgspec.convert(state or {}, Place)
        if place.history_left is None:
            place = msgspec.structs.replace(place, history_left=timeline.history_pages)
        while True:
            back = place.newest is None or bool(place.history_left)
            cursor = {"max_id": place.oldest} if back else {"min_id": place.newest}
            posts, newest, oldest = server.page(cursor)
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
                quota_left=server.quota_left,
            )
            if done:
                return

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected post.

        Raises:
            ValueError: if it still cannot be understood, or is not public.
        """
        try:
            mention = self._map(reject.raw, _timeline(target), {}, now)
        except MALFORMED as error:
            raise ValueError(one_line(error)) from error
        if mention is None:
            raise ValueError("it is not public: leave it out")
        return mention

    def _map(
        self, post: Any, timeline: Timeline, uris: Mapping[str, str], now: datetime
    ) -> Mention | None:
        if post["visibility"] not in ("public", "unlisted"):
            return None
        account = post["account"]
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


class _Server:
    """The two questions that are asked of a server."""

    def __init__(self, fetcher: Fetcher, timeline: Timeline, budget: Budget) -> None:
        self._fetcher = fetcher
        self._timeline = timeline
        self._budget = budget
        self.quota_left: int | None = None
        """Requests left in the server's five minutes."""

    def check_open(self) -> None:
        """Refuse a feed that the server has switched off: it may answer with nothing."""
        try:
            about = self._ask("/api/v2/instance").value
            feeds = about["configuration"]["timelines_access"]["hashtag_feeds"]
            access = set(feeds.values())
        except (TargetGone, SchemaChanged, *MALFORMED):
            return  # Servers before 4.5 and others do not say.
        if access == {"disabled"}:
            raise Unsupported(
                f"{self._timeline.host} has switched its hashtag timelines off: "
                "follow the tag on another server"
            )
        if "public" not in access and self._timeline.access_token is None:
            raise AuthFailed(
                f"{self._timeline.host} shows hashtags to its users only: give an access_token"
            )

    def page(self, cursor: Mapping[str, str | None]) -> tuple[list[Any], str | None, str | None]:
        """Posts as sent, newest first, and the ids of the newest and the oldest."""
        path = f"/api/v1/timelines/tag/{quote(self._timeline.tag, safe='')}"
        answer = self._ask(path, limit=_PAGE, **cursor)
        self.quota_left, posts = answer.quota_left, answer.value
        if not isinstance(posts, list):
            raise SchemaChanged(f"{self._here} sent no list: compare with Mastodon's documentation")
        if not posts:
            return [], None, None
        links = _links(answer.headers.get("link", ""))
        newest = links.get("min_id") or _id(posts[0])
        oldest = links.get("max_id") or _id(posts[-1])
        if newest is None or oldest is None or newest == cursor.get("min_id"):
            raise SchemaChanged(
                f"{self._here} does not say where to go on: compare with Mastodon's documentation"
            )
        return posts, newest, oldest

    def _ask(self, path: str, **params: Any) -> Json:
        token = self._timeline.access_token
        return self._fetcher.json(
            f"{self._timeline.base.rstrip('/')}{path}",
            budget=self._budget,
            params=params,
            headers={"authorization": f"Bearer {token}"} if token else None,
            judge=self._judge,
        )

    def _judge(self, answer: Fetched) -> ListenerError | None:
        if answer.status == 422:
            return AuthFailed(f"{self._here}: it is for its users: check the access_token")
        return None

    @property
    def _here(self) -> str:
        return f"{self._timeline.host} #{self._timeline.tag}"


def _timeline(target: Target) -> Timeline:
    try:
        timeline = msgspec.convert(target.params, Timeline)
    except msgspec.ValidationError as error:
        raise BadTarget(f"mastodon target {target.key}: {error}: correct its settings") from error
    if not timeline.host or not timeline.tag or timeline.tag.startswith("#"):
        raise BadTarget(
            f"mastodon target {target.key}: give server as a host and tag without its '#'"
        )
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
        key = _id(post)
        if key is not None and isinstance(post.get("uri"), str):
            found[key] = post["uri"]
    return found


def _id(post: Any) -> str | None:
    value = post.get("id") if isinstance(post, dict) else None
    return value if isinstance(value, str) else None


def _links(header: str) -> dict[str, str]:
    """The cursors of a ``Link`` header, by name."""
    found: dict[str, str] = {}
    for address in _LINK.findall(header):
        found.update(parse_qsl(urlsplit(address).query))
    return found
