"""Bluesky: posts that match a search, through the account's own server.

Newest first, by opaque cursors. The search ends near 10,000 posts, so a long walk goes on
with ``until``. Order and mark follow ``indexedAt``, the network's clock; ``createdAt`` is
what the author's program says, and counts no later than that. The index fills late, so a
walk goes a quarter of an hour below what is known.

Posts are read from the JSON one by one: a client that validates whole pages would lose a
page to one post. Signing in is limited to 300 times a day, so a session is kept while the
process lives, in memory only.

Target params: ``query``, ``handle`` (the account that searches) and ``app_password``;
optionally ``lang``, ``owners`` (the brand's own handles or DIDs) and ``service``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Known, Page, Rate, Reject, State, Target, Traits
from listeners.errors import AuthFailed, BadTarget, ListenerError, SchemaChanged
from listeners.http import Fetched, Fetcher
from listeners.mapping import MALFORMED, map_again
from listeners.mention import Author, Deletion, Engagement, Mention
from listeners.targets import settings, web_address, wrong
from listeners.times import parse_time
from listeners.walk import newest_first

_PAGE = 100
_OVERLAP = timedelta(minutes=15)
_CAPPED = 5_000
"""A listing that ends after so many posts was cut off by the search."""
_MOMENT = timedelta(milliseconds=1)
"""``until`` is exclusive, and posts may share a time."""
_ADULT = {"porn", "sexual", "nudity", "graphic-media"}


class Search(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params."""

    query: str
    """As in Bluesky's own search: words, ``"a phrase"``, ``#tag``, ``from:``, ``mentions:``."""
    handle: str
    app_password: str | None = None
    lang: str | None = None
    owners: tuple[str, ...] = ()
    service: str = "https://bsky.social"


class Session(msgspec.Struct, frozen=True):
    """What signing in gave."""

    token: str
    host: str
    """The account's own server."""

    def __repr__(self) -> str:
        return f"Session({self.host})"


_sessions: dict[tuple[str, str, str], Session] = {}
"""By service, handle and password, for all targets of this process."""


class Bluesky:
    """One search."""

    name: ClassVar[str] = "bluesky"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="newest_first",
        has_edits=True,
        has_deletes=True,
        rates=(
            Rate(amount=3_000, per=300),
            Rate(amount=300, per="day", what="sessions"),
        ),
        rate_by=("handle",),
        rate_family="bluesky",
    )

    recheck_batch: ClassVar[int] = 25
    recheck_age: ClassVar[timedelta] = timedelta(days=7)

    def __init__(self, fetcher: Fetcher | None = None, *, capped: int = _CAPPED) -> None:
        self._fetcher = fetcher or Fetcher()
        self._capped = capped

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        _search(target)

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do; see `listeners.contract.Identifies`."""
        account = _Account(self._fetcher, _search(target), budget)
        session = account.ask("com.atproto.server.getSession", {})
        if not isinstance(session, dict):
            raise SchemaChanged("bluesky: the server sent no session: compare with the lexicon")
        if session.get("active") is False:
            raise AuthFailed(f"bluesky: the account is {session.get('status')}: see its settings")
        return f"signed in as {session.get('handle')}, may search"

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield the matching posts, newest first.

        Raises:
            AuthFailed: if there is no password, or handle and password are refused.
            SchemaChanged: if the server sends something else than posts.
            ListenerError: what `Fetcher.json` raises.
        """
        search = _search(target)
        account = _Account(self._fetcher, search, budget)
        yield from newest_first(
            partial(self._page, search, account),
            partial(self._map, search=search, now=budget.now),
            listener=self,
            target=target,
            state=state,
            budget=budget,
            overlap=_OVERLAP,
        )

    def recheck(
        self, batch: Sequence[Known], target: Target, budget: Budget
    ) -> Iterator[Mention | Deletion]:
        """A deletion for each post that is no longer shown; none if not one of several is."""
        account = _Account(self._fetcher, _search(target), budget)
        uris = [known.native_id for known in batch]
        posts = _posts(account.ask("app.bsky.feed.getPosts", {"uris": uris}))
        shown = {post.get("uri") for post in posts if isinstance(post, dict)}
        told = bool(shown) or len(uris) == 1
        for uri in uris:
            if told and uri not in shown:
                yield Deletion(source=self.name, native_id=uri, seen_at=budget.now)

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected post.

        Raises:
            ValueError: if it still cannot be understood.
        """
        return map_again(reject.raw, partial(self._map, search=_search(target), now=now))

    def _page(self, search: Search, account: _Account, cursor: Any) -> tuple[list[Any], Any]:
        here, until, passed, low = cursor or (None, None, 0, None)
        asked = {
            "q": search.query,
            "sort": "latest",
            "lang": search.lang,
            "limit": _PAGE,
            "cursor": here,
            "until": until,
        }
        try:
            answer = account.ask("app.bsky.feed.searchPosts", asked)
        except BadTarget:
            if here is None or low is None:
                raise
            # A cursor of an earlier run that has grown old: go on by time.
            here, until, passed = None, low, 0
            answer = account.ask(
                "app.bsky.feed.searchPosts", {**asked, "cursor": None, "until": low}
            )
        posts = _posts(answer)
        passed += len(posts)
        times = [at for at in map(_indexed, posts) if at is not None]
        low = (min(times) + _MOMENT).isoformat() if times else low
        if following := answer.get("cursor"):
            return posts, [following, until, passed, low]
        if passed < self._capped or low is None:
            return posts, None
        return posts, [None, low, 0, low]

    def _map(self, post: Any, search: Search, now: datetime) -> Mention:
        author = post["author"]
        indexed_at = parse_time(post["indexedAt"])[0]
        labels = {label.get("val") for label in post.get("labels") or ()}
        mention = post_mention(
            post["uri"],
            post["record"],
            indexed_at=indexed_at,
            now=now,
            owners=search.owners,
            handle=author.get("handle"),
        )
        return msgspec.structs.replace(
            mention,
            author=msgspec.structs.replace(
                mention.author, id=author["did"], name=author.get("displayName") or None
            ),
            engagement=Engagement(
                likes=post.get("likeCount"),
                replies=post.get("replyCount"),
                shares=post.get("repostCount"),
            ),
            matched=(search.query,),
            flags=("nsfw",) if labels & _ADULT else (),
            raw=post,
        )


def post_mention(
    uri: str,
    record: Mapping[str, Any],
    *,
    indexed_at: datetime,
    now: datetime,
    owners: tuple[str, ...],
    handle: str | None = None,
) -> Mention:
    """What a record of the network's own post type says, wherever it was read.

    Raises:
        ValueError: if ``uri`` is not a post's, or the record's time cannot be read.
        LookupError: if the record lacks a field.
    """
    did, _, key = uri.removeprefix("at://").partition("/app.bsky.feed.post/")
    if not did.startswith("did:") or not key:
        raise ValueError(f"{uri[:80]!r} is not the address of a post")
    reply = record.get("reply") or {}
    langs = record.get("langs") or [None]
    return Mention(
        source=Bluesky.name,
        native_id=uri,
        text=record["text"].strip(),
        lang=langs[0],
        url=f"https://bsky.app/profile/{did}/post/{key}",
        created_at=min(parse_time(record["createdAt"])[0], indexed_at),
        time_quality="client",
        indexed_at=indexed_at,
        collected_at=now,
        listener=f"{Bluesky.name}/{Bluesky.version}",
        author=Author(
            id=did,
            handle=handle,
            url=f"https://bsky.app/profile/{did}",
            is_owner=bool({did, handle} & {owner.lstrip("@") for owner in owners}),
        ),
        parent_id=(reply.get("parent") or {}).get("uri"),
        root_id=(reply.get("root") or {}).get("uri"),
    )


class _Account:
    """The account that asks, and its session."""

    def __init__(self, fetcher: Fetcher, search: Search, budget: Budget) -> None:
        self._fetcher = fetcher
        self._search = search
        self._budget = budget
        self._key = (search.service, search.handle, search.app_password or "")

    def ask(self, method: str, params: Mapping[str, Any]) -> Any:
        """What a method of the network answers; a session that is over is begun anew."""
        try:
            return self._call(method, params)
        except _Refused:
            _sessions.pop(self._key, None)
            return self._call(method, params)

    def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        if self._key not in _sessions:
            _sessions[self._key] = self._sign_in()
        session = _sessions[self._key]
        return self._fetcher.json(
            f"{session.host}/xrpc/{method}",
            budget=self._budget,
            params=params,
            headers={"authorization": f"Bearer {session.token}"},
            judge=_judge,
        ).value

    def _sign_in(self) -> Session:
        search = self._search
        if not search.app_password:
            raise AuthFailed(f"bluesky: no app password for {search.handle}: make one and set it")
        self._budget.take(1, "sessions")
        try:
            answer = self._fetcher.json(
                f"{search.service}/xrpc/com.atproto.server.createSession",
                budget=self._budget,
                body={"identifier": search.handle, "password": search.app_password},
            ).value
        except AuthFailed as error:
            raise AuthFailed(
                f"bluesky: {search.service} refuses {search.handle}: check its app password"
            ) from error
        try:
            services = (answer.get("didDoc") or {}).get("service") or ()
            own = [one["serviceEndpoint"] for one in services if one["id"] == "#atproto_pds"]
            return Session(answer["accessJwt"], own[0] if own else search.service)
        except MALFORMED as error:
            raise SchemaChanged(
                f"bluesky: {search.service} gave no session: compare with the lexicon"
            ) from error


def _posts(answer: Any) -> list[Any]:
    posts = answer.get("posts") if isinstance(answer, dict) else None
    if not isinstance(posts, list):
        raise SchemaChanged("bluesky: the server sent no posts: compare with the lexicon")
    return posts


class _Refused(AuthFailed):
    """The token will not do; another may."""


def _judge(answer: Fetched) -> ListenerError | None:
    over = b"ExpiredToken" in answer.body or b"InvalidToken" in answer.body
    if answer.status == 401 or (answer.status == 400 and over):
        return _Refused("bluesky: the session is refused: check that the account may search")
    if answer.status != 400:
        return None
    return BadTarget(f"bluesky: the search is refused ({answer.body[:120]!r}): correct the query")


def _search(target: Target) -> Search:
    search = settings(target, Search)
    if not search.query.strip() or not search.handle.strip():
        raise wrong(target, "give a query and the handle that searches")
    return msgspec.structs.replace(search, service=web_address(target, "service", search.service))


def _indexed(post: Any) -> datetime | None:
    try:
        return parse_time(post["indexedAt"])[0]
    except MALFORMED:
        return None
