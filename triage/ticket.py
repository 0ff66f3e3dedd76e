"""The ticket: one case, one customer, one problem, however many posts.

A ticket has two halves. What is *derived* (priority, voices, deadline, ...) is a pure
function of the mentions of its case and may be computed again at any time. What was
*decided* (`Handling`) belongs to the people who work on it and is never overwritten by
a replay.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Literal

import msgspec

Status = Literal["new", "claimed", "contacted", "waiting", "resolved", "dismissed", "reopened"]
Tier = Literal["P1", "P2", "P3", "P4"]
EventKind = Literal[
    "opened",
    "reopened",
    "claimed",
    "released",
    "transferred",
    "snoozed",
    "woken",
    "contacted",
    "waiting",
    "resolved",
    "dismissed",
    "noted",
    "split",
    "merged",
    "routed",
]

OPEN: tuple[Status, ...] = ("new", "claimed", "contacted", "waiting", "reopened")
WAITING: tuple[Status, ...] = ("new", "claimed", "waiting", "reopened")
"""Somebody has to reach out, now or when `Ticket.free_from` has come: what the queue shows."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One reason for the priority, with the words that an agent reads."""

    name: str
    points: float
    words: str


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """Why a mention belongs to this case."""

    uid: str
    reason: str


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A time in which an agent had put the ticket off."""

    start: datetime
    end: datetime


class Handling(msgspec.Struct, frozen=True, kw_only=True):
    """What people decided about a ticket."""

    status: Status = "new"
    agent: str | None = None
    lease_until: datetime | None = None
    """A claim that is not followed by a contact runs out at this time."""
    claimed_at: datetime | None = None
    contacted_at: datetime | None = None
    snoozed_until: datetime | None = None
    """Out of the queue until then: put off by an agent, or waiting for the customer's answer."""
    pauses: tuple[Pause, ...] = ()
    """When it was put off; a clock may stand still meanwhile."""
    closed_at: datetime | None = None
    reopened_at: datetime | None = None
    department: str | None = None
    """Where an agent has sent it; "" for the lane that is sorted by hand, None: as routed."""
    outcome: str | None = None
    note: str | None = None


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """One case. Times are aware and UTC; ``None`` means not known, never zero."""

    ticket: str
    """See `make_ticket_id`."""
    handling: Handling = Handling()

    priority: int
    """0 to 100: the rounded, clamped sum of ``parts``."""
    tier: Tier
    parts: tuple[Part, ...]
    department: str | None
    """None: the router abstained, people sort it by hand."""
    department_probability: float | None = None
    opened_at: datetime
    """Time of the first post that makes this a case: the SLA clock starts here."""
    last_at: datetime
    """Time of the customer's newest post."""
    sla_due: datetime
    answered_at: datetime | None = None
    """First public answer by the brand after ``opened_at``."""
    refresh_at: datetime | None = None
    """When a part that depends on the time changes next; None when none will."""

    source: str
    instance: str = ""
    link: str | None = None
    excerpt: str
    """The post that makes the case, personal data masked, shortened."""
    language: str
    customer: str
    """Pseudonym of the author; the vault knows the name."""
    container: str | None = None
    matched: tuple[str, ...] = ()
    threads: tuple[str, ...]
    """Sorted thread keys: what makes it one case."""
    mentions: tuple[Fold, ...]
    """The mentions of the case with the reason of each, oldest first, at most 500."""
    posts: int
    """Customers' posts in the case, reposts not counted."""
    voices: int
    """Different people who said it: customers and reposters."""
    reach: int | None = None
    """People who may have seen it, as far as the sources say."""
    gained: int | None = None
    """Of the reach, how much the last hour has brought."""
    complaint_probability: float | None = None
    sentiment: str | None = None
    severity: int | None = None
    cues: tuple[str, ...] = ()
    incident: str | None = None
    """The incident it is a part of: kept by a replay, see `triage.incidents`."""
    community_at: datetime | None = None
    """When another customer helped, if the author has not complained since."""
    rest_until: datetime | None = None
    """The queue leaves it out until then, because the community has answered."""

    @property
    def status(self) -> Status:
        return self.handling.status

    @property
    def free_from(self) -> datetime | None:
        """When the queue hands it out again; None for at once.

        A claim's lease, an agent's putting off and the community's answer keep it back.
        """
        handling = self.handling
        rest = self.rest_until if handling.status in ("new", "reopened") else None
        times = (handling.lease_until, handling.snoozed_until, rest)
        return max((at for at in times if at is not None), default=None)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the append-only history; ``id`` is the same when the same thing is replayed."""

    id: str
    ticket: str
    kind: EventKind
    at: datetime
    by: str
    """An agent's name, or ``triage``."""
    words: str = ""


def make_ticket_id(thread: str) -> str:
    """``T-`` and 12 characters of base 32: a digest of the thread that opened the case.

    A replay finds the same ticket again; 60 bits keep a million tickets apart.
    """
    digest = hashlib.sha256(f"case\x1f{thread}".encode()).digest()
    return "T-" + base64.b32encode(digest)[:12].decode().lower()


def make_event_id(ticket: str, kind: EventKind, key: str) -> str:
    """32 hex digits; ``key`` is what makes the event that one (a mention's uid, a time)."""
    return hashlib.sha256(f"{ticket}\x1f{kind}\x1f{key}".encode()).hexdigest()[:32]
