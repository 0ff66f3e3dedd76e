"""YouTube: the comments under chosen videos, a channel's, or those that a search finds.

Comments come thread by thread, the newest thread first; a new reply does not lift an old
thread. So for two weeks its number of replies is asked for a few times a day, and a thread
with more of them than before is read to its end. Edits and deletions show when comments are
asked for again by their ids. Searches are scarce (a hundred a day for all targets), comments
are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

import msgspec

from listeners.contract import Budget, Known, Page, Rate, Reject, State, Target, Traits
from listeners.http import Fetcher
from listeners.mapping import map_again, map_items
from listeners.mention import Author, Deletion, Engagement, Mention
from listeners.sources.youtube.feeds import Place, Run
from listeners.sources.youtube.interface import BATCH, ZONE, Interface
from listeners.targets import settings, wrong
from listeners.text import plain_text
from listeners.times import parse_time

_Video = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{11}$")]
_Channel = Annotated[str, msgspec.Meta(pattern=r"^UC[A-Za-z0-9_-]{22}$")]


class Watch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params: one of videos, channel and query."""

    videos: tuple[_Video, ...] = ()
    channel: _Channel | None = None
    """All comments under the videos of a channel."""
    query: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    """The comments under the newest videos that match."""
    max_videos: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    """Of a query; each costs one unit every run."""
    video_days: Annotated[int, msgspec.Meta(ge=1)] = 30
    search_hours: Annotated[int, msgspec.Meta(ge=1)] = 6
    owners: tuple[str, ...] = ()
    """The brand's own channels, by id or handle."""
    api_key: str | None = None


class YouTube:
    """The comments of one list of videos, one channel, or one search."""

    name: ClassVar[str] = "youtube"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="newest_first",
        has_edits=True,
        has_deletes=True,
        rates=(
            Rate(amount=10_000, per="day", zone=ZONE),
            Rate(amount=100, per="day", what="searches", zone=ZONE),
        ),
        rate_family="youtube",
    )
    recheck_batch: ClassVar[int] = BATCH
    recheck_age: ClassVar[timedelta] = timedelta(days=14)

    def __init__(
        self, fetcher: Fetcher | None = None, *, address: str = "https://www.googleapis.com"
    ) -> None:
        self._fetcher = fetcher or Fetcher()
        self._address = address

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _watch(target)

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do; see `listeners.contract.Identifies`."""
        interface = Interface(self._fetcher, self._address, _watch(target).api_key, budget)
        interface.languages()
        left = budget.left()
        return f"the key may read public data{'' if left is None else f'; {left:.0f} units left'}"

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of comments; then of what was answered, edited or deleted since.

        A video without comments to read is a gap; a target that consists of it is gone.

        Raises:
            QuotaExhausted: until midnight in California.
            AuthFailed: if the key is refused, or there is none.
            TargetGone: if the one video or the channel is not there.
            ListenerError: what `Fetcher.json` raises.
        """
        watch = _watch(target)
        run = Run(
            self,
            target,
            msgspec.convert(state or {}, Place),
            budget,
            Interface(self._fetcher, self._address, watch.api_key, budget),
            lambda item, video: _mention(item, watch, budget.now, video),
        )
        if watch.query:
            every = timedelta(hours=watch.search_hours)
            age = timedelta(days=watch.video_days)
            yield from run.search(watch.query, every, age, watch.max_videos)
        feeds = [watch.channel] if watch.channel else [*(watch.videos or run.place.found)]
        yield from run.read(feeds, may_be_gone=bool(watch.query) or len(feeds) > 1)
        yield from run.look_again()
        yield from run.read_replies()
        if not run.ended:
            yield run.page(last=True)

    def recheck(
        self, batch: Sequence[Known], target: Target, budget: Budget
    ) -> Iterable[Mention | Deletion]:
        """What became of comments; YouTube leaves out those that are gone.

        Raises:
            ListenerError: as `collect`.
        """
        watch = _watch(target)
        names = [known.native_id for known in batch]
        interface = Interface(self._fetcher, self._address, watch.api_key, budget)
        answer = interface.by_id("comments", names)
        found, _ = map_items(
            answer,
            lambda item: _mention(item, watch, budget.now, None),
            listener=self,
            target=target,
            at=budget.now,
        )
        present = {item.get("id") for item in answer if isinstance(item, dict)}
        gone = (
            Deletion(source=self.name, native_id=name, seen_at=budget.now, reason="gone")
            for name in names
            if name not in present
        )
        return [*found, *gone]

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected comment.

        Raises:
            ValueError: if it still cannot be understood.
        """
        return map_again(reject.raw, lambda raw: _mention(raw, _watch(target), now, None))


def _watch(target: Target) -> Watch:
    watch = settings(target, Watch)
    if [bool(watch.videos), bool(watch.channel), bool(watch.query)].count(True) != 1:
        raise wrong(target, "give one of videos, channel and query")
    return watch


def _mention(resource: Any, watch: Watch, now: datetime, video: str | None) -> Mention:
    """Of a thread or of a comment; ``video`` is where it is, if it does not say so itself."""
    around = resource["snippet"]
    comment = around.get("topLevelComment") or resource
    words = comment["snippet"]
    video = words.get("videoId") or around.get("videoId") or video
    text = words.get("textOriginal")
    name = words.get("authorDisplayName")
    handle = name.removeprefix("@") if name and name.startswith("@") else None
    channel = (words.get("authorChannelId") or {}).get("value")
    created_at, edited_at = (parse_time(words[key])[0] for key in ("publishedAt", "updatedAt"))
    owners = {owner.removeprefix("@").casefold() for owner in watch.owners}
    link = f"https://www.youtube.com/watch?v={video}&lc={comment['id']}"
    return Mention(
        source=YouTube.name,
        native_id=comment["id"],
        kind="comment",
        text=plain_text(words["textDisplay"]) if text is None else text,
        url=link if video else None,
        created_at=created_at,
        edited_at=edited_at if edited_at > created_at else None,
        collected_at=now,
        listener=f"{YouTube.name}/{YouTube.version}",
        author=Author(
            id=channel,
            handle=handle,
            name=name,
            url=words.get("authorChannelUrl"),
            is_owner=(handle or "").casefold() in owners or (channel or "").casefold() in owners,
        ),
        container=words.get("channelId") or around.get("channelId"),
        parent_id=words.get("parentId"),
        root_id=words.get("parentId"),
        engagement=Engagement(likes=words.get("likeCount"), replies=around.get("totalReplyCount")),
        matched=(watch.query,) if watch.query else (),
        raw=resource,
    )
