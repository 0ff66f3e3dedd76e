"""What a listener promises, and what it is given.

A listener is a function of (target, state, budget) that yields pages. It never writes:
`listeners.run.collect` stores each page's items, then its rejects, then its state, in
that order, before it asks for the next page. So a listener may be stopped between any
two pages and goes on from the state of the last page that was stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import msgspec

from listeners.mention import Deletion, Mention

State = Mapping[str, Any]
"""A JSON object that belongs to the listener. The one passed in is read-only."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One query, feed, app, server or file: what one state and one ledger row are about."""

    source: str
    """The listener's name in the registry."""
    key: str
    """Unique within the source; names files, so letters, digits, ``.``, ``_`` and ``-``."""
    params: dict[str, Any] = {}
    """Settings of the target, as the operator wrote them."""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How much one run may take from one target."""

    max_pages: int
    now: datetime
    """The run's time (aware, UTC): what ``collected_at`` says and clamps go by."""
    deadline: datetime | None = None
    """Wall-clock time after which no further page is asked for."""


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """An item that could not be understood, kept with its payload so that it can be replayed."""

    source: str
    target: str
    stage: Literal["decode", "map", "score", "store"]
    error: str
    """One line that says what is wrong with the item."""
    raw: Any
    at: datetime
    where: str | None = None
    """Where to look: ``line 17``, an entry's id, a page's address."""
    listener: str = ""

    @property
    def id(self) -> str:
        """32 hex digits; the same item rejected twice for the same reason is one reject."""
        payload = msgspec.json.encode(
            [self.source, self.target, self.stage, self.error, self.where, self.raw],
            order="deterministic",
        )
        return hashlib.sha256(payload).hexdigest()[:32]


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a walk: what it found, and where the next step starts."""

    items: Sequence[Mention | Deletion] = ()
    state: State
    """What to remember once items and rejects are durable."""
    rejects: Sequence[Reject] = ()
    done: bool = False
    """The walk reached its end: nothing older (or newer) is left to ask for now."""
    raw_count: int = 0
    """Items that the source sent, understood or not, less those left out on purpose."""
    quota_left: int | None = None
    gap: str | None = None
    """A hole that is known to exist, in words for the operator."""


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of a source, whoever the target."""

    order: Literal["newest_first", "oldest_first", "window", "file"]
    has_edits: bool = False
    has_deletes: bool = False
    official: bool = True
    """Built on an interface that the network offers for this purpose."""
    needs: tuple[str, ...] = ()
    """Names of the secrets that a target needs, as environment variables."""
    extra: str | None = None
    """The extra to install, as in ``outcry-triage[sources]``."""
    rate_family: str = "default"
    """Targets of one family share one credential or address and so one pool."""
    strict_pages: bool = True
    """A page of which too much is rejected stops the run with `SchemaChanged`. Not so for
    files, where bad rows are the sender's and the good ones go through."""
    silent_empty: bool = False
    """An empty answer may mean "blocked": silence alone proves nothing."""


@runtime_checkable
class Listener(Protocol):
    """One network. Instances hold no state between calls of `collect`."""

    name: ClassVar[str]
    version: ClassVar[str]
    traits: ClassVar[Traits]

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Walk the target from where ``state`` says, page by page.

        ``state`` is None on the first run. At least one page is yielded unless an error
        is raised. Pages already yielded stay stored when an error follows. The caller
        keeps to the budget: it stops asking, so a listener may walk on until it is done.

        Raises:
            ListenerError: see `listeners.errors`.
        """
        ...


@runtime_checkable
class Checks(Protocol):
    """A listener that can tell whether a target's settings are usable, without its network."""

    def check(self, target: Target) -> None:
        """Return if they are.

        Raises:
            BadTarget: if they are not; says what to correct.
        """
        ...


@runtime_checkable
class Replays(Protocol):
    """A listener that can map a rejected payload again, after a fix."""

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The record of ``reject.raw``.

        Raises:
            ValueError: if it still cannot be understood; the message is the new reason.
        """
        ...
