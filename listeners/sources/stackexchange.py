"""Stack Exchange: questions that match a search on one site, by the official API.

In ascending order of activity, so one time is the whole cursor and an edited question comes
again as a new version. Questions asked before listening began do not come, however lively.

A wait that the API orders (``backoff``) is kept: a short one between two pages, a longer one
by coming back later. Answers and comments are not heard.

Target params: ``site`` and ``query``; optionally ``tags`` (all of them), ``key``, ``owners``
(numbers of the brand's own users) and ``api_url``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Known, Page, Rate, Reject, State, Target, Traits
from listeners.errors import (
    AuthFailed,
    BadTarget,
    ListenerError,
    QuotaExhausted,
    RateLimited,
    SchemaChanged,
    Transient,
)
from listeners.http import Fetched, Fetcher, Json
from listeners.mapping import map_again, map_items
from listeners.mention import Author, Deletion, Engagement, Mention
from listeners.targets import settings, web_address, wrong
from listeners.text import plain_text
from listeners.times import parse_time

_PAGE = 100
_HISTORY = timedelta(days=7)
_OVERLAP = 600
"""Seconds; the search learns of a question a little after the site."""
_PATIENCE = 10
"""Seconds that a run waits between two pages; a longer wait ends it."""
_MARGIN = 2
"""Seconds more: who comes back to the second is refused at times."""
_AVAILABLE_IN = re.compile(rb"available in (\d+) seconds")


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    site: str
    """As the API names it: ``stackoverflow``, ``superuser``."""
    query: str = ""
    tags: tuple[str, ...] = ()
    key: str | None = None
    owners: tuple[int, ...] = ()
    api_url: str = "https://api.stackexchange.com/2.3"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The state. Times are seconds since 1970."""

    since: int
    """Questions asked before are not taken."""
    at: int
    """All activity before is known."""
    page: int = 1
    """Of those that share the second ``at``."""
    floor: int
    """Where the walk that is under way began."""
    not_before: datetime | None = None
    """The API does not want to be asked earlier."""


class StackExchange:
    """One search on one site."""

    name: ClassVar[str] = "stackexchange"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="oldest_first",
        has_edits=True,
        has_deletes=True,
        rates=(Rate(amount=300, per="day"),),
        rate_family="stackexchange",
    )

    recheck_batch: ClassVar[int] = _PAGE
    recheck_age: ClassVar[timedelta] = timedelta(days=30)

    def __init__(
        self, fetcher: Fetcher | None = None, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._fetcher = fetcher or Fetcher()
        self._sleep = sleep

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _search(target)

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do; see `listeners.contract.Identifies`."""
        search = _search(target)
        found = self._ask(f"{search.api_url}/info", search, {"pagesize": None}, budget).value
        left, most = (_whole(found.get(f"quota_{name}")) for name in ("remaining", "max"))
        return f"the key may read {search.site}; {left} of {most} calls of the day are left"

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield questions by activity, the longest quiet first.

        Raises:
            RateLimited: if the API has ordered a wait that is not over.
            QuotaExhausted: if the calls of the day are spent.
            AuthFailed: if it does not know the key.
            BadTarget: if it does not know the site or a parameter.
            SchemaChanged: if it sends something else than items.
            ListenerError: what `Fetcher.json` raises.
        """
        search = _search(target)
        place = _begin(state, budget.now)
        while True:
            _keep_away(place.not_before, budget.now)
            answer = self._questions(search, place, budget)
            items, rejects = map_items(
                answer.value["items"],
                partial(self._map, search=search, now=budget.now),
                listener=self,
                target=target,
                at=budget.now,
            )
            more = bool(answer.value.get("has_more"))
            place = _onwards(place, answer.value["items"], more, budget.now)
            wait = _wait(answer)
            place = msgspec.structs.replace(
                place, not_before=budget.now + timedelta(seconds=wait) if wait else None
            )
            if place.not_before is not None and budget.allowance is not None:
                budget.allowance.block(place.not_before)
            yield Page(
                items=items,
                rejects=rejects,
                state=msgspec.to_builtins(place),
                raw_count=len(items) + len(rejects),
                done=not more,
                quota_left=_whole(answer.value.get("quota_remaining")),
            )
            if not more:
                return
            if wait and wait <= _PATIENCE:
                self._sleep(wait)
                place = msgspec.structs.replace(place, not_before=None)

    def recheck(
        self, batch: Sequence[Known], target: Target, budget: Budget
    ) -> Iterator[Mention | Deletion]:
        """Each question as it is now, or its deletion; nothing if the site shows none of them."""
        search = _search(target)
        numbers = ";".join(known.native_id for known in batch)
        asked = {"filter": "withbody"}
        answer = self._ask(f"{search.api_url}/questions/{numbers}", search, asked, budget)
        records, _ = map_items(
            answer.value["items"],
            partial(self._map, search=search, now=budget.now),
            listener=self,
            target=target,
            at=budget.now,
        )
        yield from records
        shown = {record.native_id for record in records}
        for known in batch:
            # No answer at all is no word about any of them.
            if shown and known.native_id not in shown:
                yield Deletion(
                    source=self.name,
                    instance=search.site,
                    native_id=known.native_id,
                    seen_at=budget.now,
                )

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected question.

        Raises:
            ValueError: if it still cannot be understood.
        """
        return map_again(reject.raw, partial(self._map, search=_search(target), now=now))

    def _questions(self, search: Search, place: Place, budget: Budget) -> Json:
        asked = {
            "q": search.query or None,
            "tagged": ";".join(search.tags) or None,
            "sort": "activity",
            "order": "asc",
            "fromdate": place.since,
            "min": place.at,
            "page": place.page,
            "filter": "withbody",
        }
        return self._ask(f"{search.api_url}/search/advanced", search, asked, budget)

    def _ask(self, url: str, search: Search, params: dict[str, Any], budget: Budget) -> Json:
        asked = {"pagesize": _PAGE, "site": search.site, "key": search.key, **params}
        answer = self._fetcher.json(
            url, budget=budget, params=asked, judge=partial(_judge, search, budget.now)
        )
        if not isinstance(answer.value, dict) or not isinstance(answer.value.get("items"), list):
            raise SchemaChanged(f"{url} sent no items: compare with the API's documentation")
        return answer

    def _map(self, item: Any, search: Search, now: datetime) -> Mention:
        owner = item.get("owner") or {}
        number = owner.get("user_id")
        edited = item.get("last_edit_date")
        return Mention(
            source=self.name,
            instance=search.site,
            native_id=str(int(item["question_id"])),
            text=plain_text(item["body"]),
            title=plain_text(item["title"]),
            url=item["link"],
            created_at=parse_time(item["creation_date"])[0],
            edited_at=parse_time(edited)[0] if edited is not None else None,
            collected_at=now,
            listener=f"{self.name}/{self.version}",
            author=Author(
                id=None if number is None else str(number),
                name=plain_text(owner.get("display_name") or "") or None,
                url=owner.get("link"),
                is_owner=number in search.owners,
            ),
            container=search.site,
            engagement=Engagement(
                score=item.get("score"),
                views=item.get("view_count"),
                replies=item.get("answer_count"),
            ),
            matched=tuple(word for word in (search.query, *search.tags) if word),
            raw=item,
        )


def _search(target: Target) -> Search:
    search = settings(target, Search)
    if not search.site or not (search.query.strip() or search.tags):
        raise wrong(target, "give a site, and a query or at least one tag")
    return msgspec.structs.replace(search, api_url=web_address(target, "api_url", search.api_url))


def _begin(state: State | None, now: datetime) -> Place:
    if state:
        return msgspec.convert(state, Place)
    since = int((now - _HISTORY).timestamp())
    return Place(since=since, at=since, floor=since)


def _onwards(place: Place, items: list[Any], more: bool, now: datetime) -> Place:
    """Where the next page begins; what shares a second may lie on both sides of a border."""
    latest = int(now.timestamp())
    active = [at for item in items if (at := _second(item)) is not None and at <= latest]
    top = max([place.at, *active])
    if more:
        page = place.page + 1 if top == place.at else 1
        return msgspec.structs.replace(place, at=top, page=page)
    at = max(place.floor, top - _OVERLAP)
    return msgspec.structs.replace(place, at=at, floor=at, page=1)


def _second(item: Any) -> int | None:
    at = item.get("last_activity_date") if isinstance(item, dict) else None
    return at if isinstance(at, int) else None


def _wait(answer: Json) -> int:
    backoff = _whole(answer.value.get("backoff")) or 0
    return backoff + _MARGIN if backoff > 0 else 0


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _keep_away(not_before: datetime | None, now: datetime) -> None:
    if not_before is not None and now < not_before:
        raise RateLimited(
            f"api.stackexchange.com asks to be left alone until {not_before.isoformat()}: "
            "listen less often",
            not_before,
        )


def _judge(search: Search, now: datetime, answer: Fetched) -> ListenerError | None:
    """The API's own errors: their number is in the body, whatever the status."""
    if answer.status < 400:
        return None
    try:
        said = msgspec.json.decode(answer.body, type=_Error)
    except msgspec.MsgspecError:
        return None
    words = f"{search.site}: {said.error_name} ({said.error_message[:120]})"
    if said.error_id == 502:
        found = _AVAILABLE_IN.search(answer.body)
        at = now + timedelta(seconds=int(found[1]) if found else 300)
        kind = QuotaExhausted if found else RateLimited
        return kind(f"{words}: back at {at.isoformat()}, listen less often or give a key", at)
    if said.error_id in (401, 402, 403, 405, 406) or "key" in said.error_message.lower():
        return AuthFailed(f"{words}: check the key")
    if said.error_id == 400:
        return BadTarget(f"{words}: correct the target")
    return Transient(f"{words}: tried again next time") if said.error_id >= 500 else None


class _Error(msgspec.Struct):
    error_id: int
    error_name: str = ""
    error_message: str = ""
