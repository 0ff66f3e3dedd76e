"""Discourse forums: every public post of one forum, by the number that the forum gives it.

Numbers only grow, so the highest one known is an exact mark; searching by words would be
coarse. A walk goes down from the newest post to the mark, and as far below it as ``recheck``
says, where posts may have been edited or hidden meanwhile. A post is identified by its topic
and its place in it, as in its address, because that is how posts name what they answer.

Target params: ``url``; optionally ``words`` (else every post), ``recheck`` (numbers below
the newest that are read again, 200), ``owners`` (the brand's own user names), and
``api_key`` with ``api_username`` for a forum behind a login.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from listeners.contract import Budget, Known, Page, Rate, Reject, State, Target, Traits
from listeners.errors import ListenerError, SchemaChanged, TargetGone
from listeners.http import Fetched, Fetcher
from listeners.mapping import MALFORMED, map_again, map_items
from listeners.mention import Author, Deletion, Engagement, Mention
from listeners.targets import settings, web_address, wrong
from listeners.text import plain_text
from listeners.times import parse_time
from listeners.words import finder

_HISTORY = timedelta(days=7)
_STEP = 50
"""Numbers that a page covers at most in older versions, which may be without a public post."""
_LIKE = 2


class Forum(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    url: str
    words: tuple[str, ...] = ()
    """Only posts that have one of them in their text or their topic's title."""
    recheck: int = 200
    owners: tuple[str, ...] = ()
    api_key: str | None = None
    api_username: str | None = None

    @property
    def host(self) -> str:
        """The forum's name: numbers are its own."""
        return urlsplit(self.url).hostname or ""

    @property
    def headers(self) -> dict[str, str]:
        """What lets us in, where that is needed."""
        if self.api_key is None or self.api_username is None:
            return {}
        return {"api-key": self.api_key, "api-username": self.api_username}


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """A walk that is under way."""

    before: int | None = None
    high: int = 0
    floor: int | None = None
    """Where it ends; None on the first run, which ends at a time."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The state: all posts up to ``newest`` are known, as far back as the history goes."""

    newest: int | None = None
    walk: Walk | None = None


class Discourse:
    """One forum."""

    name: ClassVar[str] = "discourse"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="newest_first",
        has_edits=True,
        has_deletes=True,
        rates=(Rate(amount=60, per=60),),
        rate_by=("url",),
        rate_family="discourse",
        silent_empty=True,
    )

    recheck_batch: ClassVar[int] = 10
    recheck_age: ClassVar[timedelta] = timedelta(days=7)

    def __init__(self, fetcher: Fetcher | None = None) -> None:
        self._fetcher = fetcher or Fetcher()

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _forum(target)

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do; see `listeners.contract.Identifies`."""
        forum = _forum(target)
        shown = len(self._posts(forum, None, budget))
        unsent = "without api_username the key is not sent; anybody"
        reader = forum.api_username if forum.headers else unsent
        return f"{reader} may read the posts of {forum.host} ({shown} on its first page)"

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield the forum's posts, newest first.

        Raises:
            AuthFailed: if the forum is behind a login, or refuses the key.
            SchemaChanged: if it sends something else than posts.
            ListenerError: what `Fetcher.json` raises.
        """
        forum = _forum(target)
        place = msgspec.convert(state or {}, Place)
        resumed = place.walk is not None
        while True:
            walk = place.walk or _begin(place, forum)
            posts = self._posts(forum, walk.before, budget)
            items, rejects = map_items(
                posts,
                partial(self._map, forum=forum, now=budget.now),
                listener=self,
                target=target,
                at=budget.now,
            )
            numbers = [post["id"] for post in posts if _numbered(post)]
            before = _next(walk.before, numbers)
            finished = before is None or (
                _old(posts, budget) or not numbers if walk.floor is None else before <= walk.floor
            )
            high = max([walk.high, *numbers])
            if finished:
                place = Place(newest=high or None)
            else:
                walk = Walk(before=before, high=high, floor=walk.floor)
                place = Place(newest=place.newest, walk=walk)
            done = finished and not resumed
            yield Page(
                items=items,
                rejects=rejects,
                state=msgspec.to_builtins(place),
                raw_count=len(items) + len(rejects),
                done=done,
            )
            if done:
                return
            resumed = resumed and not finished

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The record of a rejected post.

        Raises:
            ValueError: if it still cannot be understood, or has none of the target's words.
        """
        return map_again(reject.raw, partial(self._map, forum=_forum(target), now=now))

    def recheck(
        self, batch: Sequence[Known], target: Target, budget: Budget
    ) -> Iterator[Mention | Deletion]:
        """A deletion for each post that the forum itself says is gone or closed to us.

        A forum that refuses or moves as a whole is an error, not many deletions.
        """
        forum = _forum(target)
        for known in batch:
            url = f"{forum.url}/posts/by_number/{known.native_id}.json"
            try:
                reason = _flag(
                    self._fetcher.json(
                        url, budget=budget, headers=forum.headers, judge=_judge
                    ).value
                )
            except _Gone as gone:
                reason = str(gone)
            if reason is not None:
                yield Deletion(
                    source=self.name,
                    instance=forum.host,
                    native_id=known.native_id,
                    seen_at=budget.now,
                    reason=reason,
                )

    def _posts(self, forum: Forum, before: int | None, budget: Budget) -> list[Any]:
        url = f"{forum.url}/posts.json"
        answer = self._fetcher.json(
            url, budget=budget, params={"before": before}, headers=forum.headers
        ).value
        posts = answer.get("latest_posts") if isinstance(answer, dict) else None
        if not isinstance(posts, list):
            raise SchemaChanged(f"{url} sent no posts: open it in a browser and compare")
        if before is not None and any(post["id"] > before for post in posts if _numbered(post)):
            raise SchemaChanged(f"{url} sends newer posts than asked for: update the forum")
        return posts

    def _map(self, post: Any, forum: Forum, now: datetime) -> Mention | Deletion | None:
        topic, number = post["topic_id"], post["post_number"]
        native_id = f"{int(topic)}/{int(number)}"
        if reason := _flag(post):
            return Deletion(
                source=self.name,
                instance=forum.host,
                native_id=native_id,
                seen_at=now,
                reason=reason,
            )
        title = post.get("topic_title") or ""
        text = plain_text(post["cooked"])
        found = finder(forum.words)(f"{title}\n{text}")
        if forum.words and not found:
            return None
        username = post["username"]
        first = number == 1
        edited = post.get("version", 1) > 1
        return Mention(
            source=self.name,
            instance=forum.host,
            native_id=native_id,
            kind="post" if first else "comment",
            text=text,
            title=title or None if first else None,
            url=f"{forum.url}/t/{post.get('topic_slug') or '-'}/{native_id}",
            created_at=parse_time(post["created_at"])[0],
            edited_at=parse_time(post["updated_at"])[0] if edited else None,
            collected_at=now,
            listener=f"{self.name}/{self.version}",
            author=Author(
                id=None if post.get("user_id") is None else str(post["user_id"]),
                handle=username,
                name=post.get("name") or None,
                url=f"{forum.url}/u/{username}",
                is_owner=username.casefold() in {owner.casefold() for owner in forum.owners},
            ),
            container=title or None,
            parent_id=None if first else f"{topic}/{post.get('reply_to_post_number') or 1}",
            root_id=None if first else f"{topic}/1",
            engagement=Engagement(
                likes=_likes(post), replies=post.get("reply_count"), views=post.get("reads")
            ),
            matched=found,
            raw=post,
        )


class _Gone(TargetGone):
    """One post; the message is the reason."""


def _judge(answer: Fetched) -> ListenerError | None:
    if answer.status in (403, 404) and b'"not_found"' in answer.body:
        return _Gone("deleted")
    if answer.status == 403 and b'"invalid_access"' in answer.body:
        return _Gone("not public any more")
    return None


def _forum(target: Target) -> Forum:
    forum = settings(target, Forum)
    if forum.recheck < 0 or not all(word.strip() for word in forum.words):
        raise wrong(target, "recheck is 0 or more, and words are not empty")
    return msgspec.structs.replace(forum, url=web_address(target, "url", forum.url))


def _begin(place: Place, forum: Forum) -> Walk:
    if place.newest is None:
        return Walk()
    return Walk(high=place.newest, floor=max(0, place.newest - forum.recheck))


def _next(before: int | None, numbers: list[int]) -> int | None:
    """Below what to go on, or None at the end.

    Older versions count ``before`` in and look at 50 numbers only, newer ones count it out
    and look for 50 posts: the lowest number of a page suits both, and where there is none
    the older ones are passed by.
    """
    if numbers and (before is None or min(numbers) < before):
        return min(numbers)
    return None if before is None or before <= _STEP else before - _STEP


def _numbered(post: Any) -> bool:
    return isinstance(post, dict) and isinstance(post.get("id"), int)


def _old(posts: list[Any], budget: Budget) -> bool:
    """Whether the page comes down to where a first run ends."""
    try:
        return parse_time(posts[-1]["created_at"])[0] < budget.now - _HISTORY
    except MALFORMED:
        return False


def _flag(post: Any) -> str | None:
    if not isinstance(post, dict):
        return None
    if post.get("user_deleted") or post.get("deleted_at"):
        return "deleted"
    return "hidden by the forum" if post.get("hidden") else None


def _likes(post: Mapping[str, Any]) -> int | None:
    actions = post.get("actions_summary")
    if not isinstance(actions, list):
        return None
    return sum(one.get("count") or 0 for one in actions if one.get("id") == _LIKE)
