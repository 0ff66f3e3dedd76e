"""What a help desk's adapter does, and the requests that all of them make alike.

An adapter is three methods; see `outcry.helpdesks.zammad` for the shortest. It looks before it
creates, so that a request whose answer was lost makes no second ticket.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, Protocol

import httpx
import msgspec

from triage.deliveries import SendLater, SendRefused

TIMEOUT_S = 20.0
BUSY = (408, 409, 425, 429)
LONGEST = timedelta(hours=6)


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as a help desk gets it: masked, with the way back to the public post."""

    ticket: str
    title: str
    body: str
    customer: str
    """The pseudonym."""
    priority: Literal["P1", "P2", "P3", "P4"]
    department: str = ""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a help desk says of a ticket."""

    state: Literal["open", "closed", "gone"]
    tags: tuple[str, ...] = ()


class Helpdesk(Protocol):
    """One help desk. Methods raise `SendLater` or `SendRefused` and nothing else."""

    name: str

    def find(self, ticket: str) -> str | None:
        """The system's own id of our ticket, if it has it already."""

    def create(self, card: Card) -> str:
        """Make it there; returns the system's id of it."""

    def look(self, remote: str) -> Seen:
        """How it stands there."""


class Caller:
    """One system's address and credentials; every fault of the line in our two words."""

    def __init__(
        self, system: str, url: str, headers: Mapping[str, str], timeout_s: float = TIMEOUT_S
    ) -> None:
        self._system = system
        self._client = httpx.Client(
            base_url=url.rstrip("/"), headers=dict(headers), timeout=timeout_s
        )

    def get(self, path: str, **query: str) -> Any:
        """The answer's JSON; None where there is no such thing (404)."""
        return self._call("GET", path, query, None, {})

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """The answer's JSON."""
        answer = self._call("POST", path, {}, body, headers)
        if answer is None:
            raise SendRefused(f"{self._system} knows no {path}: correct helpdesk.url and account")
        return answer

    def _call(
        self, method: str, path: str, query: Mapping[str, str], body: Any, headers: dict[str, str]
    ) -> Any:
        try:
            answer = self._client.request(method, path, params=query, json=body, headers=headers)
        except httpx.HTTPError as error:
            words = f"{self._system} does not answer ({type(error).__name__})"
            raise SendLater(words) from None
        status = answer.status_code
        if status in BUSY or status >= 500:
            raise SendLater(f"{self._system} is busy ({status})", _wait(answer))
        if status in (401, 403):
            raise SendLater(
                f"{self._system} refuses the token ({status}): correct OUTCRY_HELPDESK_TOKEN"
            )
        if status == 404:
            return None
        if status >= 300:
            raise SendRefused(f"{self._system} refuses it ({status}): {_words(answer)}")
        try:
            return msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            raise SendLater(f"{self._system} answers something that is no JSON") from None


def _wait(answer: httpx.Response) -> timedelta | None:
    said = answer.headers.get("retry-after", "")
    return min(LONGEST, timedelta(seconds=int(said))) if said.isdecimal() else None


def _words(answer: httpx.Response) -> str:
    return " ".join(answer.text.split())[:200]


def field(answer: Any, *path: str | int) -> Any:
    """What stands at a path of the answer.

    Raises:
        SendLater: if it is not there: a proxy may have answered in the system's place.
    """
    for step in path:
        try:
            answer = answer[step]
        except (KeyError, IndexError, TypeError):
            raise SendLater(f"the help desk's answer lacks {'.'.join(map(str, path))}") from None
    return answer
