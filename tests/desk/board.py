"""A desk in this process, its clock in the test's hand, and people who use it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
import msgspec
from fastapi.testclient import TestClient

from desk.accounts import add_user
from desk.app import create_app
from desk.deployment import DeskSettings
from desk.rights import ROLES, Role
from outcry.demo import AS_OF
from outcry.front import deployment_of
from outcry.sections import StoreSettings
from outcry.settings import load_settings
from triage.errors import StoreUnavailable
from triage.store.base import Store

PASSWORD = "a long enough password"
SETTINGS = DeskSettings(calls_per_minute=100_000, secret="of tests")


class Person:
    """Somebody with a session: the calls of a page's script."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.csrf = client.get("/api/v1/me").json()["csrf"]

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.client.get(f"/api/v1{path}", **more)

    def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"X-CSRF-Token": self.csrf, **named}
        return self.client.post(f"/api/v1{path}", json={} if body is None else body, headers=sent)


class Board:
    """The desk. ``down`` makes its store stop answering."""

    def __init__(
        self, home: Path, settings: DeskSettings = SETTINGS, store: Store | None = None
    ) -> None:
        self.now = AS_OF
        self.down = False
        loaded = msgspec.structs.replace(load_settings(home), store=StoreSettings(), desk=settings)
        self.settings = loaded
        self.store = store or loaded.open_store()
        deployment = msgspec.structs.replace(deployment_of(loaded), open_store=self._open)
        self.app = create_app(deployment, lambda: self.now)
        self._open_clients = ExitStack()

    def __enter__(self) -> Board:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open_clients.close()
        self.store.close()

    def later(self, **by: float) -> None:
        """Let time go by."""
        self.now += timedelta(**by)

    def stranger(self) -> TestClient:
        """Somebody who has not signed in. The desk's own thread does not run for them."""
        client = TestClient(self.app, base_url="http://desk.test", follow_redirects=False)
        self._open_clients.callback(client.close)
        return client

    def person(self, name: str, *roles: Role) -> Person:
        """Somebody who has."""
        add_user(self.store, name, roles, PASSWORD, self.now)
        client = self.stranger()
        answer = client.post("/sign-in", data={"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return Person(client)

    def people(self) -> dict[Role, Person]:
        """One of each role."""
        return {role: self.person(role, role) for role in ROLES}

    def _open(self) -> Store:
        return Fickle(self)  # type: ignore[return-value]


class Fickle:
    """The store of a board, which answers only while the board says so."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def __getattr__(self, name: str) -> Any:
        if self._board.down:
            raise StoreUnavailable("the store does not answer: try again in a moment")
        return getattr(self._board.store, name)

    def close(self) -> None:
        """The board closes it."""


def clock_reading(at: datetime) -> str:
    """A time as the API writes it."""
    return at.isoformat().replace("+00:00", "Z")
