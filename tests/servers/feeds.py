"""A site with a feed, well and badly behaved.

Shaped from the specifications of RSS 2.0, Atom, the Atom threading extension and HTTP's
conditional requests, not recorded from a live site.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from xml.sax.saxutils import escape

from tests.servers.web import Answer, Request

RSS_TYPE = "application/rss+xml; charset=utf-8"


def item(
    number: int, *, words: str = "It was late", extra: str = "", guid: str | None = None
) -> str:
    """One RSS item as XML."""
    identity = f"https://blog.example/?p={number}" if guid is None else guid
    return (
        f"<item><title>Entry {number}</title><link>https://blog.example/{number}/</link>"
        f'<guid isPermaLink="false">{escape(identity)}</guid>'
        f"<pubDate>Fri, 02 Jan 2026 03:{number % 60:02}:00 +0200</pubDate>"
        f"<dc:creator>Ann</dc:creator>"
        f"<description>{escape(f'<p>{words} &amp; wet: {number}</p>')}</description>{extra}</item>"
    )


def rss(items: Sequence[str], *, title: str = "A blog") -> bytes:
    """A feed of such items."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:content="http://purl.org/rss/1.0/modules/content/"'
        ' xmlns:thr="http://purl.org/syndication/thread/1.0"'
        ' xmlns:atom="http://www.w3.org/2005/Atom">'
        f"<channel><title>{title}</title><language>en-ZA</language>{''.join(items)}</channel></rss>"
    ).encode()


def expanding_entities() -> bytes:
    """A feed whose entities would expand to gigabytes."""
    levels = "".join(
        f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' if n else '<!ENTITY e0 "wordword">'
        for n in range(10)
    )
    body = "<item><guid>1</guid><title>&e9;</title></item>"
    head = f'<?xml version="1.0"?><!DOCTYPE rss [{levels}]>'
    return f'{head}<rss version="2.0"><channel>{body}</channel></rss>'.encode()


class FeedServer:
    """Answers for ``tests.servers.web.serving``; honours ``If-None-Match``."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.content_type = RSS_TYPE
        self.requests: list[Request] = []
        self.next_answers: list[Answer] = []
        """Given once each, before the site is well behaved again."""

    def __call__(self, request: Request) -> Answer:
        self.requests.append(request)
        if self.next_answers:
            return self.next_answers.pop(0)
        headers = {
            "Content-Type": self.content_type,
            "ETag": f'"{hashlib.sha256(self.body).hexdigest()[:16]}"',
            "Last-Modified": "Fri, 02 Jan 2026 03:00:00 GMT",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Answer(status=304, headers=headers)
        return Answer(self.body, headers=headers)
