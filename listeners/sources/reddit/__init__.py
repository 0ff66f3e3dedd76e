"""Reddit: a search for posts, or the newest comments of chosen subreddits.

Reddit searches posts only; comments are read from the listing of the subreddits that the
target names and kept where they hold one of its words. A listing ends after about a
thousand items: what a busy subreddit said between two runs beyond that is a gap. Reddit
tells nobody of a deletion and asks that deleted content be removed: what was heard in the
last days is asked for again by its name.

The client is praw, for signing in and asking; the items are mapped as Reddit sent them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar

import msgspec

from listeners.contract import Budget, Known, Page, Rate, Reject, State, Target, Traits
from listeners.errors import SchemaChanged
from listeners.http import with_retries
from listeners.mapping import map_again, map_items
from listeners.mention import Author, Deletion, Engagement, Mention
from listeners.sources.reddit.client import PAGE, Client, names_of
from listeners.targets import settings, wrong
from listeners.walk import newest_first

_OVERLAP = timedelta(hours=1)
"""Reddit's search fills late."""
_INCREDIBLE = 10
"""That so many posts were deleted is only believed of a look-up that finds others."""
_GONE = {"[deleted]", "[removed]", "[ Removed by Reddit ]"}

_Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]{1,30}$")]


class Watch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    account: _Name
    """The Reddit account that answers for this use; Reddit wants it in every request."""
    query: Annotated[str, msgspec.Meta(min_length=1, max_length=512)] | None = None
    """Reddit's own search language; posts only."""
    subreddits: tuple[_Name, ...] = ()
    """Where to search; without a query, whose comments to read."""
    words: tuple[Annotated[str, msgspec.Meta(min_length=1)], ...] = ()
    """A comment is kept if it holds one of them, in any case; every comment if there are none."""
    owners: tuple[str, ...] = ()
    """The brand's own accounts."""
    client_id: str | None = None
    client_secret: str | None = None

    @property
    def path(self) -> str:
        """The listing to read."""
        place = "+".join(self.subreddits) or "all"
        return f"r/{place}/search" if self.query else f"r/{place}/comments"

    @property
    def params(self) -> dict[str, str]:
        """What to ask of it."""
        if not self.query:
            return {}
        within = {"restrict_sr": "on"} if self.subreddits else {}
        return {"q": self.query, "sort": "new", "t": "all", **within}


class Reddit:
    """One search, or the comments of one list of subreddits."""

    name: ClassVar[str] = "reddit"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="newest_first",
        has_edits=True,
        has_deletes=True,
        rates=(Rate(amount=100, per=60),),
        rate_family="reddit",
        silent_empty=True,
    )
    recheck_batch: ClassVar[int] = PAGE
    recheck_age: ClassVar[timedelta] = timedelta(days=7)

    def __init__(
        self,
        *,
        oauth_url: str = "https://oauth.reddit.com",
        reddit_url: str = "https://www.reddit.com",
        timeout: float = 20.0,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._urls = {"oauth_url": oauth_url, "reddit_url": reddit_url, "short_url": reddit_url}
        self._timeout = timeout
        self._retried = partial(with_retries, sleep=sleep, jitter=jitter)

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _watch(target)

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do; see `listeners.contract.Identifies`."""
        with self._client(_watch(target), budget) as client:
            return self._retried(client.whoami)

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of what the target asks for, newest first.

        Raises:
            AuthFailed: if Reddit refuses the credential, or there is none.
            RateLimited: with the time that Reddit gives.
            TargetGone: if a subreddit is banned, private or does not exist.
            SchemaChanged, Transient, BadTarget: as their classes say.
        """
        watch = _watch(target)
        with self._client(watch, budget) as client:
            for page in newest_first(
                lambda cursor: self._retried(partial(client.listing, cursor)),
                partial(self._map, watch=watch, now=budget.now),
                listener=self,
                target=target,
                state=state,
                budget=budget,
                overlap=_OVERLAP,
            ):
                # Left out only now: what they are not about tells how far down we are, too.
                items = [item for item in page.items if _wanted(item, watch)]
                yield msgspec.structs.replace(
                    page,
                    items=items,
                    raw_count=len(items) + len(page.rejects),
                    quota_left=client.limits.left,
                )

    def recheck(
        self, batch: Sequence[Known], target: Target, budget: Budget
    ) -> Iterable[Mention | Deletion]:
        """What became of posts and comments; Reddit leaves out those that are gone.

        Raises:
            SchemaChanged: if it leaves out all of many, and what is surely there as well.
            ListenerError: as `collect`.
        """
        watch = _watch(target)
        names = [known.native_id for known in batch]
        with self._client(watch, budget) as client:
            things = self._retried(partial(client.info, names))
            missing = sorted(set(names) - set(names_of(things)))
            if len(missing) == len(names) >= _INCREDIBLE and not client.finds_names():
                raise SchemaChanged(
                    f"reddit: all of {len(names)} posts are said to be gone, and others too: "
                    "nothing is deleted, look at some of them"
                )
        found, _ = map_items(
            things,
            partial(self._map, watch=watch, now=budget.now),
            listener=self,
            target=target,
            at=budget.now,
        )
        return [*found, *(self._deletion(name, "gone", budget.now) for name in missing)]

    def _client(self, watch: Watch, budget: Budget) -> Client:
        return Client(
            watch.path,
            watch.params,
            budget,
            account=watch.account,
            client_id=watch.client_id,
            client_secret=watch.client_secret,
            urls=self._urls,
            timeout=self._timeout,
        )

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The record of a rejected post or comment.

        Raises:
            ValueError: if it still cannot be understood.
        """
        watch = _watch(target)

        def wanted(thing: Any) -> Mention | Deletion | None:
            record = self._map(thing, watch, now)
            return record if _wanted(record, watch) else None

        return map_again(reject.raw, wanted, "it is nothing that the target asks for")

    def _map(self, thing: Any, watch: Watch, now: datetime) -> Mention | Deletion:
        name, author = thing["name"], thing["author"]
        is_post = name.startswith("t3_")
        if not is_post and not name.startswith("t1_"):
            raise ValueError(f"{name[:40]!r} is neither a post nor a comment")
        title = thing["title"] if is_post else ""
        text = thing["selftext"] if is_post else thing["body"]
        if text in _GONE or thing.get("removed_by_category"):
            return self._deletion(name, "removed", now)
        if author is None or author in _GONE:
            # Reddit wants whatever names a deleted account forgotten, and nobody is left to help.
            return self._deletion(name, "account deleted", now)
        edited = thing.get("edited")
        return Mention(
            source=self.name,
            native_id=name,
            kind="post" if is_post else "comment",
            title=title if text and is_post else None,
            text=text or title,
            url=f"https://www.reddit.com{thing['permalink']}",
            created_at=_at(thing["created_utc"]),
            edited_at=_at(edited) if edited and edited is not True else None,
            collected_at=now,
            listener=f"{self.name}/{self.version}",
            author=Author(
                id=thing.get("author_fullname"),
                handle=author,
                url=f"https://www.reddit.com/user/{author}",
                is_owner=author.casefold() in {o.casefold() for o in watch.owners},
            ),
            container=thing["subreddit"],
            parent_id=None if is_post else thing["parent_id"],
            root_id=None if is_post else thing["link_id"],
            engagement=Engagement(score=thing.get("score"), replies=thing.get("num_comments")),
            matched=(watch.query,) if watch.query else tuple(_found(text, watch)),
            flags=("nsfw",) if thing.get("over_18") else (),
            raw=thing,
        )

    def _deletion(self, name: str, reason: str, now: datetime) -> Deletion:
        return Deletion(source=self.name, native_id=name, seen_at=now, reason=reason)


def _watch(target: Target) -> Watch:
    watch = settings(target, Watch)
    if not watch.query and not watch.subreddits:
        raise wrong(target, "give a query, or subreddits to read")
    if watch.query and watch.words:
        raise wrong(target, "words are for comments: put them into the query")
    return watch


def _wanted(item: Mention | Deletion, watch: Watch) -> bool:
    """Whether it is what the target asks for; of a thing that is gone, nobody can tell."""
    return not watch.words or (isinstance(item, Mention) and bool(item.matched))


def _found(text: str, watch: Watch) -> Iterator[str]:
    words = text.casefold()
    return (word for word in watch.words if word.casefold() in words)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
