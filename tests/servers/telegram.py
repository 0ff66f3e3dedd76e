"""The public preview of a Telegram channel, well and badly behaved.

Shaped from what snscrape 0.7.0 reads of ``t.me/s/CHANNEL``, not recorded from it. The
suite runs a stand-in for snscrape, because the real one takes most of a second to start:
a program with the same command line, exit codes and words. `test_telegram` runs the real
one, unmodified, against the same preview, and shows that the stand-in prints the same.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from listeners.contract import Listener, Target
from listeners.sources.telegram import Telegram
from tests.servers.station import HttpStation, Post
from tests.servers.web import Answer, Request

_STAND_IN = """\
#!{python} -SEI
import json, re, socket, sys

def ask(path):
    with socket.create_connection(("127.0.0.1", {port})) as there:
        there.sendall(f"GET {{path}} HTTP/1.0\\r\\n\\r\\n".encode())
        head, _, body = there.makefile("rb").read().partition(b"\\r\\n\\r\\n")
    status = int(head.split()[1])
    if status == 302:
        return ask(re.search(rb"Location: (\\S+)", head)[1].decode())
    return status, path, body.decode("utf-8", "replace")

most = int(sys.argv[sys.argv.index("--max-results") + 1])
path = "/s/" + sys.argv[-1]
printed = 0
while path and printed < most:
    status, here, page = ask(path)
    if status != 200:
        sys.exit(f"snscrape.base.ScraperException: Got status code {{status}}")
    if "/s/" not in here:
        print("WARNING  No public post list for this user", file=sys.stderr)
        break
    posts = re.findall(
        r'data-post="[^"]+".*?(?:message_text[^>]*>(.*?)</div>)?\\s*'
        r'<div class="tgme_widget_message_footer.*?href="([^"]+)".*?datetime="([^"]+)"',
        page,
    )
    for text, link, date in reversed(posts):
        post = {{"_type": "snscrape.modules.telegram.TelegramPost"}}
        post |= {{"url": link.replace("//t.me/", "//t.me/s/"), "date": date}}
        post |= {{"content": re.sub("<[^>]+>", "", text) or None, "outlinks": []}}
        post |= {{"linkPreview": None, "outlinksss": "", "_snscrape": "0.7.0.20230622"}}
        print(json.dumps(post))
        printed += 1
        if printed == most:
            break
    more = re.search(r'href="([^"]+)" class="tme_messages_more', page)
    path = more[1] if more else None
"""


class Station(HttpStation):
    """One channel."""

    source = "telegram"
    names_time = False
    meanings: ClassVar = {"cut off": "ok", "0 items": "SchemaChanged"}
    not_applicable: ClassVar = {
        "timeout": "snscrape waits by its own clock; test_telegram ends a run that takes too long"
    }

    def __init__(self) -> None:
        super().__init__()
        self.params: dict[str, Any] = {"channel": "harrowgate_trams"}
        self.program = ""
        self.private = False
        """The channel leads to its page, without a preview."""

    @contextmanager
    def open(self) -> Iterator[None]:
        """A local server, and a program that reads it."""
        with super().open(), tempfile.TemporaryDirectory() as folder:
            program, port = Path(folder) / "snscrape", self.url.rpartition(":")[2]
            program.write_text(_STAND_IN.format(python=sys.executable, port=port))
            program.chmod(0o755)
            self.program = str(program)
            yield

    def target(self) -> Target:
        """The channel."""
        return Target(source="telegram", key="trams", params=self.params)

    def listener(self) -> Listener:
        """As operators get it, but with the stand-in."""
        return Telegram(self.program, page=self.page_size, sleep=lambda seconds: None)

    def answer(self, request: Request) -> Answer:
        """A page of the preview, the oldest post first."""
        name = request.path.removeprefix("/s/")
        if name == request.path:
            return _html("<html><body>You can contact the channel.</body></html>")
        if self.private:
            return Answer(status=302, headers={"Location": f"/{name}"})
        before = int(request.query.get("before", 10**9))
        older = [post for post in self._by_id() if post.number < before]
        page, rest = older[: self.page_size], older[self.page_size :]
        if self.world.repeats and before < 10**9:
            page = [*(p for p in self._by_id() if p.number == before), *page][: self.page_size]
            rest = [post for post in older if page and post.number < page[-1].number]
        more = f"/s/{name}?before={page[-1].number}" if rest and page else None
        return _html(_preview(name, page, more))

    def blocked(self, request: Request) -> Answer:
        """A preview without posts."""
        return _html(_preview("harrowgate_trams", [], None))

    def _by_id(self) -> list[Post]:
        return sorted(self.world.posts, key=lambda post: -post.number)


def _html(page: str) -> Answer:
    return Answer(page.encode(), headers={"Content-Type": "text/html; charset=utf-8"})


def _preview(name: str, posts: list[Post], more: str | None) -> str:
    link = f'<a href="{more}" class="tme_messages_more js-messages_more" data-before="1"></a>'
    body = "".join(_post(name, post) for post in reversed(posts))
    return (
        '<!DOCTYPE html><html><body><main class="tgme_main"><section>'
        f"{link if more else ''}{body}</section></main></body></html>"
    )


def _post(name: str, post: Post) -> str:
    number = f"{post.number}x" if post.malformed else str(post.number)
    at = post.at.isoformat(timespec="seconds")
    words = f'<div class="tgme_widget_message_text">{post.text}</div>' if post.text else ""
    return (
        f'<div class="tgme_widget_message js-widget_message" data-post="{name}/{number}">'
        f'<div class="tgme_widget_message_author"><a href="https://t.me/{name}">Trams</a></div>'
        f'{words}<div class="tgme_widget_message_footer"><a class="tgme_widget_message_date" '
        f'href="https://t.me/{name}/{number}"><time datetime="{at}">08:00</time></a></div></div>\n'
    )
