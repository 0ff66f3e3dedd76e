"""What a listener promises, and what it is given.

A listener is a function of (target, state, budget) that yields pages. It never writes:
`listeners.run.collect` stores each page's items, then its rejects, then its state, in
that order, before it asks for the next page. So a listener may be stopped between any
two pages and goes on from the state of the last page that was stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import msgspec

from listeners.mention import Deletion, Mention
from listeners.reach import Reach

State = Mapping[str, Any]
"""A JSON object that belongs to the listener. The one passed in is read-only."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One query, feed, app, server or file: what one state and one ledger row are about."""

    source: str
    """The listener's name in the registry."""
    key: str
    """Unique within the source; names files, so letters, digits, ``.``, ``_`` and ``-``."""
    params: dict[str, Any] = {}
    """Settings of the target, as the operator wrote them, and its secrets."""
    credential: str = ""
    """Which of the source's credentials it uses, where an operator has several."""

    def __repr__(self) -> str:
        """Names only: a value may be a secret."""
        names = ", ".join(sorted(self.params))
        return f"Target({self.source}/{self.key}, params: {names or 'none'})"

    def __rich_repr__(self) -> Iterator[str]:  # type: ignore[override]
        """The same where tables and tracebacks are printed in colour."""
        yield repr(self)


class Allowance(Protocol):
    """What is left to a credential, counted over all its targets and all processes."""

    def take(self, amount: float, what: str) -> None:
        """Count ``amount`` as used, before it is used.

        Raises:
            RateLimited: if there is not that much left; nothing is counted then.
            ValueError: if ``amount`` is negative.
        """
        ...

    def correct(self, by: float, what: str) -> None:
        """Count ``by`` more as used, or less if it is negative, after the fact; never refuses."""
        ...

    def left(self, what: str) -> float | None:
        """How much is left now, or None where there is no limit."""
        ...

    def block(self, until: datetime) -> None:
        """Let nobody take anything before ``until``: the network has said so."""
        ...


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How much one run may take from one target, and where it may connect to."""

    max_pages: int
    now: datetime
    """The run's time (aware, UTC): what ``collected_at`` says and clamps go by."""
    deadline: datetime | None = None
    """Wall-clock time after which no further page is asked for."""
    reach: Reach = Reach()
    """For every connection to an address that an operator or a network names."""
    allowance: Allowance | None = None

    def take(self, amount: float = 1, what: str = "calls") -> None:
        """Count a use of the credential, just before it. `Fetcher.json` does so by itself.

        Raises:
            RateLimited: if the credential's allowance is used up; says until when.
            ValueError: if ``amount`` is negative; what was not used is put back by `correct`.
        """
        if self.allowance is not None:
            self.allowance.take(amount, what)

    def correct(self, by: float, what: str) -> None:
        """Count ``by`` more as used, or less if it is negative, once the price is known."""
        if self.allowance is not None:
            self.allowance.correct(by, what)

    def block(self, until: datetime) -> None:
        """Let no target of the credential ask before ``until``: the network has said so."""
        if self.allowance is not None:
            self.allowance.block(until)

    def left(self, what: str = "calls") -> float | None:
        """What is left of the credential's allowance, or None where it has no limit."""
        return None if self.allowance is None else self.allowance.left(what)


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
    stored: Mapping[str, str] = {}
    """Content hash by uid of items that are known to be stored, so that another is a change."""
    done: bool = False
    """The walk reached its end: nothing older (or newer) is left to ask for now."""
    caught_up: bool = False
    """Nothing new is left, though some that is known is yet to be read again: a run that is
    cut short here has heard all there is."""
    raw_count: int = 0
    """Items that the source sent, understood or not, less those left out on purpose."""
    quota_left: int | None = None
    gap: str | None = None
    """A hole that is known to exist, in words for the operator."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """An allowance: so much of something in a time.

    Over seconds it refills steadily. A day or a month begins anew at midnight in ``zone``.
    """

    amount: float
    per: float | Literal["day", "month"]
    """Seconds, or a part of the calendar."""
    what: str = "calls"
    zone: str = "UTC"


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """What is true of a source, whoever the target."""

    order: Literal["newest_first", "oldest_first", "window", "file"]
    has_edits: bool = False
    has_deletes: bool = False
    official: bool = True
    """Built on an interface that the network offers for this purpose."""
    rates: tuple[Rate, ...] = ()
    """What the network grants a credential; an operator's settings may say otherwise."""
    rate_by: tuple[str, ...] = ()
    """Parameters that tell allowances apart: each server, say, grants its own."""
    rate_family: str = "default"
    """Targets of one family share one credential or address and so one pool."""
    strict_pages: bool = True
    """A page of which too much is rejected stops the run with `SchemaChanged`. Not so for
    files, where bad rows are the sender's and the good ones go through."""
    priced: str | None = None
    """What its calls cost: nothing is asked before the settings cap that."""
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
class Identifies(Protocol):
    """A listener whose network says, without a price, who a credential is and what it may do."""

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do, in a few words, by a call that changes nothing.

        Empty, without a call, where the target's settings make no use of it.

        It is the network's own call for this where there is one, else the least that listening
        asks. What it costs is counted by the budget's allowance, as any call. Never shows a
        secret.

        Raises:
            AuthFailed: if the credential is refused.
            RateLimited, Transient: if nobody can tell now.
            ListenerError: as `Listener.collect`.
        """
        ...


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A stored mention, as far as looking at it again needs it."""

    native_id: str
    instance: str
    created_at: datetime
    parent_id: str | None = None
    ref: str | None = None
    """The ``id`` in the source's payload, for networks whose own differs by server."""


@runtime_checkable
class Rechecks(Protocol):
    """A listener that can ask what became of single items: `listeners.recheck`."""

    recheck_batch: ClassVar[int]
    """How many items go into one request."""
    recheck_age: ClassVar[timedelta]
    """How old a mention may be to be looked at again."""

    def recheck(
        self, batch: Sequence[Known], target: Target, budget: Budget
    ) -> Iterable[Mention | Deletion]:
        """A `Deletion` for each item that is gone, and the others as they are now.

        An item that is left out is taken to be there, unchanged. One call is one page.

        Raises:
            ListenerError: as `Listener.collect`.
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
