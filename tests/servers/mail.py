"""The station of e-mail: a folder of an IMAP server (see `tests.servers.imap`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from listeners.contract import Listener, Target
from listeners.sources.mail import Email
from tests.servers.imap import Folder, letter, serving_imap
from tests.servers.station import PATIENCE, BaseStation, Post

_REFUSALS = {
    "401": "[AUTHENTICATIONFAILED] Invalid credentials",
    "403": "[AUTHORIZATIONFAILED] Not for you",
    "404": "[NONEXISTENT] Unknown mailbox",
    "429": "[LIMIT] Too many requests",
    "5xx": "[UNAVAILABLE] Try again later",
    "timeout": "silence",
    "cut off": "hang up",
    "HTML": "garbage",
}


class Station(BaseStation):
    """An inbox."""

    source = "email"
    names_time = False
    meanings: ClassVar = {"HTML": "Transient"}
    not_applicable: ClassVar = {
        "blocked": "a server that does not let us in says so",
        "duplicates": "messages are asked for one by one, by their uids",
        "edited": "a message that was sent cannot be edited",
    }

    def __init__(self) -> None:
        super().__init__()
        self.folder = Folder(patience=3 * PATIENCE)
        self.params: dict[str, Any] = {}
        self._port = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """A local server whose letters are the world's posts."""
        self.folder.fault = self._fault
        self.folder.before_each = self._refresh
        self.folder.after_fetch = lambda: self.world.after_page()
        with serving_imap(self.folder) as self._port:
            yield

    def target(self) -> Target:
        """The inbox."""
        server = {"host": "127.0.0.1", "port": self._port, "security": "none"}
        params = {**server, "user": "help", "password": "a secret", **self.params}
        return Target(source="email", key="help", params=params)

    def listener(self) -> Listener:
        """As operators get it, but impatient."""
        return Email(page=4, timeout=PATIENCE, sleep=lambda seconds: None)

    def _fault(self) -> str | None:
        fault = self.world.script.pop(0) if self.world.script else None
        return None if fault is None else _REFUSALS[fault]

    def _refresh(self) -> None:
        self.folder.letters = {post.number: (post.at, _letter(post)) for post in self.world.posts}


def _letter(post: Post) -> bytes:
    missing: dict[str, str | None] = {"From": None} if post.malformed else {}
    return letter(post.number, post.at, post.text, **missing)
