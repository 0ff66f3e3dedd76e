"""The public preview of a Telegram channel, well and badly behaved.

Shaped from what snscrape 0.7.0 reads of ``t.me/s/CHANNEL``, not recorded from it. The
suite has a stand-in for snscrape, because the real one takes most of a second to start: a
function of the same arguments, with its exit codes and words. `test_telegram` runs the real
one, unmodified, against the same preview, and shows that the stand-in prints the same.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import msgspec

from listeners.contract import Listener, Target
from listeners.sources.telegram import Telegram
from tests.servers.station import HttpStation, Post
from tests.servers.web import Answer, Request

_POST = re.compile(
    r'data-post="[^"]+".*?(?:message_text[^>]*>(.*?)</div>)?\s*'
    r'<div class="tgme_widget_message_footer.*?href="([^"]+)".*?datetime="([^"]+)"'
)
_MORE = re.compile(r'href="([^"]+)" class="tme_messages_more')


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
        self.private = False
        """The channel leads to its page, without a preview."""

    def target(self) -> Target:
        """The channel."""
        return Target(source="telegram", key="trams", params=self.params)

    def listener(self) -> Listener:
        """As operators get it, but with the stand-in."""
        return Telegram(self.stand_in, page=self.page_size, sleep=lambda seconds: None)

    def stand_in(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        """What snscrape would print."""
        most = int(arguments[arguments.index("--max-results") + 1])
        printed: list[bytes] = []
        path: str | None = f"/s/{arguments[-1]}"
        while path and len(printed) < most:
            answer, here = self._ask(path)
            if answer.status != 200:
                said = f"snscrape.base.ScraperException: Got status code {answer.status}"
                return subprocess.CompletedProcess([], 1, b"".join(printed), said.encode())
            if "/s/" not in here:
                said = "WARNING  No public post list for this user"
                return subprocess.CompletedProcess([], 0, b"", said.encode())
            page = answer.body.decode("utf-8", "replace")
            posts = [_printed(*found) for found in reversed(_POST.findall(page))]
            printed += posts[: most - len(printed)]
            more = _MORE.search(page)
            path = more[1] if more else None
        return subprocess.CompletedProcess([], 0, b"".join(printed), b"")

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

    def _ask(self, path: str) -> tuple[Answer, str]:
        parts = urlsplit(path)
        answer = self._answer(Request(parts.path, dict(parse_qsl(parts.query)), {}))
        return self._ask(answer.headers["Location"]) if answer.status == 302 else (answer, path)

    def _by_id(self) -> list[Post]:
        return sorted(self.world.posts, key=lambda post: -post.number)


def _printed(text: str, link: str, date: str) -> bytes:
    post = {
        "_type": "snscrape.modules.telegram.TelegramPost",
        "url": link.replace("//t.me/", "//t.me/s/"),
        "date": date,
        "content": re.sub("<[^>]+>", "", text) or None,
        "outlinks": [],
        "linkPreview": None,
        "outlinksss": "",
        "_snscrape": "0.7.0.20230622",
    }
    return msgspec.json.encode(post) + b"\n"


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
