"""People at browsers before a desk that really listens, and what their browsers complain of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from playwright.sync_api import Error as BrowserError

from desk.rights import Role
from desk.sessions import COOKIE
from tests.desk.board import Board
from tests.desk.running import running

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

PROVOKED = ("Failed to load resource", "Response Status Error Code 503")
"""How browser and htmx note an answer from 400 on, which only comes where a test provokes it."""


class Seat:
    """Somebody at a browser. ``complaints`` are errors on its console and calls to elsewhere."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.address = address
        self.context = context
        self.complaints: list[str] = []
        self.page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))

    def go(self, path: str) -> Page:
        """Open a page of the desk."""
        self.page.goto(self.address + path)
        return self.page

    def violations(self) -> list[str]:
        """What axe finds on the page, a line each."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(
            "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})"
            ".then(r => r.violations.flatMap(v => v.nodes.map(n => [v.id, n.target, n.html])))",
            TAGS,
        )
        return [f"{rule} at {target}: {html[:160]}" for rule, target, html in found]

    def overflows(self) -> int:
        """By how many pixels the page is wider than the window."""
        width: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return width

    def _console(self, message: Any) -> None:
        if message.type == "error" and not message.text.startswith(PROVOKED):
            self.complaints.append(message.text)

    def _request(self, request: Any) -> None:
        if not request.url.startswith(self.address):
            self.complaints.append(f"called {request.url}")


class Room:
    """A listening desk with seats."""

    def __init__(self, board: Board, browser: Browser, address: str) -> None:
        self.board = board
        self.address = address
        self.seats: list[Seat] = []
        self._browser = browser

    def seat(self, name: str, *roles: Role, **context: Any) -> Seat:
        """Somebody who has signed in."""
        person = self.board.person(name, *roles)
        seat = self.stranger(**context)
        cookie = person.client.cookies[COOKIE]
        seat.context.add_cookies([{"name": COOKIE, "value": cookie, "url": self.address}])
        return seat

    def stranger(self, **context: Any) -> Seat:
        """Somebody who has not."""
        made = self._browser.new_context(reduced_motion="reduce", **context)
        self.seats.append(Seat(made, self.address))
        return self.seats[-1]


@contextmanager
def opened(board: Board, browser: Browser) -> Iterator[Room]:
    """The room of a board. In the end no browser may have complained."""
    with running(board.app) as address:
        room = Room(board, browser, address)
        try:
            yield room
        finally:
            for seat in room.seats:
                with _gone():
                    seat.context.close()
    complaints = [line for seat in room.seats for line in seat.complaints]
    if complaints:
        raise AssertionError("browsers complained:\n" + "\n".join(complaints))


@contextmanager
def _gone() -> Iterator[None]:
    try:
        yield
    except BrowserError as error:
        if "closed" not in str(error):
            raise
