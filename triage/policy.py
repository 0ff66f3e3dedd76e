"""Whom the brand may contact when, and how the answer is explained. Pure code.

Asked in this order; the first that forbids is the answer: the person's own wish, the terms of
the network, an earlier contact, the hour where the person is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from triage.errors import BadRules

NO_CONTACT: Mapping[str, str] = {
    "hackernews": "a discussion among readers, where a brand has no business writing to them",
    "rss": "a page that is read through its feed: there is nobody to answer",
    "stackexchange": "questions and answers only: writing to people about anything else is barred",
    "telegram": "read without an account: there is no way to answer",
}
"""Networks where nobody is contacted, with the reason; the operator's settings come on top."""


class ContactPolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The operator's ``[contact]``."""

    quiet_from: str = "21:00"
    quiet_until: str = "08:00"
    """Nobody is contacted between the two, by the clock of where the customer is."""
    zone: str = "UTC"
    """Time zone of customers of whom nothing else is known."""
    zones: Mapping[str, str] = {}
    """Time zone by source, for networks of one country."""
    rest_hours: float = 24
    """At most one contact per customer within so many hours, whatever it is about."""
    forbidden: Mapping[str, str] = {}
    """Sources whose customers are not contacted, with the reason that lists show."""
    allowed: tuple[str, ...] = ()
    """Sources that are forbidden by default and that you have agreed with."""

    def check(self) -> ContactPolicy:
        """This policy, if it makes sense.

        Raises:
            BadRules: naming the first setting that does not.
        """
        for fault in self._faults():
            raise BadRules(f"contact.{fault}")
        return self

    def _faults(self) -> Iterator[str]:
        for name in ("quiet_from", "quiet_until"):
            try:
                datetime.strptime(getattr(self, name), "%H:%M")
            except ValueError:
                yield f"{name}: {getattr(self, name)!r} is no time; write it like 21:00"
        for zone in (self.zone, *self.zones.values()):
            try:
                ZoneInfo(zone)
            except (KeyError, ValueError, OSError):
                yield f"zones: there is no time zone {zone!r}; write it like Africa/Johannesburg"
        if self.rest_hours < 0:
            yield f"rest_hours: {self.rest_hours:g} is negative; give 0 or more"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer depends on."""

    customer: str
    source: str
    opted_out: str | None = None
    """The reason, if they do not want to be contacted."""
    zone: str | None = None
    contacts: Sequence[datetime] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Whether somebody may be contacted, in words."""

    allowed: bool
    why: str = ""
    """Why not; empty when allowed."""
    after: datetime | None = None
    """When it will be allowed, if only the time is wrong."""


def verdict(person: Person, policy: ContactPolicy, now: datetime) -> Verdict:
    """May this person be contacted at ``now``?"""
    if not person.customer:
        return Verdict(allowed=False, why="nobody knows who it is")
    if person.opted_out is not None:
        return Verdict(allowed=False, why=f"does not want contact: {person.opted_out}")
    terms = forbidden(person.source, policy)
    if terms is not None:
        return Verdict(allowed=False, why=f"no contact on {person.source}: {terms}")
    rest = timedelta(hours=policy.rest_hours)
    last = max((at for at in person.contacts if at <= now), default=None)
    if last is not None and now - last < rest:
        words = f"was contacted {last:%Y-%m-%d %H:%M} UTC, at most once in {policy.rest_hours:g} h"
        return Verdict(allowed=False, why=words, after=last + rest)
    return _by_the_clock(person, policy, now)


def forbidden(source: str, policy: ContactPolicy) -> str | None:
    """Why nobody is contacted on a network; None if they may be."""
    if source in policy.forbidden:
        return policy.forbidden[source]
    return None if source in policy.allowed else NO_CONTACT.get(source)


def _by_the_clock(person: Person, policy: ContactPolicy, now: datetime) -> Verdict:
    name = person.zone or policy.zones.get(person.source, policy.zone)
    local = now.astimezone(ZoneInfo(name))
    start, end = _minutes(policy.quiet_from), _minutes(policy.quiet_until)
    at = local.hour * 60 + local.minute
    quiet = start <= at < end if start <= end else at >= start or at < end
    if not quiet or start == end:
        return Verdict(allowed=True)
    morning = local.replace(hour=end // 60, minute=end % 60, second=0, microsecond=0)
    if morning <= local:
        # By the calendar, so that a night on which the clock changes is as long as it is.
        morning = morning.replace(tzinfo=None) + timedelta(days=1)
        morning = morning.replace(tzinfo=ZoneInfo(name))
    return Verdict(
        allowed=False,
        why=f"it is {local:%H:%M} in {name}: quiet until {policy.quiet_until}",
        after=morning.astimezone(now.tzinfo),
    )


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)
