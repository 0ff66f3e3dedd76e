"""Trustpilot: the reviews of a business, by its own API with the business's key.

``GET /v1/business-units/{id}/reviews`` lists the newest first by page number, up to
100,000 reviews. An edited review keeps its place, so an edit is seen while the review is
within the overlap. The private
interface, with e-mail addresses and order numbers, is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Page, Reject, State, Target, Traits
from listeners.errors import AuthFailed, SchemaChanged
from listeners.http import Fetcher
from listeners.mapping import map_again
from listeners.mention import Author, Deletion, Mention, OwnerReply, Place
from listeners.targets import settings, wrong
from listeners.times import parse_time
from listeners.walk import by_number, newest_first

_API = "https://api.trustpilot.com"
_PER_PAGE = 100


class Business(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    business_unit: str
    """24 hex digits; Trustpilot's "find a business unit" gives them for a domain."""
    api_key: str | None = None
    overlap_days: float = 7
    history_days: float = 30


class Trustpilot:
    """One business unit."""

    name: ClassVar[str] = "trustpilot"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="newest_first", has_edits=True, rate_family="trustpilot", silent_empty=True
    )

    def __init__(self, fetcher: Fetcher | None = None, *, api: str = _API) -> None:
        self._fetcher = fetcher or Fetcher()
        self._api = api

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _business(target)

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do; see `listeners.contract.Identifies`."""
        business = _business(target)
        self._ask(business, {"perPage": 1, "page": 1}, budget)
        return f"the key may read the reviews of {business.business_unit}"

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of up to a hundred reviews, newest first.

        Raises:
            SchemaChanged: if it answers with something else than reviews.
            ListenerError: what `Fetcher.json` raises.
        """
        business = _business(target)

        def page(number: int) -> tuple[Sequence[Any], bool]:
            reviews = self._ask(business, {"perPage": _PER_PAGE, "page": number}, budget)
            return reviews, bool(reviews)

        yield from newest_first(
            by_number(page),
            lambda review: self._map(review, business, budget.now),
            listener=self,
            target=target,
            state=state,
            budget=budget,
            overlap=timedelta(days=business.overlap_days),
            history=timedelta(days=business.history_days),
        )

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected review.

        Raises:
            ValueError: if it still cannot be understood.
        """
        return map_again(reject.raw, lambda raw: self._map(raw, _business(target), now))

    def _ask(self, business: Business, place: Mapping[str, int], budget: Budget) -> list[Any]:
        try:
            answer = self._fetcher.json(
                f"{self._api}/v1/business-units/{business.business_unit}/reviews",
                params={"orderBy": "createdat.desc", **place},
                headers={"apikey": business.api_key or ""},
                budget=budget,
            ).value
        except AuthFailed as error:
            raise AuthFailed(f"{error}; the key is OUTCRY_TRUSTPILOT_KEY") from error
        reviews = answer.get("reviews") if isinstance(answer, dict) else None
        if not isinstance(reviews, list):
            raise SchemaChanged(
                f"trustpilot {business.business_unit}: no list of reviews came: "
                "compare with Trustpilot's documentation"
            )
        return reviews

    def _map(self, review: Mapping[str, Any], business: Business, now: datetime) -> Mention:
        title = (review.get("title") or "").strip() or None
        text = (review.get("text") or "").strip()
        if not text and title is None:
            raise ValueError("it has neither a text nor a title")
        consumer = review["consumer"]
        country = consumer.get("countryCode")
        reply = review.get("companyReply")
        edited_at = review.get("updatedAt")
        return Mention(
            source=self.name,
            native_id=review["id"],
            kind="review",
            text=text or title or "",
            title=title if text else None,
            lang=review.get("language"),
            url=f"https://www.trustpilot.com/reviews/{review['id']}",
            created_at=parse_time(review["createdAt"])[0],
            edited_at=parse_time(edited_at)[0] if edited_at else None,
            collected_at=now,
            listener=f"{self.name}/{self.version}",
            author=Author(
                id=consumer["id"],
                name=consumer.get("displayName"),
                url=f"https://www.trustpilot.com/users/{consumer['id']}",
            ),
            container=business.business_unit,
            rating=float(review["stars"]),
            rating_max=5.0,
            owner_reply=_reply(reply) if reply else None,
            place=Place(country=country) if country else None,
            raw=review,
        )


def _reply(reply: Mapping[str, Any]) -> OwnerReply:
    at = reply.get("createdAt")
    return OwnerReply(text=reply["text"], at=parse_time(at)[0] if at else None)


def _business(target: Target) -> Business:
    business = settings(target, Business)
    if not business.business_unit.isalnum():
        raise wrong(target, "business_unit is not an id: look it up by domain")
    if not business.api_key:
        raise wrong(target, "set OUTCRY_TRUSTPILOT_KEY")
    return business
