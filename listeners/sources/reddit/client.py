"""praw, asked for one page at a time; its failures by our classes.

Things come as Reddit sent them, since a reject has to keep what was sent. Waiting and
trying again are left to the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import praw
import prawcore
import requests

from listeners.contract import Budget
from listeners.errors import (
    AuthFailed,
    ListenerError,
    RateLimited,
    SchemaChanged,
    TargetGone,
    Transient,
)
from listeners.guarded_requests import guarded_session
from listeners.http import Unauthorised, decoded, raise_for_status
from listeners.limits import Limits, read_limits
from listeners.mapping import MALFORMED, one_line

PAGE = 100
"""The most that Reddit gives at once, in a listing and by name."""

_ANCHORS = 3
_CLOSED = ("private", "quarantined", "gold_only", "banned")


class Client:
    """One listing, for one run: signed in at the first call, and again when refused."""

    def __init__(
        self,
        path: str,
        params: dict[str, Any],
        budget: Budget,
        *,
        account: str,
        client_id: str | None,
        client_secret: str | None,
        urls: dict[str, str],
        timeout: float,
    ) -> None:
        if not client_id or not client_secret:
            raise AuthFailed(
                "reddit: no credential: set OUTCRY_REDDIT_CLIENT_ID and OUTCRY_REDDIT_CLIENT_SECRET"
            )
        self.limits = Limits()
        """What Reddit said last."""
        self._path = path
        self._params = {**params, "limit": PAGE}
        self._budget = budget
        self._session = guarded_session(budget.reach)
        self._sign_in = partial(
            praw.Reddit,
            "DEFAULT",  # else praw looks into the environment for a name
            requestor_class=_Requestor,
            requestor_kwargs={
                "session": self._session,
                "timeout": timeout,
                "answered": self._answered,
            },
            client_id=client_id,
            client_secret=client_secret,
            user_agent=f"server:outcry:1 (by /u/{account})",
            check_for_updates=False,
            check_for_async=False,
            **urls,
        )
        self._reddit = self._sign_in()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def listing(self, cursor: list[str] | None) -> tuple[list[Any], list[str] | None]:
        """A page's things and where the next begins: after its last one, or one before it.

        Reddit shows nothing after a thing that was deleted meanwhile, so some more are kept.
        """
        things: list[Any] = []
        more = None
        places: list[str | None] = [*cursor] if cursor else [None]
        for after in places:
            things, more = self._things(self._path, {**self._params, "after": after})
            if things:
                break
        if more is None:
            return things, None
        before = [name for name in reversed(names_of(things)) if name != more]
        return things, [more, *before[: _ANCHORS - 1]]

    def info(self, names: list[str]) -> list[Any]:
        """What Reddit still shows of a `PAGE` of things; those that are gone are left out."""
        return self._things("api/info", {"id": ",".join(names), "limit": PAGE})[0]

    def whoami(self) -> str:
        """What the application may do, as its token says, once it could read."""
        self._things("r/all/new", {"limit": 1})
        scopes = " ".join(sorted(self._reddit.auth.scopes()))
        may = "read all that is public" if scopes == "*" else scopes
        left = "" if self.limits.left is None else f"; {self.limits.left} requests are left"
        return f"signed in as an application, may: {may}{left}"

    def finds_names(self) -> bool:
        """Whether a look-up by name finds what is surely there: the newest post of all."""
        newest = names_of(self._things("r/all/new", {"limit": 1})[0])
        return bool(newest) and bool(self.info(newest))

    def _things(self, path: str, params: dict[str, Any]) -> tuple[list[Any], str | None]:
        given = {name: value for name, value in params.items() if value is not None}
        answer = self._ask(path, given)
        try:
            children = answer["data"]["children"]
            things = [c.get("data", c) if isinstance(c, dict) else c for c in children]
            after = answer["data"]["after"]
        except MALFORMED as error:
            raise SchemaChanged(
                f"reddit {path}: no listing ({one_line(error)}): compare with its documentation"
            ) from error
        return things, after if isinstance(after, str) else None

    def _ask(self, path: str, params: dict[str, Any]) -> Any:
        try:
            return self._request(path, params)
        except Unauthorised:
            self._reddit = self._sign_in()
            return self._request(path, params)

    def _request(self, path: str, params: dict[str, Any]) -> Any:
        at = self.limits.reset_at
        if self.limits.left == 0 and at is not None:
            raise RateLimited(f"reddit: no request is left until {at.isoformat()}: wait", at)
        self._budget.take()
        try:
            return self._reddit.request(method="GET", path=path, params=params)
        except prawcore.BadJSON as error:
            decoded(f"https://oauth.reddit.com/{path}", error.response.content)
            raise SchemaChanged(f"reddit {path}: unreadable: open it in a browser") from error
        except prawcore.OAuthException as error:
            raise AuthFailed(
                f"reddit: signing in failed ({error.error}): check the client id and secret"
            ) from error
        except prawcore.PrawcoreException as error:
            raise SchemaChanged(
                f"reddit {path}: {error}: compare with Reddit's documentation"
            ) from error

    def _answered(self, response: requests.Response) -> None:
        """Note what is left, and raise what the answer's status means."""
        limits = read_limits(response.headers, self._budget.now)
        if limits.left is not None:
            self.limits = limits
        status = response.status_code
        if status in (403, 404) and any(f'"{word}"' in response.text for word in _CLOSED):
            raise TargetGone(
                f"reddit {self._path}: a subreddit is closed to us: take it out of the target"
            )
        if 300 <= status < 400:
            raise TargetGone(f"reddit {self._path}: no such subreddit: correct the target")
        raise_for_status(response.url, status, response.headers, self._budget.now)


class _Requestor(prawcore.Requestor):
    """prawcore's way out, without its waiting: how long to wait is the scheduler's to say.

    By itself prawcore sleeps for seconds between its tries, and for minutes when a header
    says that nothing is left.
    """

    def __init__(self, *, answered: Callable[[requests.Response], None], **options: Any) -> None:
        super().__init__(**options)
        self._hear = answered

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """The answer, if its status is a good one.

        Raises:
            ListenerError: what the status or the failure means.
        """
        try:
            # prawcore names a time-out of its own for each request.
            response = super().request(*args, **{**options, "timeout": self.timeout})
        except prawcore.RequestException as error:
            if isinstance(error.original_exception, ListenerError):
                raise error.original_exception from error
            raise Transient(f"reddit: no answer ({error}): tried again next time") from error
        self._hear(response)
        for name in ("used", "remaining", "reset"):
            response.headers.pop(f"x-ratelimit-{name}", None)
        return response


def names_of(things: Iterable[Any]) -> list[str]:
    """The full names of those that have one, as ``t3_abc``."""
    names = (thing.get("name") for thing in things if isinstance(thing, dict))
    return [name for name in names if isinstance(name, str)]
