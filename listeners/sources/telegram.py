"""Telegram: the posts of public channels, by the program snscrape.

snscrape is free software under the GPL. It is run as a program of its own, by its command
line, and answers in JSON Lines; nothing of it is imported here, and nothing of ours there.
It reads the public preview at ``t.me/s/CHANNEL``, newest post first, a page of a hundred a
run; it knows neither views nor replies, and joins lines without a space.

Only its Telegram module is of use. The others fail, or find nothing and call that success
(upstream issues 587, 782, 996, 1045): a target that asks for one is refused with the reason.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Page, Rate, Reject, State, Target, Traits
from listeners.errors import (
    ListenerError,
    SchemaChanged,
    TargetGone,
    Transient,
    Unsupported,
)
from listeners.http import raise_for_status, with_retries
from listeners.mapping import map_again
from listeners.mention import Author, Deletion, Mention
from listeners.targets import settings, wrong
from listeners.times import parse_time
from listeners.walk import newest_first

_PAGE = 100
_CHANNEL = re.compile(r"[A-Za-z]\w{3,31}", re.ASCII)
_POST = re.compile(r"https://t\.me/(?:s/)?(\w+)/(\d+)(?:\?.*)?")
_STATUS = re.compile(r"Got status code (\d{3})")
_BROKEN = {
    "facebook": ("it has been unreliable for years", "import an export of the page"),
    "instagram": ("it has been unreliable for years", "import an export of the account"),
    "mastodon": ("it fails on servers from version 4 on", "use the source mastodon"),
    "reddit": ("it asked Pushshift, which is closed", "use the source reddit"),
    "twitter": ("it stands before a login wall", "use the source x"),
    "vkontakte": ("it finds nothing and says nothing", "import an export"),
    "weibo": ("it reads the posts of one user, not what is said about a brand", "import an export"),
}
"""By the first word of snscrape's scrapers: why one is refused, and what to do instead."""


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    channel: str
    """Its public name, without the ``@``."""
    words: tuple[str, ...] = ()
    """Keep the posts that hold one of these, whatever their case; all posts if there are none."""
    owners: tuple[str, ...] = ()
    """The brand's own channels."""
    overlap_hours: float = 48
    """How far back each run reads again, to see edits."""
    history_days: float = 7
    scraper: str = "telegram-channel"
    """snscrape's name for it; the others are refused."""


Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[bytes]"]
"""Runs snscrape with arguments, to its end."""


class Snscrape:
    """The program, as it is installed beside us or on the path."""

    def __init__(self, program: str | None = None, *, timeout: float = 120.0) -> None:
        self._program = program
        self._timeout = timeout

    def program(self) -> str:
        """Where it is.

        Raises:
            Unsupported: if it is not installed.
        """
        return self._program or _installed()

    def __call__(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        """Run it.

        Raises:
            Unsupported: if it is not installed.
            Transient: if it does not end in time; it is ended then.
        """
        program = self.program()
        # When it fails it leaves all it knows in a file, which must not stay.
        with tempfile.TemporaryDirectory(prefix="outcry-snscrape-") as folder:
            command = ["env", f"TMPDIR={folder}", program, *arguments]
            try:
                return subprocess.run(
                    command, capture_output=True, timeout=self._timeout, check=False
                )
            except subprocess.TimeoutExpired as error:
                raise Transient(
                    f"snscrape did not end in {self._timeout:g} s: tried again next time"
                ) from error


def _installed() -> str:
    beside_us = str(Path(sys.executable).parent)
    program = shutil.which("snscrape", path=beside_us) or shutil.which("snscrape")
    if program is None:
        raise Unsupported(
            'snscrape is not installed: pip install "outcry-triage[telegram]" (Python 3.11)'
        )
    return program


class Telegram:
    """One channel."""

    name: ClassVar[str] = "telegram"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="newest_first",
        has_edits=True,
        official=False,
        rates=(Rate(amount=60, per=60),),
        rate_family="telegram",
        silent_empty=True,
    )

    def __init__(
        self,
        run: Run | None = None,
        *,
        page: int = _PAGE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._run = run or Snscrape()
        self._page = page
        self._sleep = sleep

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
            Unsupported: if they ask for a scraper that does not work; says what to use. Also if
                snscrape is not installed.
        """
        _channel(target)
        if isinstance(self._run, Snscrape):
            self._run.program()

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of up to a hundred posts, newest first.

        Raises:
            Unsupported: if snscrape is not installed, or cannot run on this Python.
            TargetGone: if there is no such channel, or it shows no public preview.
            RateLimited: if Telegram has had enough; for a quarter of an hour.
            SchemaChanged: if the page has no posts, or cannot be read any more.
            Transient: if Telegram cannot be reached.
        """
        channel = _channel(target)

        def ask(before: int | None) -> list[Any]:
            budget.take(max(1, self._page // 20))  # a page of the preview has twenty posts
            return with_retries(
                lambda: self._posts(channel.channel, before, budget.now), sleep=self._sleep
            )

        def fetch(before: Any) -> tuple[Sequence[Any], Any]:
            posts = ask(before)
            if not posts and before is not None:
                # The end is not to be told from a bad page: so once more, and is the top there?
                posts = ask(before)
            if not posts and (before is None or not ask(None)):
                raise SchemaChanged(
                    f"{_address(channel.channel)} shows no posts: it is empty, blocks us, or has "
                    "changed; open it in a browser"
                )
            lowest = min((number for post in posts if (number := _number(post))), default=0)
            return posts, lowest if len(posts) == self._page and lowest > 1 else None

        yield from newest_first(
            fetch,
            lambda post: self._map(post, channel, budget.now),
            listener=self,
            target=target,
            state=state,
            budget=budget,
            overlap=timedelta(hours=channel.overlap_hours),
            history=timedelta(days=channel.history_days),
        )

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected post.

        Raises:
            ValueError: if it still cannot be understood, or has no words that count.
        """
        channel = _channel(target)
        return map_again(
            reject.raw,
            lambda raw: self._map(raw, channel, now),
            "it has no text, or none of the words",
        )

    def _posts(self, channel: str, before: int | None, now: datetime) -> list[Any]:
        """A page of posts, as snscrape prints them."""
        which = channel if before is None else f"{channel}?before={before}"
        done = self._run(
            ["--retry", "0", "--jsonl", "--max-results", str(self._page), "telegram-channel", which]
        )
        said = done.stderr.decode("utf-8", "replace")
        if "No public post list" in said:
            raise TargetGone(
                f"{_address(channel)} leads elsewhere: there is no such channel, or it shows no "
                "public preview; remove the target"
            )
        if done.returncode != 0:
            raise _failure(channel, said, now)
        try:
            return [msgspec.json.decode(line) for line in done.stdout.splitlines()]
        except msgspec.DecodeError as error:
            raise SchemaChanged(
                f"snscrape printed no JSON for {channel}: install it anew"
            ) from error

    def _map(self, post: Mapping[str, Any], channel: Channel, now: datetime) -> Mention | None:
        match = _POST.fullmatch(post["url"])
        if match is None:
            raise ValueError(f"{post['url']!r} is not the address of a post")
        text = (post["content"] or "").strip()
        found = tuple(word for word in channel.words if word.casefold() in text.casefold())
        if not text or (channel.words and not found):
            return None
        name, number = match.groups()
        return Mention(
            source=self.name,
            native_id=f"{name}/{number}",
            text=text,
            url=f"https://t.me/{name}/{number}",
            created_at=parse_time(post["date"])[0],
            collected_at=now,
            listener=f"{self.name}/{self.version}",
            author=Author(
                id=name,
                handle=name,
                url=f"https://t.me/{name}",
                is_owner=name.lower() in {owner.lower().lstrip("@") for owner in channel.owners},
            ),
            container=name,
            matched=found,
            flags=("scraped",),
            raw=post,
        )


def _channel(target: Target) -> Channel:
    channel = settings(target, Channel)
    if broken := _BROKEN.get(channel.scraper.partition("-")[0]):
        raise Unsupported(f"snscrape's {channel.scraper} does not work: {': '.join(broken)}")
    if channel.scraper != "telegram-channel":
        raise wrong(target, f"scraper {channel.scraper!r} is not known: leave it out")
    if not _CHANNEL.fullmatch(channel.channel):
        raise wrong(
            target,
            f"channel {channel.channel!r} is no public name: write it as it stands behind t.me/",
        )
    return channel


def _failure(channel: str, said: str, now: datetime) -> ListenerError:
    """What a run that ended badly means, by what snscrape said."""
    last = said.strip().rpartition("\n")[2][:150]
    if "find_module" in said:
        return Unsupported("snscrape does not run on this Python: install it on Python 3.11")
    if status := _STATUS.search(said):
        try:
            raise_for_status(_address(channel), int(status[1]), {}, now)
        except ListenerError as error:
            return error
    if "giving up" in said:
        return Transient(f"{_address(channel)} cannot be reached: tried again next time")
    return SchemaChanged(f"snscrape cannot read {_address(channel)} ({last}): open it in a browser")


def _number(post: Any) -> int | None:
    url = post.get("url") if isinstance(post, dict) else None
    match = _POST.fullmatch(url) if isinstance(url, str) else None
    return int(match[2]) if match else None


def _address(channel: str) -> str:
    return f"https://t.me/s/{channel}"
