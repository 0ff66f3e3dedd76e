"""Google Play: the reviews of an app, by the official interface or the store's own page.

The official one shows the operator's own apps and the last week only, in no documented
order: every run reads all of it and keeps what is new. The store's page asks an interface
that is not documented and that nobody promised: it is read only if the target says so.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from app_reviews import HttpResponse, ReviewProvider
from app_reviews.googleplay import (
    GoogleAuth,
    GooglePlayOfficialProvider,
    GooglePlayScraperProvider,
)

from listeners.contract import Budget, Page, Rate, Reject, State, Target, Traits
from listeners.errors import AuthFailed, ListenerError, RateLimited, SchemaChanged
from listeners.guard import Guarded
from listeners.http import decoded, with_retries
from listeners.limits import retry_at
from listeners.mapping import map_again, map_items
from listeners.mention import Author, Deletion, Engagement, Mention, OwnerReply
from listeners.sources.stores import MakeTransport, Pages, Refused, Wire
from listeners.targets import settings
from listeners.walk import newest_first, starting_over

_SHOWN = timedelta(days=7)
"""How far back the official interface goes."""
_KEPT = timedelta(days=30)
_OVERLAP = timedelta(hours=48)
_THROTTLED = timedelta(minutes=15)
_RPC = ["wrb.fr", GooglePlayScraperProvider.RPC_ID]


class Watch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    app: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z]\w*(\.[A-Za-z]\w*)+$")]
    """The app's package name."""
    interface: Literal["official", "public"] = "official"
    service_account: str | None = None
    """The service account's key file, as the JSON text that Google gives."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The state: ``walk`` for the public interface, the others for the official one."""

    walk: dict[str, Any] | None = None
    token: str | None = None
    """Where an interrupted reading goes on."""
    began: int | None = None
    """When it began, and when the last whole one did; seconds since 1970, as all times here."""
    whole: int | None = None
    seen: dict[str, int] = {}
    """When the reviews that are stored were written or last changed."""


class GooglePlay:
    """The reviews of one app."""

    name: ClassVar[str] = "google_play"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="window",
        has_edits=True,
        rates=(Rate(amount=200, per=3600),),
        rate_family="google_play",
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
            AuthFailed: if the official interface is asked for without a key file.
        """
        watch = _watch(target)
        if watch.interface == "official":
            _key(watch)

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do; see `listeners.contract.Identifies`."""
        watch = _watch(target)
        if watch.interface == "public":
            return ""
        with closing(self._wire(budget, partial(_judge_official, now=budget.now))) as wire:
            pages = Pages(_signing_in(watch, wire), wire, watch.app)
            self._retried(partial(pages, None))
        return f"{_account(_key(watch))} may read the reviews of {watch.app}"

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of reviews that are new or were changed.

        Raises:
            AuthFailed: if the service account is refused, or there is none.
            RateLimited: if Google says so; on the public interface also if it hides.
            SchemaChanged, Transient, TargetGone, BadTarget: as their classes say.
        """
        watch = _watch(target)
        place = msgspec.convert(state or {}, Place)
        if watch.interface == "official":
            yield from self._official(watch, place, target, budget)
        else:
            yield from self._public(watch, place, target, budget)

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected review.

        Raises:
            ValueError: if it still cannot be understood.
        """
        return map_again(reject.raw, lambda raw: _mention(raw, _watch(target), now))

    def _official(
        self, watch: Watch, place: Place, target: Target, budget: Budget
    ) -> Iterator[Page]:
        """All that the interface shows; after what an earlier run left, from the top again."""
        with closing(self._wire(budget, partial(_judge_official, now=budget.now))) as wire:
            pages = Pages(_signing_in(watch, wire), wire, watch.app)
            resumed = place.token is not None
            while True:
                if place.token is None:
                    place = msgspec.structs.replace(place, began=_seconds(budget.now))
                following = self._retried(partial(_from, pages, place.token))
                found, rejects = map_items(
                    decoded(wire.url, wire.body.encode()).get("reviews", []),
                    partial(_mention, watch=watch, now=budget.now),
                    listener=self,
                    target=target,
                    at=budget.now,
                )
                items = [item for item in found if _is_news(item, place.seen)]
                gap = None if following else _gap(place, budget.now)
                place = _after(place, items, following, budget.now)
                done = following is None and not resumed
                yield Page(
                    items=items,
                    rejects=rejects,
                    state=msgspec.to_builtins(place),
                    raw_count=len(items) + len(rejects),
                    done=done,
                    gap=gap,
                )
                if done:
                    return
                resumed = resumed and following is not None

    def _public(self, watch: Watch, place: Place, target: Target, budget: Budget) -> Iterator[Page]:
        with closing(self._wire(budget, partial(_judge_public, now=budget.now))) as wire:
            pages = Pages(lambda: GooglePlayScraperProvider(http=wire), wire, watch.app)

            def fetch(cursor: str | None) -> tuple[list[Any], str | None]:
                following = self._retried(partial(pages, cursor)).next_cursor
                return _entries(wire.body), following

            for page in newest_first(
                starting_over(fetch, Refused),
                partial(_mention, watch=watch, now=budget.now),
                listener=self,
                target=target,
                state=place.walk,
                budget=budget,
                overlap=_OVERLAP,
            ):
                place = msgspec.structs.replace(place, walk=dict(page.state))
                yield msgspec.structs.replace(page, state=msgspec.to_builtins(place))


def _key(watch: Watch) -> dict[str, Any]:
    """What stands in the key file."""
    if not watch.service_account:
        raise AuthFailed(
            "google_play: no credential: set OUTCRY_GOOGLE_PLAY_SERVICE_ACCOUNT, "
            'or interface = "public"'
        )
    try:
        return msgspec.json.decode(watch.service_account, type=dict[str, Any])
    except msgspec.DecodeError:
        # Its words may quote the key.
        raise AuthFailed(
            "google_play: the service account is no key file: set "
            "OUTCRY_GOOGLE_PLAY_SERVICE_ACCOUNT to the JSON text that Google gave"
        ) from None


def _account(key: Mapping[str, Any]) -> str:
    return str(key.get("client_email") or "the service account")[:80]


def _signing_in(watch: Watch, wire: Wire) -> Callable[[], ReviewProvider]:
    key = _key(watch)
    return lambda: GooglePlayOfficialProvider(
        GoogleAuth(service_account_info=key, http=wire), http=wire
    )


def _judge_official(url: str, answer: HttpResponse, *, now: datetime) -> ListenerError | None:
    if url.endswith("/token") and answer.status in (400, 401, 403):
        return AuthFailed(
            "google_play: signing in failed: check OUTCRY_GOOGLE_PLAY_SERVICE_ACCOUNT"
        )
    if answer.status == 403 and ("rateLimit" in answer.body or "quota" in answer.body):
        return _later("too many calls", answer, now)
    return None


def _judge_public(url: str, answer: HttpResponse, *, now: datetime) -> ListenerError | None:
    # It may also answer with a good status, no reviews, and this word in a corner.
    if answer.status == 403 or "gateway.proto.PlayGatewayError" in answer.body:
        return _later("the store hides its reviews from us", answer, now)
    return None


def _from(pages: Pages, token: str | None) -> str | None:
    """Ask for the page from a token on, from the top if it has grown old; the next token."""
    try:
        following = pages(token).next_cursor
    except Refused:
        if token is None:
            raise
        return pages(None).next_cursor
    if following is not None and following == token:
        raise SchemaChanged(f"google_play: page token {token[:80]!r} comes again: compare")
    return following


def _later(what: str, answer: HttpResponse, now: datetime) -> RateLimited:
    at = retry_at(answer.retry_after, now) or now + _THROTTLED
    return RateLimited(f"google_play: {what}: listen less often, again at {at:%H:%MZ}", at)


def _watch(target: Target) -> Watch:
    return settings(target, Watch)


def _is_news(item: Mention | Deletion, seen: dict[str, int]) -> bool:
    return isinstance(item, Deletion) or seen.get(item.native_id) != _seconds(item.created_at)


def _after(
    place: Place, items: Sequence[Mention | Deletion], following: str | None, now: datetime
) -> Place:
    """Where a page leaves us."""
    fresh = {i.native_id: _seconds(i.created_at) for i in items if isinstance(i, Mention)}
    oldest = _seconds(now - _KEPT)
    return msgspec.structs.replace(
        place,
        token=following,
        whole=place.whole if following else place.began,
        seen={name: at for name, at in (place.seen | fresh).items() if at >= oldest},
    )


def _gap(place: Place, now: datetime) -> str | None:
    """What was written before the week that is shown, and after we last read all of it."""
    shown_from = _seconds(now - _SHOWN)
    if place.whole is None or place.whole >= shown_from:
        return None
    since, until = (datetime.fromtimestamp(at, UTC) for at in (place.whole, shown_from))
    return (
        f"the interface shows a week only: reviews from {since:%Y-%m-%d %H:%M} to "
        f"{until:%Y-%m-%d %H:%M} passed unseen: listen at least daily"
    )


def _entries(body: str) -> list[Any]:
    """The reviews in an answer of the store's page, which the client could read."""
    rows = msgspec.json.decode(body[body.index("[") :])
    payload = next(row[2] for row in rows if row[:2] == _RPC)
    return (msgspec.json.decode(payload)[0] or []) if payload else []


def _mention(review: Any, watch: Watch, now: datetime) -> Mention:
    """Of an object (official) or of a list by position (public)."""
    fields = _public_fields(review) if isinstance(review, list) else _official_fields(review)
    rating = fields.pop("rating")
    if isinstance(rating, bool) or rating not in range(1, 6):
        raise ValueError(f"{str(rating)[:20]!r} is not a number of stars")
    link = f"https://play.google.com/store/apps/details?id={watch.app}"
    return Mention(
        source=GooglePlay.name,
        kind="review",
        url=f"{link}&reviewId={fields['native_id']}",
        collected_at=now,
        listener=f"{GooglePlay.name}/{GooglePlay.version}",
        container=watch.app,
        rating=rating,
        rating_max=5,
        raw=review,
        **fields,
    )


def _official_fields(review: Any) -> dict[str, Any]:
    comments = {kind: said for comment in review["comments"] for kind, said in comment.items()}
    said, reply = comments["userComment"], comments.get("developerComment")
    # Reviews of long ago have a title before a tab.
    *title, text = said.get("text", "").split("\t", 1)
    return {
        "native_id": review["reviewId"],
        "title": (title or [""])[0] or None,
        "text": text.strip(),
        "lang": said.get("reviewerLanguage"),
        "created_at": _stamp(said["lastModified"]),
        "author": Author(name=review.get("authorName") or None),
        "engagement": Engagement(likes=said.get("thumbsUpCount")),
        "rating": said["starRating"],
        "owner_reply": OwnerReply(text=reply["text"], at=_stamp(reply["lastModified"]))
        if reply
        else None,
    }


def _public_fields(review: list[Any]) -> dict[str, Any]:
    reply = review[7]
    return {
        "native_id": review[0],
        "text": review[4] or "",
        "created_at": _instant(*review[5][:2]),
        "author": Author(name=review[1][0] or None),
        "engagement": Engagement(likes=review[6]),
        "rating": review[2],
        "owner_reply": OwnerReply(text=reply[1], at=_instant(*reply[2][:2])) if reply else None,
        "flags": ("scraped",),
    }


def _stamp(value: Any) -> datetime:
    return _instant(int(value["seconds"]), int(value.get("nanos", 0)))


def _instant(seconds: int, nanos: int | None = 0) -> datetime:
    return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=(nanos or 0) // 1000)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
