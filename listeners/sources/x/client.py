"""The two calls of X's API that we make, what they cost, and what its errors mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from listeners.contract import Budget
from listeners.errors import AuthFailed, BadTarget, ListenerError, QuotaExhausted, SchemaChanged
from listeners.http import Fetched, Fetcher

API = "https://api.x.com"
BATCH = 100
"""Posts in one answer, at most."""
USD = "usd"
"""What is counted against the cap of the credential."""
_FEWEST = 10
_FIELDS = (
    "author_id,conversation_id,created_at,edit_history_tweet_ids,geo,lang,note_tweet,"
    "possibly_sensitive,public_metrics,referenced_tweets"
)
_USER_FIELDS = "name,public_metrics,username"


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    query: str
    """As X's search takes it, up to 512 characters; ``-is:retweet`` saves money."""
    bearer_token: str | None = None
    with_authors: bool = False
    """Ask for handles and followers too; X bills each user."""
    usd_per_post: float = 0.005
    usd_per_user: float = 0.01
    recheck_after_days: tuple[int, ...] = (1, 7)
    """On which days of its life a post is looked up again, to see whether it was deleted."""
    owners: tuple[str, ...] = ()
    """The brand's own accounts, by id, or by handle where ``with_authors``."""

    @property
    def usd_each(self) -> float:
        """The most that one post costs."""
        return self.usd_per_post + (self.usd_per_user if self.with_authors else 0)

    def price(self, answer: Mapping[str, Any]) -> float:
        """What an answer costs, at most: X does not bill a post twice on one day."""
        posts = len(answer.get("data") or ())
        users = len((answer.get("includes") or {}).get("users") or ())
        return posts * self.usd_per_post + users * self.usd_per_user


class Client:
    """X, for one run of one target."""

    def __init__(self, fetcher: Fetcher, api: str, search: Search, budget: Budget) -> None:
        self._fetcher = fetcher
        self._api = api
        self._search = search
        self._budget = budget
        self.quota_left: int | None = None
        self._answers = 0
        """Of one call with its tries: those that X bills."""

    def recent(self, since: str | None, token: str | None) -> dict[str, Any]:
        """A page of the search, newest first, down to but without the post ``since``.

        Raises:
            QuotaExhausted: if the cap does not leave enough for the smallest page.
        """
        left, each = self._budget.left(USD) or 0.0, self._search.usd_each
        affordable = int(left / each + 1e-9) if each else BATCH
        count = min(max(affordable, _FEWEST), BATCH)
        params = {
            "query": self._search.query,
            "max_results": count,
            "since_id": since,
            "next_token": token,
        }
        return self._paid("/2/tweets/search/recent", params, count)

    def lookup(self, ids: Sequence[str]) -> dict[str, Any]:
        """Those of the posts (a hundred at most) that are still shown, and errors for others.

        Raises:
            QuotaExhausted: if the cap does not leave enough for all.
        """
        return self._paid("/2/tweets", {"ids": ",".join(ids)}, len(ids))

    def _paid(self, path: str, params: Mapping[str, Any], most: int) -> dict[str, Any]:
        """The answer; what it may cost is set aside first, and what it does not is put back.

        Who is killed in between has counted too much, never too little. An answer that came
        but could not be read was billed all the same, for all that we know.
        """
        aside, self._answers = most * self._search.usd_each, 0
        self._budget.take(aside, USD)
        try:
            answer = self._ask(path, params)
        except ListenerError:
            self._budget.correct((self._answers - 1) * aside, USD)
            raise
        unread = self._answers - 1
        self._budget.correct(self._search.price(answer) + (unread - 1) * aside, USD)
        return answer

    def _ask(self, path: str, params: Mapping[str, Any]) -> dict[str, Any]:
        fields = {"tweet.fields": _FIELDS}
        if self._search.with_authors:
            fields |= {"expansions": "author_id", "user.fields": _USER_FIELDS}
        answer = self._fetcher.json(
            self._api + path,
            params={**params, **fields},
            headers={"authorization": f"Bearer {self._search.bearer_token}"},
            budget=self._budget,
            judge=self._judge,
        )
        self.quota_left = answer.quota_left
        value = answer.value
        if not isinstance(value, dict) or not isinstance(value.get("data", []), list):
            raise SchemaChanged("x sent no list of posts: compare with X's documentation")
        return value

    def _judge(self, answer: Fetched) -> ListenerError | None:
        """A cap that is reached is told apart from a rate limit by the body alone."""
        if answer.status < 400:
            self._answers += 1
            return None
        if answer.status == 401:
            return AuthFailed("x refuses the token: make another and set OUTCRY_X_TOKEN")
        try:
            problem = msgspec.json.decode(answer.body)
        except msgspec.DecodeError:
            return None
        if not isinstance(problem, dict):
            return None
        detail = str(problem.get("detail") or problem.get("title") or "")[:200]
        kind = f"{problem.get('type')} {problem.get('title')} {problem.get('reason')}".lower()
        capped = any(word in kind for word in ("usage-capped", "usagecap", "creditsdepleted"))
        if capped or answer.status == 402:
            return QuotaExhausted(
                f"x: the account's own cap or credit is used up ({detail}): see its billing page",
                _tomorrow(self._budget.now),
            )
        if answer.status == 400:
            return BadRequest(f"x refuses the query ({detail}): correct the target's settings")
        return None


class BadRequest(BadTarget):
    """X does not take a parameter: the query, or a token of an earlier page."""


def _tomorrow(now: datetime) -> datetime:
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=1)
