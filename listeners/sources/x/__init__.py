"""X, once Twitter: posts of the last seven days that match a query, by API v2.

Every post that X returns costs money, so the source is off until the operator sets a cap
for its credential, as ``x = {usd = "50/month"}`` under ``[listen.rates]``. What an answer
may cost is set aside before it is asked for; a search that the cap leaves nothing for waits
until the next month.

A walk goes from the newest post down to the newest of the walk before, by X's own ids and
with tokens that do not expire; so it may stop anywhere, and nothing is paid for twice. On
the days of a post's life that ``recheck_after_days`` names it is looked up again, a hundred
at a time: X says which are gone, and wants them gone here too.

Source: X's documentation of recent search, post lookup, pricing, and response codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Known, Page, Rate, Reject, State, Target, Traits
from listeners.errors import BadTarget
from listeners.http import Fetcher
from listeners.mapping import map_again, map_items
from listeners.mention import Deletion, Mention
from listeners.sources.x.client import API, BATCH, USD, BadRequest, Client, Search
from listeners.sources.x.place import Place
from listeners.sources.x.posts import is_latest, items_of, mention_of
from listeners.targets import settings, wrong

__all__ = ["Search", "X"]

_QUERY = 512


class X:
    """One query."""

    name: ClassVar[str] = "x"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="newest_first",
        has_edits=True,
        has_deletes=True,
        rates=(Rate(amount=450, per=900),),
        rate_family="x",
        priced=USD,
    )
    recheck_batch: ClassVar[int] = BATCH
    recheck_age: ClassVar[timedelta] = timedelta(days=8)

    def __init__(self, fetcher: Fetcher | None = None, *, api: str = API) -> None:
        self._fetcher = fetcher or Fetcher()
        self._api = api

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _search(target)

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of posts, newest first.

        Raises:
            QuotaExhausted: if the month's cap, or the account's own, is reached.
            RateLimited: until the time that X names.
            BadTarget: if there is no cap, or X does not take the query.
            ListenerError: what `Fetcher.json` raises.
        """
        search = _search(target)
        client = self._client(search, target, budget)
        place = msgspec.convert(state or {}, Place)
        resumed = place.token is not None
        while True:
            place, gap = place.within_reach(budget.now)
            try:
                answer = client.recent(place.since, place.token)
            except BadRequest as error:
                if place.token is None:
                    raise BadTarget(str(error)) from error
                # The token is not taken any more: the walk starts over, and skips nothing.
                place = place.from_the_top(budget.now, since=place.since)
                continue
            place = place.after(answer)
            records, rejects = map_items(
                items_of(answer),
                lambda item: self._map(item, search, budget.now),
                listener=self,
                target=target,
                at=budget.now,
            )
            # A walk that was cut short is finished first, and then followed by a fresh one.
            done = place.token is None and not resumed
            resumed = resumed and place.token is not None
            yield Page(
                items=records,
                rejects=rejects,
                state=msgspec.to_builtins(place),
                raw_count=len(records) + len(rejects),
                quota_left=client.quota_left,
                gap=gap,
                done=done,
            )
            if done:
                return

    def recheck(
        self, batch: Sequence[Known], target: Target, budget: Budget
    ) -> Iterator[Mention | Deletion]:
        """Yield what is gone or changed of the posts whose day it is.

        Raises:
            ListenerError: as `collect`.
        """
        search = _search(target)
        client = self._client(search, target, budget)
        ids = [
            known.native_id
            for known in batch
            if (budget.now - known.created_at).days in search.recheck_after_days
        ]
        if not ids:
            return
        answer = client.lookup(ids)
        gone = {str(one.get("resource_id") or one.get("value")) for one in _errors(answer)}
        for native_id in ids:
            if native_id in gone:
                yield Deletion(source=self.name, native_id=native_id, seen_at=budget.now)
        # Asked for by its first id, an edited post comes in its first version. What cannot be
        # understood now was understood when it was heard, and is there: no reject.
        records, _ = map_items(
            (item for item in items_of(answer) if is_latest(item["post"])),
            lambda item: self._map(item, search, budget.now),
            listener=self,
            target=target,
            at=budget.now,
        )
        yield from records

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected post.

        Raises:
            ValueError: if it still cannot be understood.
        """
        return map_again(reject.raw, lambda raw: self._map(raw, _search(target), now))

    def _client(self, search: Search, target: Target, budget: Budget) -> Client:
        if budget.left(USD) is None:
            raise BadTarget(
                f"x target {target.key} is off, since every post costs money: set a cap, as "
                'x = {usd = "50/month"} under [listen.rates]'
            )
        return Client(self._fetcher, self._api, search, budget)

    def _map(self, item: Mapping[str, Any], search: Search, now: datetime) -> Mention:
        return mention_of(
            item,
            query=search.query,
            owners=search.owners,
            now=now,
            listener=f"{self.name}/{self.version}",
        )


def _search(target: Target) -> Search:
    search = settings(target, Search)
    if not 0 < len(search.query) <= _QUERY:
        raise wrong(target, f"query has {len(search.query)} characters: X takes 1 to {_QUERY}")
    if any(not 0 < day < X.recheck_age.days for day in search.recheck_after_days):
        raise wrong(target, f"recheck_after_days has other days than 1 to {X.recheck_age.days - 1}")
    if not search.bearer_token:
        raise wrong(target, "set OUTCRY_X_TOKEN, the app's bearer token")
    return search


def _errors(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [one for one in answer.get("errors") or () if isinstance(one, dict)]
