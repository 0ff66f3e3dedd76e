"""The station of feeds: everything there is comes in one answer.

Shaped from the specification of RSS 2.0, not recorded from a live site.
"""

from __future__ import annotations

from email.utils import format_datetime
from xml.sax.saxutils import escape

from listeners.contract import Listener, Target
from listeners.mention import Mention
from listeners.sources.rss import Rss
from tests.servers.feeds import RSS_TYPE, rss
from tests.servers.station import HttpStation, Post, fetcher
from tests.servers.web import Answer, Request


class Station(HttpStation):
    """A blog's feed."""

    source = "rss"
    one_page = True
    meanings = {"cut off": "ok"}

    def target(self) -> Target:
        """The feed."""
        return Target(source="rss", key="blog", params={"url": f"{self.url}/feed"})

    def listener(self) -> Listener:
        """As operators get it."""
        return Rss(fetcher(self.patience))

    def answer(self, request: Request) -> Answer:
        """The feed, newest entry first."""
        entries = "".join(_entry(post) for post in self.listing(request))
        return Answer(rss([entries]), headers={"Content-Type": RSS_TYPE})

    def blocked(self, request: Request) -> Answer:
        """Nothing at all."""
        return Answer(b"", headers={"Content-Type": RSS_TYPE})

    def number(self, mention: Mention) -> int:
        """What stands behind the last slash."""
        return int(mention.native_id.rpartition("/")[2])


def _entry(post: Post) -> str:
    words = "" if post.malformed else f"<description>{escape(post.text)}</description>"
    return (
        f'<item><guid isPermaLink="false">https://blog.example/{post.number}</guid>{words}'
        f"<pubDate>{format_datetime(post.at)}</pubDate></item>"
    )
