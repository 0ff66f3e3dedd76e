"""Apple's App Store: the reviews of an app, by App Store Connect or the public feed.

App Store Connect lists all reviews of the operator's own apps by the day of their writing,
so that an edit does not come up again: the last month is read again once a week. The public
feed shows the newest 500 of one country at most, is not documented and is known to fall
silent: it is read only if the target says so, and its silence is reported, not believed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from app_reviews import ConnectCredentials, HttpResponse
from app_reviews.appstore import AppStoreOfficialProvider, AppStoreScraperProvider, ConnectAuth
from app_reviews.appstore.atom import atom_entries
from app_reviews.models.country import connect_territory, normalise_country

from listeners.contract import Budget, Page, Rate, Reject, State, Target, Traits
from listeners.errors import AuthFailed, ListenerError, RateLimited
from listeners.guard import Guarded
from listeners.http import decoded, with_retries
from listeners.limits import retry_at
from listeners.mapping import MALFORMED, map_again
from listeners.mention import Author, Deletion, Engagement, Mention, OwnerReply, Place
from listeners.sources.stores import MakeTransport, Pages, Refused, Wire
from listeners.targets import settings, wrong
from listeners.times import parse_time
from listeners.walk import newest_first, starting_over

_OVERLAP = timedelta(days=3)
"""Apple shows a review some days after it was written."""
_REREAD = timedelta(days=30)
_EVERY = timedelta(days=7)
_THROTTLED = timedelta(minutes=15)


_Ask = Callable[[str | None], tuple[list[Any], str | None]]
"""From a cursor to raw reviews and the next page's cursor."""


class Watch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    app: Annotated[str, msgspec.Meta(pattern=r"^\d{5,15}$")]
    """The number in the app's address in the store."""
    interface: Literal["official", "public"] = "official"
    country: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}$")] | None = None
    """The public feed is of one country; the official interface has all, if none is given."""
    key_id: str | None = None
    issuer_id: str | None = None
    private_key: str | None = None
    """The key file's text; line breaks may be written as ``\\n``."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """The state."""

    walk: dict[str, Any] = {}
    reread: datetime | None = None
    """When the last month was read again."""


class AppStore:
    """The reviews of one app."""

    name: ClassVar[str] = "app_store"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="newest_first",
        has_edits=True,
        rates=(Rate(amount=3500, per=3600),),
        rate_family="app_store",
        silent_empty=True,
    )

    def __init__(
        self,
        *,
        transport: MakeTransport = Guarded,
        timeout: float = 20.0,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._wire = partial(Wire, transport=transport, timeout=timeout)
        self._retried = partial(with_retries, sleep=sleep, jitter=jitter)

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
            AuthFailed: if App Store Connect is asked for without a key.
        """
        watch = _watch(target)
        if watch.interface == "official":
            _credentials(watch)

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do; see `listeners.contract.Identifies`."""
        watch = _watch(target)
        if watch.interface == "public":
            return ""
        with closing(self._wire(budget, partial(_judge, watch, budget.now))) as wire:
            self._retried(partial(_connect(watch, wire), None))
            left = wire.quota_left
        words = "" if left is None else f"; {left} calls of the hour are left"
        return f"the key may read the reviews of app {watch.app}{words}"

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of reviews, the newest first.

        Raises:
            AuthFailed: if the key is refused, or there is none.
            RateLimited: if Apple says so; on the public feed also if it hides.
            SchemaChanged, Transient, TargetGone, BadTarget: as their classes say.
        """
        watch = _watch(target)
        seen = msgspec.convert(state or {}, Seen)
        official, known = watch.interface == "official", seen.walk.get("watermark")
        all_again = official and _begins(seen) and _is_due(seen, budget.now)
        with closing(self._wire(budget, partial(_judge, watch, budget.now))) as wire:
            ask = _connect(watch, wire) if official else _feed(watch, wire)
            for page in newest_first(
                starting_over(lambda cursor: self._retried(partial(ask, cursor)), Refused),
                partial(_mention, watch=watch, now=budget.now),
                listener=self,
                target=target,
                state=seen.walk,
                budget=budget,
                overlap=_REREAD if all_again else _OVERLAP,
            ):
                silent = known and _begins(seen) and not page.raw_count and not official
                gap = f"the feed of {watch.country} is empty, though it had reviews before"
                # How deep the walk goes is in its own state from its first page on.
                reread = budget.now if all_again else seen.reread
                seen = Seen(walk=dict(page.state), reread=reread)
                yield msgspec.structs.replace(
                    page,
                    state=msgspec.to_builtins(seen),
                    gap=page.gap or (gap if silent else None),
                    quota_left=wire.quota_left,
                )

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected review.

        Raises:
            ValueError: if it still cannot be understood.
        """
        watch = _watch(target)
        return map_again(reject.raw, lambda raw: _mention(raw, watch, now), "it is the app itself")


def _watch(target: Target) -> Watch:
    watch = settings(target, Watch)
    if watch.interface == "public" and watch.country is None:
        raise wrong(target, "a public feed is of one country: name it")
    if watch.country is not None and connect_territory(watch.country) is None:
        raise wrong(target, f"there is no store in {watch.country!r}")
    return watch


def _begins(seen: Seen) -> bool:
    """Whether the next page is the first of a walk."""
    return seen.walk.get("walk") is None


def _is_due(seen: Seen, now: datetime) -> bool:
    return seen.reread is None or now - seen.reread >= _EVERY


def _judge(watch: Watch, now: datetime, url: str, answer: HttpResponse) -> ListenerError | None:
    if watch.interface == "official" or answer.status != 403:
        return None
    at = retry_at(answer.retry_after, now) or now + _THROTTLED
    return RateLimited(
        f"app_store: the feed hides from us: listen less often, again at {at:%H:%MZ}", at
    )


def _credentials(watch: Watch) -> ConnectCredentials:
    key = watch.private_key
    if not (watch.key_id and watch.issuer_id and key):
        raise AuthFailed(
            "app_store: no credential: set OUTCRY_APP_STORE_KEY_ID, OUTCRY_APP_STORE_ISSUER_ID and "
            'OUTCRY_APP_STORE_PRIVATE_KEY, or interface = "public"'
        )
    try:
        return ConnectCredentials(watch.key_id, watch.issuer_id, key.replace("\\n", "\n"))
    except ValueError as error:
        raise AuthFailed(f"app_store: {error} Correct the credential") from None


def _connect(watch: Watch, wire: Wire) -> _Ask:
    """Pages of App Store Connect; a review comes with the answer to it."""
    credentials, territory = _credentials(watch), connect_territory(watch.country or "")
    pages = Pages(
        lambda: AppStoreOfficialProvider(
            ConnectAuth(credentials),
            http=wire,
            server_territories=(territory,) if territory else (),
        ),
        wire,
        watch.app,
    )

    def fetch(cursor: str | None) -> tuple[list[Any], str | None]:
        following = pages(cursor).next_cursor
        answer = decoded(wire.url, wire.body.encode())
        return [_with_answer(review, answer) for review in answer.get("data", [])], following

    return fetch


def _with_answer(review: Any, page: Mapping[str, Any]) -> dict[str, Any]:
    """A review as if it had been asked for alone."""
    try:
        name = review["relationships"]["response"]["data"]["id"]
        included = [one for one in page["included"] if one["id"] == name]
    except MALFORMED:
        included = []
    return {"data": review, "included": included}


def _feed(watch: Watch, wire: Wire) -> _Ask:
    """Pages of the public feed, by number."""
    country = watch.country or ""
    pages = Pages(lambda: AppStoreScraperProvider(http=wire), wire, watch.app, country)

    def fetch(cursor: str | None) -> tuple[list[Any], str | None]:
        page = pages(cursor)
        if not page.reviews and not page.skipped_reviews:
            return [], page.next_cursor
        if page.feed_format == "xml":
            return atom_entries(wire.body), page.next_cursor
        entries = decoded(wire.url, wire.body.encode())["feed"]["entry"]
        # One review alone is sent without a list.
        return (entries if isinstance(entries, list) else [entries]), page.next_cursor

    return fetch


def _mention(review: Any, watch: Watch, now: datetime) -> Mention | None:
    """Of a resource (official) or of a feed's entry (public); None if that is the app's own."""
    if "data" in review:
        fields = _official_fields(review)
    elif "im:rating" not in review and "im:name" in review:
        return None
    else:
        fields = _public_fields(review, watch)
    rating, country = fields.pop("rating"), fields.pop("country")
    if isinstance(rating, bool) or rating not in range(1, 6):
        raise ValueError(f"{str(rating)[:20]!r} is not a number of stars")
    return Mention(
        source=AppStore.name,
        kind="review",
        url=f"https://apps.apple.com/{f'{country}/' if country else ''}app/id{watch.app}",
        collected_at=now,
        listener=f"{AppStore.name}/{AppStore.version}",
        container=watch.app,
        place=Place(country=country.upper()) if country else None,
        rating=rating,
        rating_max=5,
        raw=review,
        **fields,
    )


def _official_fields(review: Any) -> dict[str, Any]:
    data, said = review["data"], review["data"]["attributes"]
    answer = review["included"][0]["attributes"] if review["included"] else None
    answered_at = answer.get("lastModifiedDate") if answer else None
    return {
        "native_id": data["id"],
        "title": said.get("title") or None,
        "text": _lines(said.get("body") or ""),
        "created_at": parse_time(said["createdDate"])[0],
        "author": Author(name=said.get("reviewerNickname") or None),
        "rating": said["rating"],
        "country": normalise_country(said.get("territory")),
        "owner_reply": OwnerReply(
            text=answer["responseBody"], at=parse_time(answered_at)[0] if answered_at else None
        )
        if answer
        else None,
    }


def _public_fields(entry: Any, watch: Watch) -> dict[str, Any]:
    author, votes = entry.get("author") or {}, _label(entry, "im:voteCount")
    return {
        "instance": watch.country,
        "native_id": entry["id"]["label"],
        "title": _label(entry, "title"),
        "text": _lines(_label(entry, "content") or ""),
        "created_at": parse_time(entry["updated"]["label"])[0],
        "author": Author(name=_label(author, "name"), url=_label(author, "uri")),
        "engagement": Engagement(likes=int(votes) if votes else None),
        "rating": int(entry["im:rating"]["label"]),
        "country": watch.country,
        "flags": ("scraped",),
    }


def _label(entry: Any, name: str) -> str | None:
    return (entry.get(name) or {}).get("label") or None


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
