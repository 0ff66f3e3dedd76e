"""A number an agent can argue with: 0 to 100, the sum of named parts, each with its words.

Certainty gives the most points: its weight times the probability. Everything else only counts as
far as somebody complains at all. What hardly anybody but a customer says (an outage, a refund) is
multiplied by the probability, too; what is at stake but is spoken of everywhere (harm, lawyers,
reach, waiting) by the probability in the stream at hand, where most posts are no complaints.
Where somebody may come to harm, at least a sixth of the points count, and the clock is short.

Everything here is pure: facts of a case and a time in, parts out. Points are whole tenths, so
that the parts as printed add up to the priority exactly.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import floor, log2, log10

import msgspec

from triage import sla
from triage.rules import Cuts, Rules
from triage.ticket import Part, Ticket, Tier

CUE_WORDS = {
    "safety": "somebody may come to harm",
    "fraud": "speaks of fraud",
    "legal": "threatens with the law",
    "regulator": "turns to a regulator or the press",
    "vulnerable": "a vulnerable person is affected",
    "churn": "threatens to leave",
    "outage": "reports an outage",
    "refund": "wants money back",
}
"""The cues that count, most pressing first."""

SEVERITY_WORDS = ("no complaint", "no explicit reproach", "disapproval", "accusation", "blame")

REACH_FROM, REACH_TO = 100, 1_000_000
"""People: below the first reach gives nothing, from the second on it gives all its points."""

OF_CUSTOMERS = frozenset({"churn", "outage", "refund", "repeat_contact"})
"""The parts that count as far as the text is a complaint in itself."""

AT_LEAST = {"safety": 1 / 6, "vulnerable": 1 / 6}
"""The share of their points that these have, however uncertain the complaint."""

LEARNT_SHARE = 1 / 3
"""Complaints among the rows that models are calibrated on, roughly."""

VOICES_TO = 16
"""So many people saying it give all the points of ``voices``."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a case and matters to its place in the list."""

    source: str
    language: str
    department: str | None = None
    """Whose opening hours count."""
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    """When the clock has stood still."""
    read: bool
    """Whether a model has read any of the texts that make the case."""
    probability: float | None = None
    rating: str | None = None
    """The lowest rating as words, where one was given and is low."""
    severity: int | None = None
    cues: tuple[str, ...] = ()
    reach: int | None = None
    gained: int = 0
    """Of the reach, how much the last hour has brought."""
    forecast: int = 0
    """What the hours to come would bring: see `triage.virality`."""
    value: float | None = None
    """How much the customer matters to the operator, 0 to 1; None when nobody says."""
    voices: int = 1
    complaints: int = 1
    """Complaints by the case's own customer."""
    threads: int = 1
    start: datetime
    """The clock starts: see `triage.sla.clock_of`."""
    stopped: datetime | None = None
    last_at: datetime
    changes_at: datetime | None = None
    """When the growth has to be looked at again."""
    last_answer_at: datetime | None = None
    """The brand's newest public answer."""
    community: bool = False
    """Another customer has helped."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """The place of a case, and when it has to be computed again."""

    priority: int
    tier: Tier
    parts: tuple[Part, ...]
    sla_due: datetime
    refresh_at: datetime | None


def score(facts: Facts, rules: Rules, now: datetime) -> Score:
    """Priority, tier and clock of a case at ``now``.

    The time to the first response follows from the tier that the case has without waiting:
    waiting moves a case up the list, but never shortens its own deadline.
    """
    sure = _sure(facts, rules)
    parts = [part for part in _parts(facts, rules, sure) if part.points]
    urgency = _raised(tier_of(total(parts), rules.cuts), facts)
    clock = sla.clock(
        rules,
        urgency,
        facts.source,
        facts.department,
        facts.start,
        facts.stopped,
        facts.pauses,
    )
    parts += [part for part in _waiting(clock, rules, now, sure) if part.points]
    priority = total(parts)
    return Score(
        priority=priority,
        tier=_raised(tier_of(priority, rules.cuts), facts),
        parts=tuple(parts),
        sla_due=clock.due,
        refresh_at=min(
            (at for at in (clock.next_step(now), facts.changes_at) if at is not None and at > now),
            default=None,
        ),
    )


def total(parts: Sequence[Part]) -> int:
    """The sum of the points, kept between 0 and 100 and rounded, a half upwards."""
    return min(100, max(0, floor(round(sum(part.points for part in parts), 1) + 0.5)))


def tier_of(priority: int, cuts: Cuts) -> Tier:
    """The tier of a priority."""
    if priority >= cuts.p1:
        return "P1"
    if priority >= cuts.p2:
        return "P2"
    return "P3" if priority >= cuts.p3 else "P4"


def _raised(tier: Tier, facts: Facts) -> Tier:
    """The tier, where somebody may come to harm at least the one that cannot wait."""
    if "safety" not in facts.cues:
        return tier
    likely = facts.probability is None or facts.probability >= 0.5
    return min(tier, "P1" if likely else "P2")


def in_stream(probability: float, share: float) -> float:
    """A calibrated probability where only ``share`` of the posts complain.

    Bayes' rule with complaints and the rest looking as they did (Saerens et al., 2002): most of
    what a model is half sure of is none in a stream with few complaints.
    """
    for_it = probability * share / LEARNT_SHARE
    against = (1 - probability) * (1 - share) / (1 - LEARNT_SHARE)
    return for_it / (for_it + against)


def _sure(facts: Facts, rules: Rules) -> float:
    if facts.probability is not None:
        return in_stream(facts.probability, rules.share_of(facts.source))
    return 1.0 if facts.rating is not None else 0.5


def explain(ticket: Ticket) -> list[str]:
    """The sum, a line a part: points, name and words; it adds up to the priority exactly."""
    lines = [f"{part.points:+6.1f}  {part.name}: {part.words}" for part in ticket.parts]
    raw = round(sum(part.points for part in ticket.parts), 1)
    held = ", kept between 0 and 100" if not 0 <= raw <= 100 else ""
    rounded = ", rounded" if raw != round(raw) and not held else ""
    harm = " (as somebody may come to harm)" if "safety" in ticket.cues else ""
    lines.append(f"{raw:6.1f}  sum{held}{rounded}: priority {ticket.priority}, {ticket.tier}{harm}")
    return lines


def _part(name: str, points: float, words: str) -> Part:
    return Part(name=name, points=round(points, 1), words=words)


def _parts(facts: Facts, rules: Rules, sure: float) -> Iterator[Part]:
    weights = rules.weights
    yield from _certainty(facts, rules)
    told = sure if facts.probability is None else facts.probability
    for name, points, words in _at_stake(facts, rules):
        share = max(told if name in OF_CUSTOMERS else sure, AT_LEAST.get(name, 0.0))
        yield _part(name, points * share, _at(words, share))
    if facts.last_answer_at and facts.last_answer_at > facts.last_at:
        yield _part("answered", -weights.answered, "the brand has answered since")
    if facts.community:
        yield _part("community", -weights.community, "another customer has helped")


def _at(words: str, share: float) -> str:
    return words if share >= 0.995 else f"{words} (counts {share:.0%})"


def _certainty(facts: Facts, rules: Rules) -> Iterator[Part]:
    weights = rules.weights
    if not facts.read:
        words = f"no model reads {facts.language}: somebody has to"
        yield _part("unread", weights.unread, words)
    if facts.probability is not None:
        words = f"a complaint with a probability of {facts.probability:.0%}"
        yield _part("certainty", weights.certainty * facts.probability, words)
    elif facts.rating is not None:
        yield _part("certainty", weights.certainty, f"rated {facts.rating}")
    elif facts.read:
        yield _part("certainty", weights.certainty / 2, "a complaint, nobody says how certainly")


def _at_stake(facts: Facts, rules: Rules) -> Iterator[tuple[str, float, str]]:
    """(name, points if it is certainly a complaint, words)."""
    weights = rules.weights
    if facts.severity:
        level = min(facts.severity, 4)
        yield "severity", weights.severity * level / 4, SEVERITY_WORDS[level]
    for cue, words in CUE_WORDS.items():
        if cue in facts.cues:
            yield cue, getattr(weights, cue), words
    if facts.reach is not None and facts.reach > REACH_FROM:
        words = f"about {facts.reach:,} people may have seen it"
        yield "reach", weights.reach * _share_of(facts.reach), words
    if facts.forecast > REACH_FROM:
        words = (
            f"spreads: {facts.gained:,} more people in the last hour, {facts.forecast:,} to come"
        )
        yield "virality", weights.virality * _share_of(facts.forecast), words
    if facts.value:
        yield "value", weights.value * facts.value, f"valued customer ({facts.value:.0%})"
    if facts.voices > 1:
        share = min(1.0, log2(facts.voices) / log2(VOICES_TO))
        yield "voices", weights.voices * share, f"{facts.voices} people say it"
    if reasons := _repeated(facts):
        yield "repeat_contact", weights.repeat_contact, ", ".join(reasons)


def _share_of(people: int) -> float:
    return min(1.0, log10(people / REACH_FROM) / log10(REACH_TO / REACH_FROM))


def _repeated(facts: Facts) -> list[str]:
    reasons = []
    if facts.threads > 1:
        reasons.append(f"in {facts.threads} places")
    if facts.complaints > 1:
        reasons.append(f"complained {facts.complaints} times")
    if "repeat_contact" in facts.cues:
        reasons.append("says it was reported before")
    return reasons


def _waiting(clock: sla.Clock, rules: Rules, now: datetime, sure: float) -> Iterator[Part]:
    steps = clock.steps(now)
    hours = round(clock.span.total_seconds() / 3600, 2)
    share = "all" if steps >= sla.STEPS else f"{steps} of {sla.STEPS} quarters"
    span = "hour" if hours == 1 else f"{hours:g} hours"
    words = f"{share} of the {span} to the first response {'is' if hours == 1 else 'are'} used"
    if steps:
        points = rules.weights.waiting * steps / sla.STEPS * sure
        yield _part("waiting", points, _at(words, sure))
