"""The far end of a source as the conformance suite sees it: posts, pages and bad days.

A source's station is the class ``Station`` of ``tests/servers/<its module>.py``. It shows
`posts` the way its network would and misbehaves on request. CONTRIBUTING says how to write
one; `tests.listeners.conformance` drives it.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import msgspec

from listeners.contract import Allowance, Listener, Target
from listeners.http import Fetcher
from listeners.mention import Mention
from listeners.registry import secrets_of
from tests.servers.web import Answer, Request, serving

T = TypeVar("T")

PATIENCE = 0.15
"""Seconds that a listener under test waits for an answer."""


@dataclass(frozen=True)
class Post:
    """What somebody wrote, before any network's spelling."""

    number: int
    at: datetime
    text: str
    edited_at: datetime | None = None
    malformed: bool = False
    """The network sends it without something that a mention needs."""


@dataclass
class World:
    """What a station shows, and what befalls the requests for its pages."""

    posts: list[Post] = field(default_factory=list)
    script: list[str | None] = field(default_factory=list)
    """A bad day's name for each of the next requests, None for a good one."""
    after_page: Callable[[], None] = lambda: None
    """Called when a page was shown."""
    repeats: bool = False
    """Each page begins with the last post of the page before."""
    reset_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    """When a limit lets us come back."""
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def write(self, count: int = 1, **changes: Any) -> None:
        """So many posts, a second apart, the last one a second ago."""
        for _ in range(count):
            number = len(self.posts) + len(self.gone) + 1
            text = f"Post {number}: the tram is late"
            self.posts.append(replace(Post(number, self.now, text), **changes))
            self.now += timedelta(seconds=1)

    gone: list[Post] = field(default_factory=list)
    """Posts that were deleted."""

    def delete(self, post: Post) -> None:
        """The network no longer shows it."""
        self.posts.remove(post)
        self.gone.append(post)

    def edit(self, post: Post, text: str) -> None:
        """The same post, other words."""
        at = self.posts.index(post)
        self.posts[at] = replace(post, text=text, edited_at=self.now)


class BaseStation(ABC):
    """One source's far end. Subclass `HttpStation` where it speaks HTTP."""

    source: ClassVar[str]
    renews: ClassVar[bool] = False
    """A refused credential (401) is renewed within the run."""
    names_time: ClassVar[bool] = True
    """A limit comes with the time at which it ends."""
    one_page: ClassVar[bool] = False
    """Everything there is comes in one answer."""
    meanings: ClassVar[Mapping[str, str]] = {}
    """Class of the error by fault, where it is not the suite's own (`faults.MEANINGS`);
    ``ok`` where the source makes the best of it."""
    not_applicable: ClassVar[Mapping[str, str]] = {}
    """Why a fault cannot befall this source."""

    def __init__(self) -> None:
        self.world = World()

    @abstractmethod
    @contextmanager
    def open(self) -> Iterator[None]:
        """The far end is there until the block ends."""

    @abstractmethod
    def target(self) -> Target:
        """Listens to it; asked anew for each run."""

    @abstractmethod
    def listener(self) -> Listener:
        """The real listener, that gives up after `PATIENCE` and pauses for nobody."""

    def allowance(self, root: Path) -> Allowance | None:
        """What its credential may use; kept below ``root``."""
        return None

    def keyed(self) -> Target:
        """A target whose credential the far end knows."""
        return self.target()

    def forged(self) -> Target:
        """The same with one that it does not know."""
        target = self.keyed()
        wrong = dict.fromkeys(secrets_of(self.source), "a wrong one")
        return msgspec.structs.replace(target, params={**target.params, **wrong})

    def number(self, mention: Mention) -> int:
        """Which post a mention is; the last number in its native id, unless said otherwise."""
        found = re.search(r"(\d+)\D*$", mention.native_id)
        assert found is not None, mention.native_id
        return int(found[1])


class HttpStation(BaseStation):
    """A far end that speaks HTTP: says how it behaves well; the bad days are here."""

    page_size: int = 4

    def __init__(self) -> None:
        super().__init__()
        self.url = ""
        self.patience = PATIENCE
        self.requests: list[Request] = []

    @contextmanager
    def open(self) -> Iterator[None]:
        """A local server."""
        with serving(self._answer) as self.url:
            yield

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """What the network says to a request on a good day."""

    def is_page(self, request: Request) -> bool:
        """Whether a request is for posts; others (tokens, descriptions) have no bad days."""
        return True

    def too_many(self, reset_at: datetime) -> Answer:
        """The network's own 429."""
        wait = int((reset_at - datetime.now(UTC)).total_seconds()) + 1
        return error(429, headers={"Retry-After": str(wait)})

    def blocked(self, request: Request) -> Answer:
        """The network's empty page that means "blocked"."""
        return json_answer([])

    def listing(self, request: Request) -> list[Post]:
        """The posts, the newest first."""
        return sorted(self.world.posts, key=lambda post: (post.at, post.number), reverse=True)

    def cut(self, posts: Sequence[T], start: int) -> tuple[Sequence[T], int | None]:
        """The page that starts at a place in a listing, and where the next one starts."""
        begin = start - 1 if self.world.repeats and start else start
        end = start + self.page_size
        return posts[begin:end], end if end < len(posts) else None

    def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if not self.is_page(request):
            return self.answer(request)
        fault = self.world.script.pop(0) if self.world.script else None
        if fault is not None:
            return self._bad_day(fault, request)
        answer = self.answer(request)
        self.world.after_page()
        return answer

    def _bad_day(self, fault: str, request: Request) -> Answer:
        if fault == "429":
            return self.too_many(self.world.reset_at)
        if fault == "blocked":
            return self.blocked(request)
        if fault == "timeout":
            return Answer(b"{}", delay=3 * PATIENCE)
        if fault == "cut off":
            whole = self.answer(request)
            return replace(whole, body=whole.body[: len(whole.body) // 2])
        if fault == "HTML":
            page = b"<!doctype html><html><body><p>We are back soon.</p></body></html>"
            return Answer(page, headers={"Content-Type": "text/html; charset=utf-8"})
        return error({"5xx": 502}.get(fault) or int(fault))


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer in JSON."""
    kind = {"Content-Type": "application/json; charset=utf-8"}
    return Answer(json.dumps(value).encode(), status, {**kind, **(headers or {})})


def error(status: int, headers: Mapping[str, str] | None = None) -> Answer:
    """A refusal in JSON."""
    return json_answer({"error": f"status {status}"}, status, headers)


def fetcher(patience: float = PATIENCE) -> Fetcher:
    """Our own client as a test wants it: impatient, and without pauses."""
    return Fetcher(timeout=patience, sleep=lambda seconds: None)
