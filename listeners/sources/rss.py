"""RSS and Atom: articles, blog comments, forum posts, whatever a site lists as a feed.

A feed is a window that slides over the newest entries, so what matters is to look often
enough: when nothing in it was there the last time, entries may have passed unseen, and
the page says so. Target params: ``url``; optionally ``kind`` (else comment feeds are
told by their form), ``timezone`` of times without one (else UTC), ``owners`` (names of
the brand's own authors).
"""

from __future__ import annotations

import hashlib
import io
import re
from calendar import timegm
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import feedparser
import msgspec

from listeners.contract import Budget, Page, Reject, State, Target, Traits
from listeners.errors import SchemaChanged
from listeners.http import Fetched, Fetcher
from listeners.mapping import map_again, map_items
from listeners.mention import Author, Deletion, Kind, Mention, TimeQuality, make_uid
from listeners.reach import shown
from listeners.targets import settings, wrong
from listeners.text import plain_text
from listeners.times import parse_time

_REMEMBERED = 500
_COMMENT = re.compile(r"#(comment|respond|c|disqus|reply)[-_]?\w*$", re.IGNORECASE)


class Feed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    url: str
    kind: Kind | None = None
    timezone: str = "UTC"
    owners: tuple[str, ...] = ()

    @property
    def instance(self) -> str:
        """The site: ids of entries are unique there, not in the world."""
        return (urlsplit(self.url).hostname or "").lower()

    @property
    def zone(self) -> tzinfo:
        """Of times that have none."""
        return ZoneInfo(self.timezone)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The state: what the server wants to hear again, and the ids seen lately."""

    etag: str | None = None
    modified: str | None = None
    ids: tuple[str, ...] = ()


class Rss:
    """One feed; a run is one request."""

    name: ClassVar[str] = "rss"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(order="window", has_edits=True, rate_by=("url",))

    def __init__(self, fetcher: Fetcher | None = None) -> None:
        self._fetcher = fetcher or Fetcher()

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _feed(target)

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield the feed as one page, oldest entry first; an unchanged feed as an empty one.

        Raises:
            SchemaChanged: if the answer is no feed.
            ListenerError: what `Fetcher.get` raises.
        """
        feed = _feed(target)
        seen = msgspec.convert(state or {}, Seen)
        answer = self._fetcher.get(feed.url, budget=budget, headers=_conditions(seen))
        if answer.status == 304:
            yield Page(state=msgspec.to_builtins(seen), done=True)
            return
        entries = _parse(feed.url, answer)
        items, rejects = map_items(
            reversed(entries),
            lambda entry: self._map(entry, feed, budget.now),
            listener=self,
            target=target,
            at=budget.now,
        )
        ids = [make_uid(self.name, feed.instance, _identity(entry)) for entry in entries]
        known = set(seen.ids)
        all_new = bool(ids) and bool(known) and known.isdisjoint(ids)
        remembered = list(dict.fromkeys([*ids, *seen.ids]))[: max(_REMEMBERED, 2 * len(ids))]
        now_seen = Seen(
            etag=answer.headers.get("etag"),
            modified=answer.headers.get("last-modified"),
            ids=tuple(remembered),
        )
        yield Page(
            items=items,
            rejects=rejects,
            state=msgspec.to_builtins(now_seen),
            raw_count=len(entries),
            done=True,
            gap=_gap(feed, budget.now) if all_new else None,
        )

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected entry.

        Raises:
            ValueError: if it still cannot be understood.
        """
        return map_again(reject.raw, lambda raw: self._map(raw, _feed(target), now))

    def _map(self, entry: Mapping[str, Any], feed: Feed, now: datetime) -> Mention:
        title = plain_text(entry.get("title") or "") or None
        text = plain_text(entry.get("content") or entry.get("summary") or "")
        if not text and title is None:
            raise ValueError("it has neither a text nor a title")
        created_at, quality = _time(entry, ("published", "updated"), feed.zone, now)
        edited_at, _ = _time(entry, ("updated",), feed.zone, created_at)
        parent = _parent(entry)
        author = entry.get("author") or None
        return Mention(
            source=self.name,
            instance=feed.instance,
            native_id=_identity(entry),
            kind=feed.kind or ("comment" if parent else "article"),
            text=text or title or "",
            title=title if text else None,
            lang=entry.get("lang"),
            url=_web(entry.get("link")),
            created_at=created_at,
            time_quality=quality,
            edited_at=edited_at if edited_at > created_at else None,
            collected_at=now,
            listener=f"{self.name}/{self.version}",
            author=Author(
                name=author,
                url=_web(entry.get("author_url")),
                is_owner=(author or "").casefold() in {o.casefold() for o in feed.owners},
            ),
            container=entry.get("feed"),
            parent_id=parent,
            raw=entry,
        )


def _feed(target: Target) -> Feed:
    feed = settings(target, Feed)
    try:
        _ = feed.zone
    except (ValueError, OSError, LookupError) as error:
        raise wrong(target, f"{error}: correct its settings") from error
    if urlsplit(feed.url).scheme not in ("http", "https") or not feed.instance:
        raise wrong(
            target, f"{shown(feed.url)} is not an address of the web: give http:// or https://"
        )
    return feed


def _conditions(seen: Seen) -> dict[str, str]:
    conditions = {"if-none-match": seen.etag, "if-modified-since": seen.modified}
    return {name: value for name, value in conditions.items() if value}


def _parse(url: str, answer: Fetched) -> list[dict[str, Any]]:
    """The entries in the feed's order, as plain values."""
    if not answer.body.strip():
        raise SchemaChanged(f"{shown(url)} answered with nothing: open it in a browser and compare")
    headers = {
        "content-type": answer.headers.get("content-type", ""),
        "content-location": answer.url,
    }
    # A file object: given bytes, feedparser would take a short answer for a path or an address.
    parsed = feedparser.parse(io.BytesIO(answer.body), response_headers=headers)
    if not parsed.get("version") and not parsed.entries:
        raise SchemaChanged(
            f"{shown(url)} answered with something that is not a feed: "
            "open it in a browser and compare"
        )
    return [_entry(entry, parsed.feed) for entry in parsed.entries]


def _entry(entry: Any, feed: Any) -> dict[str, Any]:
    """What we keep of an entry. The keys are `dict.get`'s: feedparser's own guesses."""
    content = dict.get(entry, "content") or [{}]
    reply = dict.get(entry, "thr_in-reply-to") or {}
    times = {
        f"{name}_parsed": list(parsed[:6])
        for name in ("published", "updated")
        if (parsed := dict.get(entry, f"{name}_parsed"))
    }
    kept = {
        "id": dict.get(entry, "id"),
        "link": dict.get(entry, "link"),
        "title": dict.get(entry, "title"),
        "summary": dict.get(entry, "summary"),
        "content": content[0].get("value"),
        "author": dict.get(entry, "author"),
        "author_url": (dict.get(entry, "author_detail") or {}).get("href"),
        "published": dict.get(entry, "published"),
        "updated": dict.get(entry, "updated"),
        "tags": [term for tag in dict.get(entry, "tags") or () if (term := tag.get("term"))],
        "in_reply_to": reply.get("ref") or reply.get("href"),
        "lang": content[0].get("language") or dict.get(feed, "language"),
        "feed": dict.get(feed, "title"),
        **times,
    }
    return {name: value for name, value in kept.items() if value}


def _identity(entry: Mapping[str, Any]) -> str:
    """``guid`` or ``id``, else the link, else a digest of the words."""
    identity = entry.get("id") or entry.get("link")
    if identity:
        return str(identity)
    words = "\x1f".join(
        str(entry.get(name) or "")
        for name in ("title", "summary", "content", "author", "published")
    )
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def _parent(entry: Mapping[str, Any]) -> str | None:
    """What a comment answers: as said by the threading extension, else the commented post.

    WordPress gives a comment the address of its post and a fragment, in both the
    entry's id and its link.
    """
    if reply := entry.get("in_reply_to"):
        return str(reply)
    for name in ("id", "link"):
        address = str(entry.get(name) or "")
        if _web(address) and _COMMENT.search(address):
            return address.partition("#")[0]
    return None


def _time(
    entry: Mapping[str, Any], names: tuple[str, ...], zone: tzinfo, otherwise: datetime
) -> tuple[datetime, TimeQuality]:
    for name in names:
        if text := entry.get(name):
            try:
                return parse_time(text, zone)
            except ValueError:
                pass
        if parsed := entry.get(f"{name}_parsed"):
            return datetime.fromtimestamp(timegm((*parsed, 0, 0, 0)), UTC), "assumed_zone"
    return otherwise, "fetched"


def _web(address: str | None) -> str | None:
    return address if address and address.startswith(("http://", "https://")) else None


def _gap(feed: Feed, now: datetime) -> str:
    return (
        f"{now.isoformat()}: every entry of {shown(feed.url)} is new, "
        "so some may have passed unseen: listen more often"
    )
