"""Everything about triage that an operator can set, as plain values that fit a TOML table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Literal, get_args

import msgspec

from listeners.mention import Author
from nlp.assessment import CueKind
from nlp.brand import BrandWords
from triage.calendars import Calendar
from triage.departments import DEPARTMENTS, Department
from triage.errors import BadRules
from triage.ticket import Tier

TIERS: tuple[Tier, ...] = get_args(Tier)


class Weights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The most points that each part of the priority can give; see `triage.priority`.

    Certainty alone may outweigh any one thing that is at stake: a list that begins with what is
    no complaint is not read for long. Severity is small because models tell its levels badly.
    """

    certainty: float = 60
    severity: float = 4
    safety: float = 40
    fraud: float = 20
    legal: float = 20
    regulator: float = 20
    vulnerable: float = 8
    churn: float = 15
    outage: float = 15
    refund: float = 6
    reach: float = 12
    virality: float = 15
    """For reach that is growing: by what is to come within six hours if it goes on."""
    value: float = 10
    """For a customer whom the operator values, by `Rules.customer_values`."""
    voices: float = 20
    repeat_contact: float = 8
    waiting: float = 6
    answered: float = 10
    """Taken off when the brand has the last word."""
    community: float = 8
    """Taken off when another customer has helped."""
    unread: float = 5
    """For a text in a language that no model reads."""


class Cuts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The lowest priority of each tier; below ``p3`` everything is P4."""

    p1: float = 80
    p2: float = 60
    p3: float = 35


class Agent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody works on; empty means everything."""

    departments: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    """BCP 47 codes as tickets have them; a text of no known language goes to everybody."""
    capacity: int = 0
    """Tickets that they may hold at a time; 0 for as many as they like."""


class SpillOver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A full queue that others help with."""

    to: str
    """Department whose agents help."""
    above: int
    """Waiting tickets from which they do."""


Hours = Mapping[str, float]


def _default_hours() -> dict[str, float]:
    return {"P1": 1.0, "P2": 4.0, "P3": 24.0, "P4": 72.0}


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What triage goes by. Values only; call `check` once after filling them.

    An account is written ``source:handle``, ``source@instance:handle`` or ``*:handle``;
    case and a leading ``@`` do not matter, and an author's id serves as well as a handle.
    """

    own_accounts: tuple[str, ...] = ()
    """The brand's own accounts: they open nothing, they answer."""
    brand: BrandWords = BrandWords()
    """The brand's name, and words that tell it from a namesake; the handles are `own_accounts`."""
    customers: Mapping[str, tuple[str, ...]] = {}
    """The operator's certain links: a person's name of our choice to their accounts."""
    customer_values: Mapping[str, float] = {}
    """How much a person of ``customers`` matters, 0 to 1; who is not named is not known."""
    private_sources: tuple[str, ...] = ("email", "telephone", "helpdesk")
    """Sources that verify the sender's address, which is the author's id, handle or url."""
    unlinked_sources: tuple[str, ...] = ("x",)
    """Sources whose terms forbid to match their accounts with other records of a person."""
    departments: tuple[Department, ...] = DEPARTMENTS
    routing: str = ""
    """Folder of what was learnt from agents' corrections; "" to go by the examples alone."""
    praise: str = ""
    """Department that gets praise, as the brand ambassadors; "" to leave praise out."""
    questions: str = ""
    """Department that gets questions, as the community's helpers; "" to leave them out."""
    agents: Mapping[str, Agent] = {}
    """What each agent works on; who is not named gets what they ask for."""
    spill_over: Mapping[str, SpillOver] = {}
    """Departments whose queue, when it is full, is open to another department's agents."""
    pseudonym_key: str | None = None
    """A secret; with it nobody can find a customer's pseudonym by hashing a handle."""

    phone_region: str = "US"
    """ISO 3166 code of the country whose telephone numbers have no country code."""

    thresholds: Mapping[str, float] = {}
    """Complaint probability from which a post of a source opens a case; else the model says."""
    precision: Mapping[str, float] = {}
    """Instead of a threshold: the chance that a post of a source complains, in a stream like the
    source's (`complaint_shares`), from which on it opens a case. Of the posts that do, at least
    this share complains, as far as the model is calibrated."""
    complaint_shares: Mapping[str, float] = {}
    """As ``complaint_share``, of a source: few in a search, most where only who is cross writes."""
    always: tuple[CueKind, ...] = ("safety",)
    """A post with one of these cues opens a case, however calm its words."""
    low_rating: float = 0.4
    """A review at or below this share of its scale opens a case, whatever the words say."""
    unread: Literal["ticket", "leave"] = "ticket"
    """A text in a language that no model reads: sort it by hand, or leave it out."""
    matter_days: float = 14
    """The same customer on the same matter within so many days is one case."""

    community_hours: float = 24
    """So long a case rests after another customer's helpful answer; 0 to go on at once."""

    complaint_share: float = 0.05
    """Of the posts that are collected, how many complain, roughly; of a brand's own mentions
    more than of a search for its name. See `triage.priority.in_stream`."""
    weights: Weights = Weights()
    cuts: Cuts = Cuts()
    sla_hours: Hours = msgspec.field(default_factory=_default_hours)
    """Hours to the first response by tier, from the time of the post."""
    sla_hours_by_source: Mapping[str, Hours] = {}
    """The same for single sources; a tier that is not named here falls back."""
    calendars: Mapping[str, Calendar] = {}
    """Opening hours by name; the clock of the first response runs while a department works."""
    calendar: str = ""
    """The calendar of every department that `calendar_of` does not name; "" never closes."""
    calendar_of: Mapping[str, str] = {}
    """Departments to their calendars."""
    pauses: tuple[Literal["snoozed", "community"], ...] = ("community",)
    """When the clock stands still: put off by an agent, resting after a customer's help."""
    breaching_soon: float = 0.75
    """Share of the time to the first response from which a ticket is breaching soon."""
    lease_minutes: float = 30
    """A claim that is not followed by a contact runs out after so long."""

    wait_days: float = 3
    """So long a ticket waits for the customer's answer before it comes back."""

    @property
    def wait(self) -> timedelta:
        return timedelta(days=self.wait_days)

    @property
    def own_handles(self) -> tuple[str, ...]:
        """Handles of the brand's own accounts, in small letters, on whatever network."""
        return tuple(sorted({_account(account)[2] for account in self.own_accounts}))

    @property
    def matter(self) -> timedelta:
        return timedelta(days=self.matter_days)

    @property
    def lease(self) -> timedelta:
        return timedelta(minutes=self.lease_minutes)

    def share_of(self, source: str) -> float:
        """How many of a source's posts complain, roughly."""
        return self.complaint_shares.get(source, self.complaint_share)

    def check(self) -> Rules:
        """These rules, if they make sense.

        Raises:
            BadRules: naming the first setting that does not, and what to do about it.
        """
        for fault in _faults(self):
            raise BadRules(fault)
        return self


class Accounts:
    """Answers which of the named accounts an author is; built once per run."""

    def __init__(self, rules: Rules) -> None:
        self._own = frozenset(map(_account, rules.own_accounts))
        self._people = {
            _account(account): person
            for person, accounts in sorted(rules.customers.items())
            for account in accounts
        }
        self._handles = {handle for _, _, handle in (*self._own, *self._people)}

    def is_own(self, source: str, instance: str, author: Author) -> bool:
        """Whether the brand itself wrote it."""
        return author.is_owner or any(
            key in self._own for key in self._spellings(source, instance, author)
        )

    def person(self, source: str, instance: str, author: Author) -> str | None:
        """The operator's name for the person behind the account, if there is one."""
        for key in self._spellings(source, instance, author):
            if key in self._people:
                return self._people[key]
        return None

    def _spellings(
        self, source: str, instance: str, author: Author
    ) -> Iterator[tuple[str, str, str]]:
        """What the author may be called in the rules; nothing where their name is not there."""
        for name in (author.handle, author.id):
            if name and (handle := name.casefold().removeprefix("@")) in self._handles:
                yield source.casefold(), instance.casefold(), handle
                yield source.casefold(), "*", handle
                yield "*", "*", handle


def _account(text: str) -> tuple[str, str, str]:
    """(source, instance, handle) of an account as the rules write it; ``*`` is any."""
    place, _, handle = text.casefold().partition(":")
    source, at, instance = place.strip().partition("@")
    return source, instance if at else "*", handle.strip().removeprefix("@")


def _faults(rules: Rules) -> Iterator[str]:
    yield from _account_faults(rules)
    names = [department.name for department in rules.departments]
    for name in names:
        if not name.strip():
            yield "departments: one has no name; give every department a name"
        if names.count(name) > 1:
            yield f"departments: {name!r} is there twice; join the two"
    for key, hours in (("", rules.sla_hours), *rules.sla_hours_by_source.items()):
        setting = f"sla_hours_by_source.{key}" if key else "sla_hours"
        for tier, value in hours.items():
            if tier not in TIERS:
                yield f"{setting}: {tier!r} is no tier; use {', '.join(TIERS)}"
            if value <= 0:
                yield f"{setting}.{tier}: {value:g} hours; give more than 0"
    for tier in TIERS:
        if tier not in rules.sla_hours:
            yield f"sla_hours: {tier} is missing; say how many hours it may wait"
    yield from _lane_faults(rules, names)
    yield from _calendar_faults(rules)
    cuts = rules.cuts
    if not 100 >= cuts.p1 > cuts.p2 > cuts.p3 > 0:
        yield "cuts: must fall from p1 over p2 to p3, between 100 and 0; put them in that order"
    yield from _number_faults(rules)


def _calendar_faults(rules: Rules) -> Iterator[str]:
    for name, calendar in rules.calendars.items():
        yield from (f"calendars.{name}.{fault}" for fault in calendar.faults())
    used = {"calendar": rules.calendar}
    used |= {f"calendar_of.{lane}": name for lane, name in rules.calendar_of.items()}
    for setting, name in used.items():
        if name and name not in rules.calendars:
            yield f"{setting}: there is no calendar {name!r}; add it to calendars"


def _lane_faults(rules: Rules, names: list[str]) -> Iterator[str]:
    used = {"praise": rules.praise, "questions": rules.questions}
    for agent, entry in rules.agents.items():
        used |= {f"agents.{agent}.departments": name for name in entry.departments}
        if entry.capacity < 0:
            yield f"agents.{agent}.capacity: {entry.capacity} is negative; give 0 or more"
    for lane, spill in rules.spill_over.items():
        used |= {f"spill_over.{lane}.to": spill.to, f"spill_over ({lane})": lane}
        if spill.above < 0 or spill.to == lane:
            yield f"spill_over.{lane}: give another department; and a limit of 0 or more"
    for setting, name in used.items():
        if name and name not in names:
            yield f"{setting}: there is no department {name!r}; add it to departments"


def _account_faults(rules: Rules) -> Iterator[str]:
    for who in rules.customer_values.keys() - rules.customers.keys():
        yield f"customer_values: {who!r} is not in customers; name their accounts there"
    linked: dict[tuple[str, str, str], str] = {}
    lists = {"own_accounts": rules.own_accounts}
    lists |= {f"customers.{person}": accounts for person, accounts in rules.customers.items()}
    for setting, accounts in lists.items():
        for account in accounts:
            source, _, handle = key = _account(account)
            if not source or not handle:
                yield f"{setting}: {account!r} is no account; write source:handle"
            if source in rules.unlinked_sources and setting != "own_accounts":
                yield (
                    f"{setting}: the terms of {source} forbid to match {account!r} with others; "
                    "take it out, or the network out of unlinked_sources"
                )
            if source == "*" and setting != "own_accounts":
                yield f"{setting}: {account!r} is any network's; name the source"
            if linked.setdefault(key, setting) != setting:
                yield f"{setting}: {account!r} is also in {linked[key]}; keep one of the two"


def _number_faults(rules: Rules) -> Iterator[str]:
    for name, value in msgspec.structs.asdict(rules.weights).items():
        if value < 0:
            yield f"weights.{name}: {value:g} is negative; give 0 or more"
    shares = {f"thresholds.{source}": value for source, value in rules.thresholds.items()}
    shares |= {f"customer_values.{who}": value for who, value in rules.customer_values.items()}
    shares |= {"low_rating": rules.low_rating, "breaching_soon": rules.breaching_soon}
    for name, value in shares.items():
        if not 0 <= value <= 1:
            yield f"{name}: {value:g} is not between 0 and 1"
    of_streams = {f"complaint_shares.{name}": one for name, one in rules.complaint_shares.items()}
    of_streams |= {f"precision.{name}": one for name, one in rules.precision.items()}
    for name, value in ({"complaint_share": rules.complaint_share} | of_streams).items():
        if not 0 < value < 1:
            yield f"{name}: {value:g} is not between 0 and 1"
    for source in sorted(rules.precision.keys() & rules.thresholds.keys()):
        yield f"precision.{source}: it has a threshold, too; keep one of the two"
    if rules.community_hours < 0:
        yield f"community_hours: {rules.community_hours:g} is negative; give 0 or more"
    for name in ("matter_days", "lease_minutes", "wait_days"):
        if getattr(rules, name) <= 0:
            yield f"{name}: {getattr(rules, name):g}; give more than 0"
