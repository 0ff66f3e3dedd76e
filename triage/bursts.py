"""Finds bursts of complaints by event time; pure: posts in, alarms out.

Every five minutes of event time that brought a complaint, each series is looked at over half an
hour, two hours and six hours. A burst is a number of independent reports that the same hours of
earlier days make less likely than the rules allow; see `triage.surprise` for the arithmetic.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from triage.series import EVERYTHING, PHRASE, Post, Source, independent
from triage.surprise import PRIOR, Baseline, baseline

STEP = 300.0
WIDTHS = (1800.0, 7200.0, 21600.0)
LONGEST = WIDTHS[-1]
DAY = 86400.0
FEW_DAYS = 3
"""With fewer days of past there is no time of day to go by."""


class Sensitivity(msgspec.Struct, frozen=True, kw_only=True):
    """When a number of reports is a burst."""

    chance: float = 1e-4
    """The probability of a false alarm that one look at one kind of series may have."""
    customers: int = 4
    """Fewer independent reports are never a burst."""
    days: int = 28
    """How far back the past is looked at."""
    history_hours: float = 8
    """Without so much of a past nothing is known, and nothing is a burst."""


class Burst(msgspec.Struct, frozen=True, kw_only=True):
    """A series with more reports than its past explains."""

    series: str
    at: float
    """End of the stretch, in event time: when it could first be known."""
    width: float
    posts: tuple[Post, ...]
    """Independent reports, oldest first."""
    expected: float
    chance: float


Past = Mapping[str, Sequence[float]]
"""Times of the posts of a series, sorted."""


class Look(msgspec.Struct, frozen=True):
    """What one step sees."""

    at: float
    posts: dict[tuple[str, float], list[Post]]
    """Independent reports of the series that grew in it and have enough of them, by width."""
    fresh: Sequence[Post]
    """Everything that was said in this step."""
    recent: Sequence[Post]
    """Everything that was said in the longest width; empty where no series has enough."""


def looks(posts: Iterable[Post], start: float, customers: int) -> Iterator[Look]:
    """Each step from ``start`` on in which something was said."""
    recent: deque[Post] = deque()
    fresh: list[Post] = []
    end = 0.0
    for post in posts:
        step = (post.at // STEP + 1) * STEP
        if fresh and step != end:
            yield from _look(recent, fresh, end, start, customers)
            fresh = []
        end = step
        fresh.append(post)
        recent.append(post)
        while recent[0].at <= end - LONGEST:
            recent.popleft()
    if fresh:
        yield from _look(recent, fresh, end, start, customers)


def _look(
    recent: Iterable[Post], fresh: Sequence[Post], at: float, start: float, customers: int
) -> Iterator[Look]:
    if at < start:
        return
    grown = frozenset[str]().union(*(post.series for post in fresh))
    of_series: dict[str, list[Post]] = defaultdict(list)
    for post in recent:
        for name in post.series & grown:
            of_series[name].append(post)
    found = {}
    for name, said in of_series.items():
        if len(said) < customers:
            continue
        before = 0
        for width in WIDTHS:
            inside = independent([post for post in said if post.at > at - width])
            if len(inside) >= customers and len(inside) > before:
                found[name, width] = inside
            before = len(inside)
    yield Look(at, found, fresh, tuple(recent) if found else ())


def past_of(posts: Iterable[Post], wanted: frozenset[str]) -> dict[str, list[float]]:
    """When each wanted series was reported; one customer counts once in six hours."""
    times: dict[str, list[float]] = {name: [] for name in wanted}
    latest: dict[tuple[str, str], float] = {}
    for post in posts:
        for name in post.series & wanted:
            key = (name, post.customer)
            if post.at - latest.get(key, -LONGEST) >= LONGEST:
                times[name].append(post.at)
                latest[key] = post.at
    return times


def bursts(look: Look, past: Past, began: float, rules: Sensitivity) -> list[Burst]:
    """The bursts of a look, the least likely first."""
    names = {name for name, _ in look.posts}
    phrases = sum(name.startswith(PHRASE) for name in names)
    found = []
    for (name, width), posts in look.posts.items():
        times = past.get(name, ())
        expected = expectation(times, look.at, width, began, rules)
        if expected is None or (name == EVERYTHING and look.at - began < FEW_DAYS * DAY):
            continue
        chance = expected.tail(len(posts))
        if name != EVERYTHING:
            chance = max(chance, by_share(times, past[EVERYTHING], look.at, width).tail(len(posts)))
        tests = (phrases if name.startswith(PHRASE) else len(names) - phrases) * len(WIDTHS)
        if chance * tests <= rules.chance:
            found.append(
                Burst(
                    series=name,
                    at=look.at,
                    width=width,
                    posts=tuple(posts),
                    expected=expected.mean,
                    chance=chance,
                )
            )
    return sorted(found, key=lambda burst: (burst.chance, burst.series, burst.width))


def expectation(
    times: Sequence[float], at: float, width: float, began: float, rules: Sensitivity
) -> Baseline | None:
    """What the past says about ``width`` seconds before ``at``; None if there is too little of it.

    The same time of day on earlier days, one width earlier and later included; after three weeks
    working days are compared with working days and weekends with weekends. In the first three
    days, every stretch of the past.
    """
    newest = at - LONGEST
    if newest - began < rules.history_hours * 3600 - LONGEST:
        return None
    days = int(min(rules.days, (at - began) // DAY))
    if days < FEW_DAYS:
        ends = [newest - n * width for n in range(int((newest - began) // width))]
    else:
        alike = [n for n in range(1, days + 1) if days < 21 or _same_kind(at, at - n * DAY)]
        shifts = (-width, 0.0, width)
        ends = [at - n * DAY + shift for n in alike for shift in shifts]
        ends = [end for end in ends if end <= newest and end - width >= began]
    if not ends:
        return None
    return baseline([bisect_left(times, end) - bisect_left(times, end - width) for end in ends])


def by_share(
    times: Sequence[float], everything: Sequence[float], at: float, width: float
) -> Baseline:
    """What the other complaints of the same stretch let expect, by the shares of the past.

    On a busy day every word is said more often: only what grew more than the rest is a burst.
    """
    newest, oldest = at - LONGEST, at - width
    inside = bisect_left(times, newest)
    outside = max(0, bisect_left(everything, newest) - inside)
    now = bisect_left(everything, at) - bisect_left(everything, oldest)
    rest = max(0, now - bisect_left(times, at) + bisect_left(times, oldest))
    mean = (inside + PRIOR) / (outside + PRIOR) * (rest + PRIOR)
    return Baseline(mean=mean, size=inside + PRIOR)


def _same_kind(one: float, other: float) -> bool:
    days = [datetime.fromtimestamp(at, UTC).weekday() >= 5 for at in (one, other)]
    return days[0] == days[1]


def scan(
    source: Source, start: datetime, end: datetime, rules: Sensitivity
) -> Iterator[tuple[Look, list[Burst], Past]]:
    """Every look between two instants with its bursts; the past is read once.

    Memory holds six hours of posts, and the times of the series that might burst.
    """
    first = start - timedelta(days=rules.days)
    reach = start - timedelta(seconds=LONGEST)
    wanted: set[str] = {EVERYTHING}
    for look in looks(source(reach, end), start.timestamp(), rules.customers):
        wanted.update(name for name, _ in look.posts)
    past = past_of(source(first, end) if len(wanted) > 1 else (), frozenset(wanted))
    everything = past[EVERYTHING]
    began = everything[0] if everything else start.timestamp()
    for look in looks(source(reach, end), start.timestamp(), rules.customers):
        yield look, bursts(look, past, began, rules), past
