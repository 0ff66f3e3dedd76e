"""app-reviews, which both app stores are read with, asked for one page at a time.

It signs in, asks and pages; what we make of a review is ours, because it leaves a review
that it does not understand out, and we keep it as a reject. So what came over the wire is
kept here, and failures leave by our classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx
from app_reviews import AuthError, HttpClient, HttpResponse, PageResult, ReviewProvider

from listeners.contract import Budget
from listeners.errors import AuthFailed, ListenerError, SchemaChanged, Transient
from listeners.guard import Guarded
from listeners.http import Unauthorised, decoded, raise_for_status
from listeners.limits import read_limits
from listeners.mapping import one_line
from listeners.reach import Reach, shown

MakeTransport = Callable[[Reach], httpx.BaseTransport]
Judge = Callable[[str, HttpResponse], ListenerError | None]
"""Looks at an answer to an address before its status is, and gives the error that it means."""


class Wire(HttpClient):
    """The client's way out: a single try, and the answer's body and headers kept."""

    def __init__(
        self,
        budget: Budget,
        judge: Judge,
        *,
        transport: MakeTransport = Guarded,
        timeout: float = 20.0,
    ) -> None:
        self._noting = _Noting(transport(budget.reach))
        super().__init__(
            timeout=timeout,
            transport=self._noting,
            max_bytes=10 * 1024 * 1024,
            max_duration=60.0,
        )
        self._budget = budget
        self._judge = judge
        self.body = ""
        """Of the last answer, as is ``url``."""
        self.url = ""

    @property
    def quota_left(self) -> int | None:
        """Calls left, if the store says."""
        return read_limits(self._noting.headers, self._budget.now).left

    def get(self, url: str, **options: Any) -> HttpResponse:
        """The answer, if its status is a good one.

        Raises:
            ListenerError: what the status or the failure means.
        """
        self._budget.take()
        return self._heard(url, super().get(url, **options))

    def post(self, url: str, **options: Any) -> HttpResponse:
        """As `get`."""
        self._budget.take()
        return self._heard(url, super().post(url, **options))

    def _heard(self, url: str, answer: HttpResponse) -> HttpResponse:
        if answer.transport_error is not None:
            raise Transient(
                f"{shown(url)} did not answer ({answer.transport_error}): tried again next time"
            )
        error = self._judge(url, answer)
        if error is not None:
            raise error
        if answer.status == 400:
            raise Refused(f"{shown(url)} answered with status 400: check the target's app")
        raise_for_status(url, answer.status, self._noting.headers, self._budget.now)
        self.url, self.body = url, answer.body
        return answer


class _Noting(httpx.BaseTransport):
    """Keeps the last answer's headers, which the client does not hand on."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.headers: Mapping[str, str] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The inner transport's answer."""
        response = self._inner.handle_request(request)
        self.headers = response.headers
        return response

    def close(self) -> None:
        """Close the inner transport."""
        self._inner.close()


class Refused(SchemaChanged):
    """400: a place to go on from that has grown old, or another fault of the request."""


class Pages:
    """Asks a store for one page after the other."""

    def __init__(
        self, sign_in: Callable[[], ReviewProvider], wire: Wire, app: str, country: str = ""
    ) -> None:
        self._sign_in = sign_in
        self._wire = wire
        self._app = app
        self._country = country
        self._provider: ReviewProvider | None = None

    def __call__(self, cursor: str | None) -> PageResult:
        """The page from ``cursor`` on; never with an error.

        Signs in again, once, when the token is refused.

        Raises:
            Refused: if the cursor has grown old.
            AuthFailed: if the credential cannot be used.
            Transient: if the answer breaks off.
            SchemaChanged: if the answer or the cursor is not what the store documents.
            ListenerError: what `Wire` raises.
        """
        try:
            return self._page(cursor)
        except Unauthorised:
            self._provider = None
            return self._page(cursor)

    def _page(self, cursor: str | None) -> PageResult:
        try:
            self._provider = self._provider or self._sign_in()
            result = self._provider.fetch_page(self._app, self._country, cursor)
        except AuthError as error:
            raise AuthFailed(f"{one_line(error)}: correct the credential") from None
        if result.error is None:
            return result
        text, url = self._wire.body.removeprefix(")]}'").lstrip(), self._wire.url
        if text.startswith(("<?xml", "<feed")):
            raise Transient(f"{shown(url)} sent XML that breaks off: tried again next time")
        decoded(url, text.encode())
        raise SchemaChanged(f"{shown(url)}: {result.error.message}: compare with the store's API")
