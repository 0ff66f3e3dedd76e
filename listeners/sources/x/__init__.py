"""X, once Twitter: posts of the last seven days that match a query, by API v2.

Every post that X returns costs money, so a target is off until it has ``monthly_usd``: the
listener counts what each answer costs and stops before the cap, until the next month. The
count is part of the state, as durable as the posts; a run that is killed between an answer
and its storing leaves that one answer uncounted.

A walk goes from the newest post down to the newest of the walk before, by X's own ids and
with tokens that do not expire; so it may stop anywhere, and nothing is paid for twice. When
it is done, posts that have reached an age of ``recheck_after_days`` are looked up again, a
hundred at a time: X names those that are gone, and wants them gone here too.

Source: X's documentation of recent search, post lookup, pricing, and response codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Page, Rate, Reject, State, Target, Traits
from listeners.errors import BadTarget
from listeners.http import Fetcher
from listeners.mapping import MALFORMED, map_items, one_line
from listeners.mention import Deletion, Mention
from listeners.sources.x.client import API, BadRequest, Client, Search
from listeners.sources.x.place import Place
from listeners.sources.x.posts import items_of, mention_of

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
    )

    def __init__(self, fetcher: Fetcher | None = None, *, api: str = API) -> None:
        self._fetcher = fetcher or Fetcher()
        self._api = api

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not, or if the target has no cap and so is off.
        """
        _search(target)

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of posts, newest first, then those that were looked up again.

        Raises:
            QuotaExhausted: if the month's cap, or the account's own, is reached.
            RateLimited: until the time that X names.
            BadTarget: if X does not take the query.
            ListenerError: what `Fetcher.json` raises.
        """
        search = _search(target)
        client = Client(self._fetcher, self._api, search, budget)
        place = msgspec.convert(state or {}, Place)

        def page(answer: Mapping[str, Any], **more: Any) -> Page:
            records, rejects = map_items(
                items_of(answer),
                lambda item: self._map(item, search, budget.now),
                listener=self,
                target=target,
                at=budget.now,
            )
            gone = more.pop("gone", [])
            return Page(
                items=[*records, *gone],
                rejects=rejects,
                state=msgspec.to_builtins(place),
                raw_count=len(records) + len(rejects) + len(gone),
                quota_left=client.quota_left,
                **more,
            )

        resumed = place.token is not None
        searching = True
        while searching:
            place, gap = place.within_reach(budget.now)
            try:
                answer = client.recent(place.spent, place.since, place.token)
            except BadRequest:
                if place.token is None:
                    raise
                # The token is not taken any more: the walk starts over, and skips nothing.
                place = msgspec.structs.replace(place, token=None, high=None, begun_at=None)
                continue
            place, unwatched = place.after(answer, search, budget.now).watching(
                answer.get("data") or (), search, budget.now
            )
            # A walk that was cut short is finished first, and then followed by a fresh one.
            searching = place.token is not None or resumed
            resumed = resumed and place.token is not None
            done = not searching and not place.due(search, budget.now)
            yield page(answer, gap=gap or unwatched, done=done)
        while ids := place.due(search, budget.now):
            ids = ids[: place.spent.affordable(search, budget.now, fewest=1)]
            answer = client.lookup(ids)
            place, gone = place.looked_up(ids, answer, search, budget.now)
            yield page(answer, gone=gone, done=not place.due(search, budget.now))

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected post.

        Raises:
            ValueError: if it still cannot be understood.
        """
        try:
            return self._map(reject.raw, _search(target), now)
        except MALFORMED as error:
            raise ValueError(one_line(error)) from error

    def _map(self, item: Mapping[str, Any], search: Search, now: datetime) -> Mention:
        return mention_of(
            item,
            query=search.query,
            owners=search.owners,
            now=now,
            listener=f"{self.name}/{self.version}",
        )


def _search(target: Target) -> Search:
    def wrong(words: str) -> BadTarget:
        return BadTarget(f"x target {target.key}: {words}")

    try:
        search = msgspec.convert(target.params, Search)
    except msgspec.ValidationError as error:
        raise wrong(f"{error}: correct its settings") from error
    if not 0 < len(search.query) <= _QUERY:
        raise wrong(f"query has {len(search.query)} characters: X takes 1 to {_QUERY}")
    if search.monthly_usd is None:
        raise wrong("it is off, since every post costs money: set monthly_usd, the cap, to begin")
    if list(search.recheck_after_days) != sorted(search.recheck_after_days):
        raise wrong("recheck_after_days is not in order: write it like [1, 7]")
    if not search.bearer_token:
        raise wrong("set OUTCRY_X_TOKEN, the app's bearer token")
    return search
