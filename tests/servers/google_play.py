"""Google's sign-in, its interface for the reviews of an app, and the store's own page.

Shaped from the documentation of the Google Play Developer API and from what the client
app-reviews reads, not recorded from the live service.
"""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from typing import Any, ClassVar

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from listeners.contract import Listener, Target
from listeners.sources.google_play import GooglePlay
from tests.servers.detour import Detour
from tests.servers.station import HttpStation, Post, error, json_answer
from tests.servers.web import Answer, Request

APP = "com.example.tram"


@cache
def service_account() -> str:
    """A key file, as Google gives one; the key is a short one, because tests sign often."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    text = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {"type": "service_account", "client_email": "reader@brand.example"}
    return json.dumps({**account, "private_key": text.decode()})


def review(post: Post, **changes: Any) -> dict[str, Any]:
    """A review as the official interface shows it."""
    comment = {
        "text": post.text,
        "lastModified": _stamp(post),
        "starRating": 2,
        "reviewerLanguage": "en",
        "thumbsUpCount": 3,
        **changes,
    }
    if post.malformed:
        del comment["starRating"]
    return {
        "reviewId": f"gp:{post.number:05}",
        "authorName": "Ann",
        "comments": [{"userComment": comment}],
    }


class Station(HttpStation):
    """The official interface: all reviews of a week, in an order of its own."""

    source = "google_play"
    renews = True

    def __init__(self) -> None:
        super().__init__()
        self.params: dict[str, Any] = {"app": APP, "service_account": service_account()}
        self.signing_in = 200
        """What Google says to the key."""
        self.developer: dict[int, dict[str, Any]] = {}
        """The brand's answers, by the number of the review."""
        self._tokens = 0

    def target(self) -> Target:
        """The app."""
        return Target(source="google_play", key="tram", params=self.params)

    def listener(self) -> Listener:
        """As operators get it, but for where the world is."""
        transport = partial(Detour, address=self.url)
        return GooglePlay(transport=transport, timeout=self.patience, sleep=lambda seconds: None)

    def forged(self) -> Target:
        """With the key file of an account that was removed."""
        key = service_account().replace("reader@", "removed@")
        return Target(source="google_play", key="t", params={"app": APP, "service_account": key})

    def is_page(self, request: Request) -> bool:
        """A page of reviews."""
        return request.path.endswith("/reviews")

    def blocked(self, request: Request) -> Answer:
        """An object with nothing in it, which is also what an app without reviews has."""
        return json_answer({})

    def answer(self, request: Request) -> Answer:
        """A token for a signed assertion, or a page of reviews."""
        if request.path == "/token":
            assert request.headers["host"] == "oauth2.googleapis.com"
            _, claims, _ = request.form["assertion"].split(".")
            said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
            if said["iss"] != "reader@brand.example":
                return json_answer({"error": "invalid_grant"}, 400)
            self._tokens += 1
            token = {"access_token": f"token {self._tokens}", "expires_in": 3600}
            return json_answer(token if self.signing_in == 200 else {}, self.signing_in)
        if request.headers.get("authorization") != f"Bearer token {self._tokens}":
            return error(401)
        posts = sorted(self.world.posts, key=lambda post: (post.number * 7 % 11, post.number))
        shown, following = self.cut(posts, int(request.query.get("token", 0)))
        more = {"tokenPagination": {"nextPageToken": str(following)}} if following else {}
        return json_answer({"reviews": [self._review(post) for post in shown], **more})

    def _review(self, post: Post) -> dict[str, Any]:
        shown = review(post)
        if post.number in self.developer:
            shown["comments"].append({"developerComment": self.developer[post.number]})
        return shown


class PublicStation(HttpStation):
    """The store's page: reviews by position, the newest first."""

    source = "google_play"
    meanings: ClassVar = {"401": "AuthFailed", "403": "RateLimited"}

    def target(self) -> Target:
        """The app."""
        params = {"app": APP, "interface": "public"}
        return Target(source="google_play", key="tram", params=params)

    def listener(self) -> Listener:
        """As operators get it, but for where the world is."""
        transport = partial(Detour, address=self.url)
        return GooglePlay(transport=transport, timeout=self.patience, sleep=lambda seconds: None)

    def _bad_day(self, fault: str, request: Request) -> Answer:
        bad = super()._bad_day("429" if fault == "403" else fault, request)
        return replace(bad, status=403) if fault == "403" else bad

    def blocked(self, request: Request) -> Answer:
        """No reviews, and a word in a corner."""
        detail = [["type.googleapis.com/com.google.play.gateway.proto.PlayGatewayError", []]]
        return _rpc(None, [8, None, detail])

    def answer(self, request: Request) -> Answer:
        """A page; tokens name the last review shown."""
        assert request.headers["host"] == "play.google.com"
        ((rpc,),) = json.loads(request.form["f.req"])
        page = json.loads(rpc[1])[1][2]
        posts, start = self.listing(request), 0
        if len(page) == 3:
            at, number = page[2].split("/")
            start = sum((p.at.timestamp(), p.number) >= (float(at), int(number)) for p in posts)
        shown, following = self.cut(posts, start)
        more = [None, f"{shown[-1].at.timestamp()}/{shown[-1].number}"] if following else None
        return _rpc(json.dumps([[_entry(post) for post in shown], more]))


def _rpc(payload: str | None, *corner: Any) -> Answer:
    rows = [["wrb.fr", "oCPfdb", payload, None, None, *corner, "generic"], ["di", 21]]
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Answer((")]}'\n\n" + json.dumps(rows)).encode(), headers=kind)


def _entry(post: Post) -> list[Any]:
    at = post.edited_at or post.at
    stamp = [int(at.timestamp()), 5000]
    stars = None if post.malformed else 2
    author = ["Ann", [None, 2]]
    name = f"public-{post.number:05}"
    return [name, author, stars, None, post.text, stamp, 3, None, None, None, "5.2"]


def _stamp(post: Post) -> dict[str, Any]:
    at: datetime = (post.edited_at or post.at).astimezone(UTC)
    return {"seconds": str(int(at.timestamp())), "nanos": 5000}
