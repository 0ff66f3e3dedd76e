"""HelloPeter (South Africa): reviews of a business, with stars.

Two doors. ``business``, the default, is the Business API v5 with the key that a business
makes in its portal: its own reviews, those that wait for an answer. ``public`` is the JSON
behind the website, for which there is no promise and no key; it stays shut until a target
says ``accept_public_terms = true``, by which the operator takes the website's terms upon
them. Both list the newest first by page number.

The fields of the public item are those that several public programs read; of a v5 item
only ``permalink`` is documented, so it is read as a public one is, and what does not fit is
kept as a reject to be replayed. Times have no zone: they are taken in ``timezone``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

import msgspec

from listeners.contract import Budget, Page, Rate, Reject, State, Target, Traits
from listeners.errors import AuthFailed, SchemaChanged
from listeners.http import Fetcher
from listeners.mapping import map_again
from listeners.mention import Author, Deletion, Mention
from listeners.targets import settings, wrong
from listeners.text import plain_text
from listeners.times import parse_time
from listeners.walk import by_number, newest_first

_API = "https://api.hellopeter.com"
_SITE = "https://www.hellopeter.com"


class Business(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    slug: str
    """The business as HelloPeter's addresses name it."""
    door: Literal["business", "public"] = "business"
    api_key: str | None = None
    accept_public_terms: bool = False
    timezone: str = "Africa/Johannesburg"
    overlap_days: float = 7
    history_days: float = 30


class HelloPeter:
    """One business."""

    name: ClassVar[str] = "hellopeter"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="newest_first",
        has_edits=True,
        rates=(Rate(amount=60, per=60),),
        rate_family="hellopeter",
        silent_empty=True,
    )

    def __init__(self, fetcher: Fetcher | None = None, *, api: str = _API) -> None:
        self._fetcher = fetcher or Fetcher()
        self._api = api

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not, or if the public door was not switched on.
        """
        _business(target)

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do; see `listeners.contract.Identifies`."""
        business = _business(target)
        if business.door == "public":
            return ""
        reviews, _ = self._page(business, 1, budget)
        return f"the key may read reviews that wait for an answer ({len(reviews)} on page 1)"

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of ten or eleven reviews, newest first.

        Raises:
            SchemaChanged: if it answers with something else than reviews, as when it takes
                us for a robot.
            ListenerError: what `Fetcher.json` raises.
        """
        business = _business(target)

        yield from newest_first(
            by_number(lambda number: self._page(business, number, budget)),
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

    def _page(self, business: Business, number: int, budget: Budget) -> tuple[Sequence[Any], bool]:
        answer = self._ask(business, number, budget)
        reviews = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(reviews, list):
            raise SchemaChanged(
                f"hellopeter {business.slug}: no list of reviews came: open the site in a browser"
            )
        # ``nextPage`` is set on the last page too; the number of pages is to be trusted.
        pages = (answer.get("meta") or {}).get("lastPage", answer.get("last_page"))
        return reviews, bool(reviews) and (not isinstance(pages, int) or number < pages)

    def _ask(self, business: Business, number: int, budget: Budget) -> Any:
        if business.door == "public":
            url = f"{self._api}/consumer/business/{business.slug}/reviews"
            return self._fetcher.json(url, params={"page": number}, budget=budget).value
        try:
            return self._fetcher.json(
                f"{self._api}/v5/api/reviews",
                params={
                    "status": "unreplied,unreplied_comment",
                    "channel": "HELLOPETER",
                    "page": number,
                },
                headers={"apiKey": business.api_key or ""},
                budget=budget,
            ).value
        except AuthFailed as error:
            raise AuthFailed(f"{error}; the key is OUTCRY_HELLOPETER_KEY") from error

    def _map(self, review: Mapping[str, Any], business: Business, now: datetime) -> Mention:
        title = plain_text(review.get("review_title") or "") or None
        text = plain_text(review.get("review_content") or "")
        if not text and title is None:
            raise ValueError("it has neither a text nor a title")
        slug = review.get("business_slug") or business.slug
        permalink = review.get("permalink")
        author = review.get("author_id") or review.get("user_id")
        created_at, quality = parse_time(review["created_at"], ZoneInfo(business.timezone))
        return Mention(
            source=self.name,
            native_id=str(review.get("id") or review["permalink"]),
            kind="review",
            text=text or title or "",
            title=title if text else None,
            url=f"{_SITE}/{slug}/{permalink}" if permalink else None,
            created_at=created_at,
            time_quality=quality,
            collected_at=now,
            listener=f"{self.name}/{self.version}",
            author=Author(
                id=str(author) if author else None,
                name=review.get("authorDisplayName") or review.get("author") or None,
            ),
            container=slug,
            rating=float(review["review_rating"]),
            rating_max=5.0,
            raw=review,
        )


def _business(target: Target) -> Business:
    business = settings(target, Business)
    try:
        ZoneInfo(business.timezone)
    except (ValueError, OSError, LookupError) as error:
        raise wrong(target, f"{error}: correct its settings") from error
    if not business.slug or not business.slug.replace("-", "").isalnum():
        raise wrong(target, f"slug {business.slug!r} is none: copy it from the business's address")
    if business.door == "public" and not business.accept_public_terms:
        raise wrong(
            target,
            "the public door is shut: use the Business API, or read the website's terms "
            "and set accept_public_terms = true",
        )
    if business.door == "business" and not business.api_key:
        raise wrong(target, "set OUTCRY_HELLOPETER_KEY, which the business makes in its portal")
    return business
