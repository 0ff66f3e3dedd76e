"""Layouts that are known by name, as data: what a user could have written as a field map."""

from __future__ import annotations

from typing import Any

Fields = dict[str, Any]

PRESETS: dict[str, Fields] = {
    # Customer Support on Twitter: one tweet a row, parents as floats, text as Twitter escapes it.
    "support-threads": {
        "source": {"const": "support-threads"},
        "native_id": "tweet_id",
        "text": {"column": "text", "as": "entities"},
        "created_at": "created_at",
        "author.id": "author_id",
        "author.handle": "author_id",
        "author.is_owner": {"column": "inbound", "as": "not"},
        "parent_id": {"column": "in_response_to_tweet_id", "as": "whole"},
        "matched": {"column": "text", "as": "addressed"},
    },
    # Twitter US Airline Sentiment.
    "airline": {
        "source": {"const": "airline"},
        "native_id": "tweet_id",
        "text": {"column": "text", "as": "entities"},
        "created_at": "tweet_created",
        "author.id": "name",
        "author.handle": "name",
        "author.name": "name",
        "shares": "retweet_count",
        "matched": "airline",
    },
}

CANONICAL = "canonical"
"""JSON Lines whose fields are a mention's own."""

USUAL: Fields = {
    "source": "source",
    "instance": "instance",
    "native_id": ["native_id", "id", "tweet_id", "post_id", "comment_id", "review_id"],
    "text": ["text", "body", "content", "message", "comment", "review", "full_text", "tweet"],
    "title": ["title", "subject"],
    "created_at": [
        "created_at",
        "created",
        "time",
        "date",
        "timestamp",
        "datetime",
        "published_at",
        "published",
        "created_time",
    ],
    "lang": ["lang", "language"],
    "url": ["url", "link", "permalink"],
    "author.id": ["author.id", "author_id", "user_id"],
    "author.handle": ["author.handle", "author_handle", "handle", "username", "screen_name"],
    "author.name": ["author.name", "author_name", "name", "author", "user"],
    "author.followers": ["author.followers", "followers", "followers_count"],
    "parent_id": ["parent_id", "in_reply_to", "in_reply_to_id"],
    "root_id": ["root_id", "thread_id", "conversation_id"],
    "container": ["container", "channel", "subreddit"],
    "rating": ["rating", "stars"],
    "rating_max": "rating_max",
    "likes": ["likes", "like_count"],
    "shares": ["shares", "share_count", "retweet_count"],
}
"""What columns are usually called; used when neither a preset nor a map is given."""
