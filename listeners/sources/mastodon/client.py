"""Mastodon.py, asked for one page at a time; its failures by our classes.

Posts come as the server sent them, since a reject has to keep what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import mastodon
import msgspec
import requests

from listeners.contract import Budget
from listeners.errors import (
    AuthFailed,
    ListenerError,
    RateLimited,
    SchemaChanged,
    TargetGone,
    Transient,
    Unsupported,
)
from listeners.guarded_requests import guarded_session

_PAGE = 40
_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(days=1)


class Timeline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    server: str
    """A host, or an address with http:// or https://."""
    tag: str
    access_token: str | None = None
    history_pages: int = 5
    owners: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The server's address."""
        return self.server if "://" in self.server else f"https://{self.server}"

    @property
    def host(self) -> str:
        """The server's name, which the handles of its own users lack."""
        return urlsplit(self.base).hostname or ""


class Client:
    """Mastodon.py, with its failures by our classes and the server's own words kept."""

    def __init__(self, timeline: Timeline, budget: Budget, timeout: float) -> None:
        self._timeline = timeline
        self._budget = budget
        self._body = b""
        self._api = mastodon.Mastodon(
            api_base_url=timeline.base,
            access_token=timeline.access_token,
            ratelimit_method="throw",
            request_timeout=timeout,
            session=guarded_session(budget.reach),
            version_check_mode="none",
        )
        self._api.session.hooks["response"].append(self._keep)

    @property
    def quota_left(self) -> int | None:
        """Requests left in the server's five minutes."""
        left = self._api.ratelimit_remaining
        return left if isinstance(left, int) else None

    def whoami(self) -> str:
        """Whose token it is and what for; one of an application alone will do."""
        self._budget.take()
        try:
            app = self._api.app_verify_credentials()
        except mastodon.MastodonError as error:
            raise self._named(error) from error
        scopes = app.get("scopes") or ()  # Servers before 4.3 do not say.
        may = " ".join(map(str, scopes)) or "read, as far as the server says"
        return f"the token of {str(app.get('name') or 'an application')[:60]!r} may: {may}"

    def check_open(self) -> None:
        """Refuse a feed that the server has switched off: it may answer with nothing."""
        try:
            for_all, with_token = (
                self._api.timeline_is_available("hashtag", with_auth=auth, fail_hard=True)
                for auth in (False, True)
            )
        except mastodon.MastodonAPIError:
            return  # Servers before 4.5 and others do not say.
        if not with_token:
            raise Unsupported(
                f"{self._timeline.host} has switched its hashtag timelines off: "
                "follow the tag on another server"
            )
        if not for_all and self._timeline.access_token is None:
            raise AuthFailed(
                f"{self._timeline.host} shows hashtags to its users only: give an access_token"
            )

    def page(self, cursor: Mapping[str, str | None]) -> tuple[list[Any], str | None, str | None]:
        """Posts as sent, newest first, and the ids of the newest and the oldest."""
        self._budget.take()
        try:
            listed = self._api.timeline_hashtag(self._timeline.tag, limit=_PAGE, **cursor)
        except mastodon.MastodonError as error:
            raise self._named(error) from error
        posts = msgspec.json.decode(self._body)
        if not isinstance(posts, list):
            raise SchemaChanged(f"{self._here} sent no list: compare with Mastodon's documentation")
        if not posts:
            return [], None, None
        newest = _cursor(listed, "_pagination_prev", "min_id") or id_of(posts[0])
        oldest = _cursor(listed, "_pagination_next", "max_id") or id_of(posts[-1])
        if newest is None or oldest is None or newest == cursor.get("min_id"):
            raise SchemaChanged(
                f"{self._here} does not say where to go on: compare with Mastodon's documentation"
            )
        return posts, newest, oldest

    def posts(self, ids: list[str]) -> list[Any]:
        """What the server still shows of some posts, as sent."""
        if not ids:
            return []
        self._budget.take()
        try:
            self._api.statuses(ids)
        except mastodon.MastodonNotFoundError as error:
            raise Unsupported(
                f"{self._timeline.host} cannot be asked for posts again before Mastodon 4.3: "
                "have it updated, or follow the tag on another server"
            ) from error
        except mastodon.MastodonError as error:
            raise self._named(error) from error
        posts = msgspec.json.decode(self._body)
        if not isinstance(posts, list):
            raise SchemaChanged(f"{self._here} sent no list: compare with Mastodon's documentation")
        return posts

    def _keep(self, response: requests.Response, *_: object, **__: object) -> Any:
        """Keep what was sent, and give the client a list's headers without its posts.

        It makes objects of every field, which is most of a run's time, and None of what it
        cannot read; a reject has to keep what was sent. All but the posts is its own affair.
        """
        self._body = response.content
        try:
            is_list = response.ok and isinstance(msgspec.json.decode(self._body), list)
        except msgspec.DecodeError:
            return None
        if not is_list:
            return None
        bare = requests.Response()
        bare.status_code, bare.reason = response.status_code, response.reason
        bare.headers, bare.url, bare.request = response.headers, response.url, response.request
        bare.raw = BytesIO(b"[]")
        return bare

    @property
    def _here(self) -> str:
        return f"{self._timeline.host} #{self._timeline.tag}"

    def _named(self, error: Exception) -> ListenerError:
        if isinstance(error.__context__, ListenerError):
            return error.__context__
        if isinstance(error, mastodon.MastodonRatelimitError):
            at = self._reset()
            return RateLimited(f"{self._here}: too many requests until {at.isoformat()}: wait", at)
        if isinstance(error, mastodon.MastodonNetworkError | mastodon.MastodonServerError):
            return Transient(f"{self._here}: no answer ({_words(error)}): tried again next time")
        status = error.args[1] if len(error.args) > 1 else None
        if status in (401, 403, 422):
            return AuthFailed(f"{self._here}: refused ({_words(error)}): check the access_token")
        if status in (404, 410):
            return TargetGone(f"{self._here}: no such timeline: correct or remove the target")
        if self._body.lstrip()[:1] in (b"[", b"{"):
            return Transient(f"{self._here}: the answer was cut off: tried again next time")
        return SchemaChanged(f"{self._here}: not what the API sends: open the server in a browser")

    def _reset(self) -> datetime:
        reset = self._api.ratelimit_reset
        if reset is None:
            return self._budget.now + _WAIT
        at = datetime.fromtimestamp(float(reset), UTC)
        return min(max(at, self._budget.now), self._budget.now + _LONGEST_WAIT)


def id_of(post: Any) -> str | None:
    value = post.get("id") if isinstance(post, dict) else None
    return value if isinstance(value, str) else None


def _cursor(listed: Any, info: str, name: str) -> str | None:
    value = (getattr(listed, info, None) or {}).get(name)
    return None if value is None else str(value)


def _words(error: Exception) -> str:
    return " ".join(" ".join(str(word) for word in error.args if word).split())[:200]
