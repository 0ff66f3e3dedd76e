"""App Store Connect's reviews of an app, and the public feed of one country.

Shaped from Apple's documentation of the App Store Connect API and from what the client
app-reviews reads of the feed, which has none; not recorded from the live service.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from listeners.contract import Listener, Target
from listeners.sources.app_store import AppStore
from tests.servers.detour import Detour
from tests.servers.station import HttpStation, Post, error, json_answer
from tests.servers.web import Answer, Request

APP = "123456789"


@cache
def private_key() -> str:
    """A key file, as Apple gives one, with its line breaks as an .env file has them."""
    text = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return text.decode().replace("\n", "\\n")


class Station(HttpStation):
    """App Store Connect: all reviews of all countries, the newest first."""

    source = "app_store"
    renews = True

    def __init__(self) -> None:
        super().__init__()
        self.params: dict[str, Any] = {
            "app": APP,
            "key_id": "KEY1",
            "issuer_id": "an-issuer",
            "private_key": private_key(),
        }
        self.answers: dict[int, str] = {}
        """The brand's, by the number of the review."""

    def target(self) -> Target:
        """The app."""
        return Target(source="app_store", key="tram", params=self.params)

    def forged(self) -> Target:
        """With a key that was revoked."""
        return Target(source="app_store", key="tram", params={**self.params, "key_id": "KEY2"})

    def listener(self) -> Listener:
        """As operators get it, but for where the world is."""
        return _listener(self.url, self.patience)

    def too_many(self, reset_at: datetime) -> Answer:
        """The hour's allowance is spent."""
        wait = int((reset_at - datetime.now(UTC)).total_seconds()) + 1
        limit = "user-hour-lim:3500;user-hour-rem:0;"
        return error(429, {"Retry-After": str(wait), "X-Rate-Limit": limit})

    def blocked(self, request: Request) -> Answer:
        """A list of nothing, which is also what an app without reviews has."""
        return json_answer({"data": [], "links": {}})

    def answer(self, request: Request) -> Answer:
        """A page, whose cursor names the last review shown."""
        assert request.path == f"/v1/apps/{APP}/customerReviews"
        header, _, signed = request.headers["authorization"].partition(" ")
        if header != "Bearer" or signed.count(".") != 2 or _part(signed, 0)["kid"] != "KEY1":
            return error(401)
        posts, start = self.listing(request), 0
        if "cursor" in request.query:
            at, number = request.query["cursor"].split("/")
            start = sum((p.at.timestamp(), p.number) >= (float(at), int(number)) for p in posts)
        shown, following = self.cut(posts, start)
        links = {}
        if following is not None:
            cursor = f"{shown[-1].at.timestamp()}/{shown[-1].number}"
            here = f"https://{request.headers['host']}{request.path}"
            links["next"] = f"{here}?cursor={cursor}&include=response"
        return json_answer(
            {
                "data": [self._review(post) for post in shown],
                "included": [self._response(p) for p in shown if p.number in self.answers],
                "links": links,
            },
            headers={"X-Rate-Limit": f"user-hour-lim:3500;user-hour-rem:{3500 - len(posts)};"},
        )

    def _review(self, post: Post) -> dict[str, Any]:
        said = {
            "rating": 2,
            "title": "Late",
            "body": post.text,
            "reviewerNickname": "Ann",
            "createdDate": post.at.isoformat(),
            "territory": "ZAF",
        }
        if post.malformed:
            del said["createdDate"]
        related = {"type": "customerReviewResponses", "id": f"answer-{post.number}"}
        return {
            "type": "customerReviews",
            "id": f"connect-{post.number:05}",
            "attributes": said,
            "relationships": {
                "response": {"data": related if post.number in self.answers else None}
            },
        }

    def _response(self, post: Post) -> dict[str, Any]:
        said = {"responseBody": self.answers[post.number], "state": "PUBLISHED"}
        return {
            "type": "customerReviewResponses",
            "id": f"answer-{post.number}",
            "attributes": {**said, "lastModifiedDate": post.at.isoformat()},
        }


def _part(token: str, number: int) -> Any:
    part = token.split(".")[number]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class PublicStation(HttpStation):
    """The feed of one country, by numbered pages, as JSON and as XML."""

    source = "app_store"
    meanings: ClassVar = {"403": "RateLimited"}

    def __init__(self) -> None:
        super().__init__()
        self.json_fails = False
        """The JSON feed shows nothing, though the XML feed has it all."""

    def target(self) -> Target:
        """The app in one country."""
        params = {"app": APP, "interface": "public", "country": "za"}
        return Target(source="app_store", key="tram", params=params)

    def listener(self) -> Listener:
        """As operators get it, but for where the world is."""
        return _listener(self.url, self.patience)

    def _bad_day(self, fault: str, request: Request) -> Answer:
        bad = super()._bad_day("429" if fault == "403" else fault, request)
        return replace(bad, status=403) if fault == "403" else bad

    def blocked(self, request: Request) -> Answer:
        """A feed without entries."""
        return _feed([], request)

    def answer(self, request: Request) -> Answer:
        """A page of the feed; none after the tenth."""
        assert request.path.startswith(f"/za/rss/customerreviews/id={APP}/sortBy=mostRecent/page=")
        number = int(request.path.split("page=")[1].split("/")[0])
        shown: Sequence[Post] = self.cut(self.listing(request), (number - 1) * self.page_size)[0]
        if self.json_fails and request.path.endswith("/json"):
            shown = []
        return _feed(shown, request)


def _listener(url: str, patience: float) -> Listener:
    transport = partial(Detour, address=url)
    return AppStore(transport=transport, timeout=patience, sleep=lambda seconds: None)


def _feed(posts: Sequence[Post], request: Request) -> Answer:
    if request.path.endswith("/xml"):
        names = 'xmlns="http://www.w3.org/2005/Atom" xmlns:im="http://itunes.apple.com/rss"'
        entries = "".join(map(_xml, posts))
        text = f'<?xml version="1.0" encoding="utf-8"?><feed {names}>{entries}</feed>'
        return Answer(text.encode(), headers={"Content-Type": "application/atom+xml"})
    entries = [_entry(post) for post in posts]
    feed: dict[str, Any] = {"author": {"name": {"label": "iTunes Store"}}}
    if entries:
        # One entry alone is sent without a list.
        feed["entry"] = entries if len(entries) > 1 else entries[0]
    return Answer(json.dumps({"feed": feed}).encode(), headers={"Content-Type": "text/javascript"})


def _entry(post: Post) -> dict[str, Any]:
    shown = {
        "author": {"name": {"label": "Ann"}, "uri": {"label": "https://itunes.apple.com/za/1"}},
        "updated": {"label": (post.edited_at or post.at).isoformat()},
        "im:rating": {"label": "2"},
        "im:version": {"label": "5.2"},
        "id": {"label": f"feed-{post.number:05}"},
        "title": {"label": "Late"},
        "content": {"label": post.text, "attributes": {"type": "text"}},
        "im:voteCount": {"label": "3"},
    }
    if post.malformed:
        del shown["updated"]
    return shown


def _xml(post: Post) -> str:
    entry = _entry(post)
    name = f"<author><name>{entry.pop('author')['name']['label']}</name></author>"
    rest = "".join(
        f"<{key}>{escape(value['label'])}</{key}>"
        if key != "content"
        else f'<content type="text">{escape(value["label"])}</content>'
        for key, value in entry.items()
    )
    return f"<entry>{name}{rest}</entry>"
