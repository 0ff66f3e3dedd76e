"""Layouts that are known by name, as data: what a user could have written as a field map."""

from __future__ import annotations

from typing import Any

from listeners.mention import PRIVATE

Fields = dict[str, Any]

_PRIVATE: Fields = {"kind": {"const": "message"}, "flags": {"const": PRIVATE}}

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
    # A view of Zendesk exported as CSV: what the customer wrote is not in it, only the subject.
    "zendesk": {
        **_PRIVATE,
        "source": {"const": "zendesk"},
        "native_id": "Id",
        "text": "Subject",
        "created_at": "Created at",
        "author.id": ["Requester email", "Requester id"],
        "author.handle": "Requester email",
        "author.name": "Requester",
        "container": "Group",
    },
    # Tickets exported from Freshdesk as CSV: the subject only, too.
    "freshdesk": {
        **_PRIVATE,
        "source": {"const": "freshdesk"},
        "native_id": "Ticket ID",
        "text": "Subject",
        "created_at": "Created time",
        "author.id": ["Email", "Contact ID"],
        "author.handle": "Email",
        "author.name": "Full name",
        "container": "Group",
    },
    # Any other help desk, with the customer's words in a column of their own.
    "helpdesk": {
        **_PRIVATE,
        "source": {"const": "helpdesk"},
        "native_id": ["Ticket ID", "ticket_id", "Id", "ID", "id", "Number"],
        "text": ["Description", "description", "Body", "body", "Message", "message"],
        "title": ["Subject", "subject", "Title", "title"],
        "created_at": ["Created at", "created_at", "Created", "created", "Created time", "Date"],
        "author.id": ["Requester email", "requester_email", "Email", "email", "requester_id"],
        "author.handle": ["Requester email", "requester_email", "Email", "email"],
        "author.name": ["Requester", "requester", "Full name", "Name", "name"],
        "container": ["Group", "group", "Queue", "queue"],
        "url": ["URL", "url", "Link", "link"],
    },
}

LENIENT = frozenset({"zendesk", "freshdesk", "helpdesk"})
"""Presets of exports whose columns are chosen by those who export: only the text and the
time must be there."""

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
