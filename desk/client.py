"""The desk's API as Python: one class, the records of `desk.views`, and one error.

    with DeskClient("https://desk.example.com", token="oct_…") as desk:
        row = desk.next(["billing"])
        case = desk.case(row.ticket)
        desk.move(row.ticket, "contact", "wrote to them", seen=case.row.mark)

Changes bear an idempotency key, so that one whose answer was lost can be sent again: the client
does that itself when the connection breaks or the store is away for a moment.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, TypeVar

import httpx
import msgspec

from desk import around, views

T = TypeVar("T")
Query = Mapping[str, str | int | bool | Sequence[str]]
TRIES = 4
LONGEST_WAIT_S = 10.0


class Refused(Exception):
    """The desk refuses; ``status`` is HTTP's, the message ends with what to do."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class _Handed(msgspec.Struct):
    case: views.Row | None


class _Cases(msgspec.Struct):
    cases: tuple[views.Row, ...]


class _Incidents(msgspec.Struct):
    items: tuple[views.IncidentRow, ...]


class DeskClient:
    """Calls of one desk with one token; use it as a context, or call `close`.

    Every call raises `Refused` for what the desk refuses, and `httpx.HTTPError` if it does not
    answer. ``seen`` is the mark of the case that was read: a change of one that has changed
    since is refused with 412.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 30,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._web = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout,
            transport=transport,
        )
        self._sleep = sleep

    def __enter__(self) -> DeskClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._web.close()

    # reading

    def queue(
        self,
        *,
        departments: Sequence[str] = (),
        sources: Sequence[str] = (),
        tiers: Sequence[str] = (),
        free: bool = True,
        page: int = 200,
    ) -> Iterator[views.Row]:
        """Who to reach out to, best first, page by page as they are wanted."""
        query: dict[str, Any] = {
            "department": list(departments),
            "source": list(sources),
            "tier": list(tiers),
            "free": free,
            "size": page,
        }
        while True:
            found = self._get("/queue", views.QueuePage, query)
            yield from found.items
            if found.next is None:
                return
            query["cursor"] = found.next

    def mine(self) -> tuple[views.Row, ...]:
        """What I have on my desk."""
        return self._get("/mine", views.QueuePage).items

    def case(self, ticket: str) -> views.CaseView:
        """One case; names nobody."""
        return self._get(f"/tickets/{ticket}", views.CaseView)

    def who(self, ticket: str, reason: str) -> views.WhoView:
        """Who the customer is. The read is recorded with its reason."""
        return self._post(f"/tickets/{ticket}/who", views.WhoView, {"reason": reason})

    def incidents(self, *, over: bool = False) -> tuple[views.IncidentRow, ...]:
        """Incidents, the newest first."""
        return self._get("/incidents", _Incidents, {"over": over}).items

    def incident(self, name: str) -> views.IncidentView:
        """One incident."""
        return self._get(f"/incidents/{name}", views.IncidentView)

    def customer(self, pseudonym: str) -> around.CustomerView:
        """One person by any of their pseudonyms; names nobody."""
        return self._get(f"/customers/{pseudonym}", around.CustomerView)

    def team(self) -> around.Team:
        """Load, clocks, and who holds what."""
        return self._get("/team", around.Team)

    # changing

    def next(self, departments: Sequence[str] = ()) -> views.Row | None:
        """Claim the best free case; None if nobody is waiting."""
        return self._post("/tickets/next", _Handed, {"departments": list(departments)}).case

    def heartbeat(self, ticket: str) -> views.Row:
        """I am still at it."""
        return self._post(f"/tickets/{ticket}/heartbeat", views.Row)

    def move(
        self,
        ticket: str,
        move: str,
        words: str = "",
        *,
        to: str = "",
        until: datetime | None = None,
        seen: str | None = None,
    ) -> views.Row:
        """claim, release, transfer, snooze, contact, wait, resolve, dismiss, reopen or note."""
        body = {"words": words, "to": to, "until": until.isoformat() if until else None}
        return self._post(f"/tickets/{ticket}/{move}", views.Row, body, seen)

    def outcome(
        self, ticket: str, outcome: str, words: str = "", *, seen: str | None = None
    ) -> views.Row:
        """How a contact ended."""
        body = {"outcome": outcome, "words": words}
        return self._post(f"/tickets/{ticket}/outcome", views.Row, body, seen)

    def send(self, ticket: str, department: str, *, seen: str | None = None) -> views.Row:
        """To another department, for good; ``none`` is the lane that people sort by hand."""
        return self._post(f"/tickets/{ticket}/send", views.Row, {"to": department}, seen)

    def split(
        self, ticket: str, posts: Sequence[str], words: str = "", *, seen: str | None = None
    ) -> tuple[views.Row, ...]:
        """Make each of these posts a case of its own."""
        body = {"posts": list(posts), "words": words}
        return self._post(f"/tickets/{ticket}/split", _Cases, body, seen).cases

    def merge(
        self, ticket: str, into: str, words: str = "", *, seen: str | None = None
    ) -> views.Row:
        """Make one case of two; ``into`` stays."""
        body = {"into": into, "words": words}
        return self._post(f"/tickets/{ticket}/merge", views.Row, body, seen)

    def unmerge(self, ticket: str) -> views.Row:
        """Undo a merge."""
        return self._post(f"/tickets/{ticket}/unmerge", views.Row)

    def act_on_incident(
        self, name: str, move: str, words: str = "", *, seen: str | None = None
    ) -> views.IncidentView:
        """confirm, fix, close, dismiss, own or note."""
        return self._post(f"/incidents/{name}/{move}", views.IncidentView, {"words": words}, seen)

    # how

    def _get(self, path: str, kind: type[T], query: Query | None = None) -> T:
        return self._call("GET", path, kind, params=query)

    def _post(
        self,
        path: str,
        kind: type[T],
        body: Mapping[str, Any] | None = None,
        seen: str | None = None,
    ) -> T:
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if seen is not None:
            headers["If-Match"] = f'"{seen}"'
        return self._call("POST", path, kind, json=body or {}, headers=headers)

    def _call(self, method: str, path: str, kind: type[T], **more: Any) -> T:
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = self._web.request(method, path, **more)
            except httpx.TransportError:
                if attempt == TRIES:
                    raise
                self._sleep(2.0 ** (attempt - 1))
                continue
            if answer.status_code < 400:
                return msgspec.json.decode(answer.content, type=kind)
            if answer.status_code not in (429, 503) or attempt == TRIES:
                raise Refused(answer.status_code, _detail(answer))
            self._sleep(min(LONGEST_WAIT_S, float(answer.headers.get("retry-after", 1))))


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the desk answers {answer.status_code}: is the address right?"
