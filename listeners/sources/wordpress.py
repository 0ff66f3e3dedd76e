"""WordPress: the comments of a site, by its REST interface.

``GET /wp-json/wp/v2/comments`` lists in ascending order, so a walk goes forward in time and
may stop anywhere. It goes by position below a fixed ``after``, because ``after`` is compared
in the site's own time, which repeats an hour each autumn, and comments share a second. A
removed comment moves all later ones up: so each page begins within the one before, and
where it does not hold the last comment of that one, the walk steps back. Comments that a
moderator releases late carry their old date: each run starts ``overlap_hours`` before the
newest one known.

Source: WordPress 6, ``class-wp-rest-comments-controller.php`` and ``class-wp-date-query.php``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from listeners.contract import Budget, Page, Reject, State, Target, Traits
from listeners.errors import AuthFailed, SchemaChanged, TargetGone
from listeners.http import Fetcher
from listeners.mapping import map_again, map_items
from listeners.mention import Author, Deletion, Mention
from listeners.targets import settings, wrong
from listeners.text import plain_text
from listeners.times import parse_time

_PER_PAGE = 100


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    site: str
    """The site's address, as ``https://shop.example/blog``."""
    history_days: float = 30
    overlap_hours: float = 72
    owners: tuple[str, ...] = ()
    """Names of the brand's own users; a guest who takes such a name is still a guest."""

    @property
    def instance(self) -> str:
        """Host and path: ids are unique there."""
        parts = urlsplit(self.site)
        return f"{parts.hostname or ''}{parts.path.rstrip('/')}".lower()

    @property
    def base(self) -> str:
        """The address without a slash at its end."""
        return self.site.rstrip("/")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The state."""

    newest: datetime | None = None
    """Everything up to here was shown to us."""
    after: datetime | None = None
    """Where the open walk began; None between walks."""
    position: int = 0
    """How many comments it has passed."""
    last: str | None = None
    """The id of the last of them."""


class WordPress:
    """All comments of one site that it shows to everybody."""

    name: ClassVar[str] = "wordpress"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(order="oldest_first", has_edits=True, silent_empty=True)

    def __init__(self, fetcher: Fetcher | None = None, *, per_page: int = _PER_PAGE) -> None:
        self._fetcher = fetcher or Fetcher()
        self._per_page = per_page
        self._overlap = max(1, per_page // 10)

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _site(target)

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of up to a hundred comments, oldest first.

        Raises:
            TargetGone: if the site has no such interface.
            AuthFailed: if it hides its comments there.
            SchemaChanged: if it answers with something else than a list.
            ListenerError: what `Fetcher.json` raises.
        """
        site = _site(target)
        place = msgspec.convert(state or {}, Place)
        while True:
            after = place.after or _start(place, site, budget.now)
            offset = max(0, place.position - self._overlap)
            comments, total = self._page(site, after, offset, budget)
            items, rejects = map_items(
                comments,
                lambda comment: self._map(comment, site, budget.now),
                listener=self,
                target=target,
                at=budget.now,
            )
            times = [m.created_at for m in items if isinstance(m, Mention)]
            known = [at for at in (place.newest, *times) if at is not None and at <= budget.now]
            newest = max(known, default=None)
            ids = [key for comment in comments if (key := _id(comment)) is not None]
            reached = offset + self._per_page
            more = reached < total
            if place.last is not None and place.last not in ids:
                # Comments before here are gone, and others have moved past us.
                back = max(0, place.position - self._per_page)
                place, more = Place(newest=newest, after=after, position=back), True
            elif more:
                last = ids[-1] if ids else None
                place = Place(newest=newest, after=after, position=reached, last=last)
            else:
                place = Place(newest=newest or budget.now - timedelta(hours=site.overlap_hours))
            yield Page(
                items=items,
                rejects=rejects,
                state=msgspec.to_builtins(place),
                raw_count=len(comments),
                done=not more,
            )
            if not more:
                return

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected comment.

        Raises:
            ValueError: if it still cannot be understood.
        """
        return map_again(reject.raw, lambda raw: self._map(raw, _site(target), now))

    def _page(
        self, site: Site, after: datetime, offset: int, budget: Budget
    ) -> tuple[list[Any], int]:
        """The comments from a position on, and how many there are in all."""
        query = {
            "after": after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "order": "asc",
            "orderby": "date_gmt",
            "per_page": self._per_page,
            "offset": offset,
        }
        url = f"{site.base}/wp-json/wp/v2/comments"
        instead = f"follow {site.base}/comments/feed/ with the source rss"
        try:
            answer = self._fetcher.json(url, params=query, budget=budget)
        except TargetGone as error:
            raise TargetGone(f"{site.base} has no REST interface: {instead}") from error
        except AuthFailed as error:
            raise AuthFailed(f"{site.base} hides its comments there: {instead}") from error
        if not isinstance(answer.value, list):
            raise SchemaChanged(f"{url} sent no list of comments: open it in a browser")
        # A page may be short, even empty, with others behind it: what we may not read is left out.
        total = answer.headers.get("x-wp-total", "")
        if not total.isdecimal():
            raise SchemaChanged(f"{url} does not say how many comments there are: {instead}")
        return answer.value, int(total)

    def _map(self, comment: Mapping[str, Any], site: Site, now: datetime) -> Mention:
        text = plain_text(comment["content"]["rendered"])
        if not text:
            raise ValueError("it has no text")
        user = comment.get("author") or None
        name = comment.get("author_name") or None
        post = f"post-{int(comment['post'])}"
        owners = {owner.casefold() for owner in site.owners}
        return Mention(
            source=self.name,
            instance=site.instance,
            native_id=str(int(comment["id"])),
            kind="comment",
            text=text,
            url=comment.get("link"),
            created_at=parse_time(comment["date_gmt"], UTC)[0],
            collected_at=now,
            listener=f"{self.name}/{self.version}",
            author=Author(
                id=None if user is None else str(user),
                name=name,
                url=comment.get("author_url") or None,
                is_owner=user is not None and (name or "").casefold() in owners,
            ),
            container=post,
            parent_id=str(comment["parent"]) if comment.get("parent") else post,
            root_id=post,
            raw=comment,
        )


def _site(target: Target) -> Site:
    site = settings(target, Site)
    if urlsplit(site.site).scheme not in ("http", "https") or not site.instance:
        raise wrong(
            target, f"site {site.site!r} is not an address of the web: give http:// or https://"
        )
    return site


def _start(place: Place, site: Site, now: datetime) -> datetime:
    if place.newest is None:
        return now - timedelta(days=site.history_days)
    return place.newest - timedelta(hours=site.overlap_hours)


def _id(comment: Any) -> str | None:
    return str(comment["id"]) if isinstance(comment, dict) and "id" in comment else None
