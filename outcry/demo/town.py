"""What the invented brand's customers say, as web feeds of this machine, one a network.

Most of the stream is there from the start; the last hours of it arrive one post after the
other, so that whoever watches sees tickets come in.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from xml.sax.saxutils import escape

from outcry.demo import stream

RECENT = 180
"""Minutes: what is younger in the stream arrives while the town is open."""
FIRST = timedelta(seconds=30)
EVERY = timedelta(seconds=15)


class Town:
    """The feeds, as they are at any time."""

    def __init__(self, opened: datetime) -> None:
        lines = list(stream())
        older = [line for line in lines if line["minutes_ago"] >= RECENT]
        recent = [line for line in lines if line["minutes_ago"] < RECENT]
        said = [(opened - timedelta(minutes=one["minutes_ago"] - RECENT), one) for one in older]
        said += [(opened + FIRST + number * EVERY, one) for number, one in enumerate(recent)]
        self._said = said

    @property
    def networks(self) -> list[str]:
        """The names of the feeds."""
        return sorted({line["source"] for _, line in self._said})

    def feed(self, network: str, now: datetime) -> str:
        """What a network shows by now, as RSS 2.0, the newest first."""
        shown = [
            _item(at, line)
            for at, line in reversed(self._said)
            if line["source"] == network and at <= now
        ]
        return (
            "<?xml version='1.0' encoding='utf-8'?>"
            '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>'
            f"<title>{escape(network)}</title>{''.join(shown)}</channel></rss>"
        )


@contextmanager
def open_town(town: Town) -> Iterator[str]:
    """The address of the town, on this machine only, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = town.feed(self.path.strip("/"), datetime.now(UTC)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: Airflow's own lines are enough."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _item(at: datetime, line: dict[str, Any]) -> str:
    author = line["author"].get("handle") or line["author"].get("name", "")
    title = f"<title>{escape(line['title'])}</title>" if line.get("title") else ""
    return (
        f"<item>{title}<guid isPermaLink='false'>{escape(line['native_id'])}</guid>"
        f"<link>{escape(line.get('url') or '')}</link><dc:creator>{escape(author)}</dc:creator>"
        f"<pubDate>{format_datetime(at)}</pubDate>"
        f"<description>{escape(escape(line['text']))}</description></item>"
    )
