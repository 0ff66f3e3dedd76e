"""One post of X, as API v2 gives it, to a mention.

X renames its fields from tweets to posts step by step; both spellings are read.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from listeners.mention import Author, Engagement, Mention, Place
from listeners.times import parse_time

_SNOWFLAKES = datetime(2010, 11, 4, 1, 42, 54, 657_000, tzinfo=UTC)
"""When the ids of posts begin to count, in milliseconds."""


def time_of(post_id: str) -> datetime:
    """When a post was written, by its id.

    Raises:
        ValueError, OverflowError: if it is no id.
    """
    return _SNOWFLAKES + timedelta(milliseconds=int(post_id) >> 22)


def first_version(post: Mapping[str, Any]) -> str:
    """The id of a post before it was edited: what it is called here for ever."""
    versions = post.get("edit_history_tweet_ids") or post.get("edit_history_post_ids")
    return str(versions[0] if versions else post["id"])


def is_latest(post: Any) -> bool:
    """Whether a post is the last of its versions."""
    versions = isinstance(post, dict) and post.get("edit_history_tweet_ids")
    return not versions or versions[-1] == post.get("id")


def items_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The posts of an answer, each with its author where that was asked for."""
    users = {
        user.get("id"): user
        for user in (answer.get("includes") or {}).get("users") or ()
        if isinstance(user, dict)
    }
    return [
        {"post": post, "user": users.get(post.get("author_id")) if isinstance(post, dict) else None}
        for post in answer.get("data") or ()
    ]


def mention_of(
    item: Mapping[str, Any], *, query: str, owners: Sequence[str], now: datetime, listener: str
) -> Mention:
    """The mention of an item.

    Raises:
        ValueError, or what looking into a malformed payload raises: if it is not a post.
    """
    post, user = item["post"], item.get("user") or {}
    post_id, native_id = str(post["id"]), first_version(post)
    written_at = parse_time(post["created_at"])[0]
    edited = native_id != post_id
    note = post.get("note_post") or post.get("note_tweet") or {}
    handle = user.get("username")
    author = str(post["author_id"])
    counts = post.get("public_metrics") or {}
    language = post.get("lang") or "und"
    place = (post.get("geo") or {}).get("place_id")
    ours = {owner.lower().lstrip("@") for owner in owners}
    return Mention(
        source="x",
        native_id=native_id,
        text=html.unescape(note.get("text") or post["text"]),
        lang=None if language == "und" or language.startswith("q") else language,
        url=f"https://x.com/{handle or 'i'}/status/{post_id}",
        created_at=time_of(native_id) if edited else written_at,
        edited_at=written_at if edited else None,
        collected_at=now,
        listener=listener,
        author=Author(
            id=author,
            handle=handle,
            name=user.get("name"),
            url=f"https://x.com/{handle}" if handle else None,
            followers=(user.get("public_metrics") or {}).get("followers_count"),
            is_owner=bool({author, (handle or author).lower()} & ours),
        ),
        parent_id=_referenced(post, "replied_to"),
        root_id=post.get("conversation_id"),
        repost_of=_referenced(post, "retweeted") or _referenced(post, "reposted"),
        engagement=Engagement(
            likes=counts.get("like_count"),
            replies=counts.get("reply_count"),
            shares=counts.get("repost_count", counts.get("retweet_count")),
            views=counts.get("impression_count"),
        ),
        place=Place(native_id=place) if place else None,
        matched=(query,),
        flags=("nsfw",) if post.get("possibly_sensitive") else (),
        raw=item,
    )


def _referenced(post: Mapping[str, Any], kind: str) -> str | None:
    references = post.get("referenced_tweets") or post.get("referenced_posts") or ()
    return next((str(one["id"]) for one in references if one["type"] == kind), None)
