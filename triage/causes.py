"""From bursts to causes: which belong together, what they are about, how bad it is; pure code."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from triage.bursts import Burst, Look, Past, Sensitivity
from triage.incident import Incident, Point, Severity, Word, make_incident_id
from triage.series import EVERYTHING, NAMED, PHRASE, Post
from triage.store.base import StoredMention
from triage.surprise import log_likelihood

MOST_POSTS = 5000
WORDS = 8
NO_CHANCE = 6.63
"""Of the log-likelihood ratio: chance has one in a hundred."""
BAR = 900


class IncidentRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What detecting goes by; the operator's ``[incidents]``."""

    chance: float = 1e-4
    """The probability of a false alarm that one look at one kind of series may have."""
    customers: int = 4
    """Fewer independent reports are never an incident."""
    days: int = 28
    """How far back the past is looked at."""
    history_hours: float = 8
    """Without so much of a past nothing is an incident."""
    over_hours: float = 12
    """An incident that nobody reports for so long takes no more posts."""
    major: int = 15
    critical: int = 60
    """Customers from which an incident is major, and critical; safety is always critical."""
    look_back_hours: float = 48
    """How far the first look reaches back."""

    @property
    def sensitivity(self) -> Sensitivity:
        return Sensitivity(
            chance=self.chance,
            customers=self.customers,
            days=self.days,
            history_hours=self.history_hours,
        )


class Found(msgspec.Struct, kw_only=True):
    """A cause while it is put together."""

    series: list[str]
    posts: dict[str, Post]
    detected_at: float
    first: Burst
    id: str
    about: frozenset[str]
    """The series by which later posts join."""
    background: dict[str, int]
    """In how many of the earlier complaints each phrase was."""
    complaints: int
    """How many earlier complaints there were."""

    @property
    def last_at(self) -> float:
        return max(post.at for post in self.posts.values())


def causes(found: Sequence[Burst]) -> list[list[Burst]]:
    """The bursts of one look by cause; the first of each leads it.

    Names that the operator has given lead before phrases, and phrases before series that only
    say where posts arrive, such as a department; among equals the least likely. A burst that
    has most of its posts in a cause belongs to it; one that only covers a cause, such as a word
    that two causes share, belongs to none.
    """
    groups: list[tuple[set[str], list[Burst]]] = []
    for burst in sorted(found, key=lambda burst: (_rank(burst.series), burst.chance)):
        uids = {post.uid for post in burst.posts}
        covered = False
        for held, group in groups:
            shared = len(held & uids)
            if 2 * shared >= len(uids):
                group.append(burst)
                if burst.series.startswith(NAMED):
                    held |= uids
                covered = True
                break
            covered = covered or 2 * shared >= len(held)
        if not covered:
            groups.append((uids, [burst]))
    return [group for _, group in groups]


def _rank(series: str) -> int:
    return 0 if series.startswith(NAMED[:2]) else 1 if series.startswith(NAMED) else 2


def gather(
    looks: Iterator[tuple[Look, list[Burst], Past]], known: Sequence[Found], over: float
) -> list[Found]:
    """The causes of a stretch of time, the known ones with what joined them; by detection."""
    live = list(known)
    for look, found, past in looks:
        for cause in live:
            if look.at - cause.last_at <= over:
                _join(cause, look.fresh)
        for group in causes(found):
            lead = group[0]
            posts = {
                post.uid: post
                for burst in group
                if burst.series.startswith(NAMED) or burst is lead
                for post in burst.posts
            }
            same = _same(live, group, posts, look.at, over)
            if same is None:
                opened = _opened(look, lead, group, posts, past)
                _join(opened, (post for post in look.recent if post.at > look.at - lead.width))
                live.append(opened)
            else:
                if _rank(lead.series) == 0 and all(_rank(name) for name in same.series):
                    # It was noticed by where posts arrive; now the operator's name says what it is.
                    same.posts = {u: p for u, p in same.posts.items() if lead.series in p.series}
                    same.about = frozenset({lead.series})
                same.posts |= posts
                same.series += [b.series for b in group if b.series not in same.series]
    return live


def _opened(
    look: Look, lead: Burst, group: Sequence[Burst], posts: dict[str, Post], past: Past
) -> Found:
    first = min(posts.values(), key=lambda post: (post.at, post.uid))
    words = {name for post in posts.values() for name in post.series if name.startswith(PHRASE)}
    background = {name: _until(past[name], look.at - lead.width) for name in words & past.keys()}
    complaints = _until(past[EVERYTHING], look.at - lead.width)
    strong = _scores(posts.values(), background, complaints)[:WORDS]
    about = {PHRASE + word.word for word in strong}
    about |= {burst.series for burst in group if burst.series.startswith(NAMED[:2])}
    return Found(
        series=[burst.series for burst in group],
        posts=posts,
        detected_at=look.at,
        first=lead,
        id=make_incident_id(first.uid, datetime.fromtimestamp(first.at, UTC)),
        about=frozenset(about),
        background=background,
        complaints=complaints,
    )


def _same(
    live: Sequence[Found],
    group: Sequence[Burst],
    posts: dict[str, Post],
    at: float,
    over: float,
) -> Found | None:
    """The cause that these bursts belong to: it shares posts or what it is about."""
    about = {burst.series for burst in group if burst.series.startswith(NAMED)}
    for cause in reversed(live):
        if at - cause.last_at > over:
            continue
        names = {name for name in cause.series if _rank(name) == 0}
        if _rank(group[0].series) == 0 and names and not names & about:
            continue
        shared = len(posts.keys() & cause.posts.keys())
        if 3 * shared >= min(len(posts), len(cause.posts)) or about & set(cause.series):
            return cause
    return None


def _join(cause: Found, said: Iterable[Post]) -> None:
    """Take in the posts that use two of its words (one, if it has only one).

    Everybody affected, also who says it in a neighbour's words: only what is to be noticed is
    counted by independent reports.
    """
    enough = min(2, len(cause.about))
    for post in said:
        if enough and len(post.series & cause.about) >= enough:
            cause.posts.setdefault(post.uid, post)


def describe(
    cause: Found, rows: Sequence[StoredMention], tickets: Sequence[str], rules: IncidentRules
) -> Incident:
    """The derived half of the incident."""
    posts = sorted(cause.posts.values(), key=lambda post: (post.at, post.uid))[:MOST_POSTS]
    bars = Counter(int(post.at // BAR) for post in posts)
    top, peak = min(bars.items(), key=lambda bar: (-bar[1], bar[0]))
    words = tuple(_scores(posts, cause.background, cause.complaints)[:WORDS])
    departments = Counter(row.department for row in rows if row.department)
    customers = len({post.customer for post in posts})
    safety = any("safety" in row.cues for row in rows)
    return Incident(
        incident=cause.id,
        title=_title(words, cause.series),
        series=tuple(cause.series[:20]),
        first_at=_time(posts[0].at),
        detected_at=_time(cause.detected_at),
        last_at=_time(posts[-1].at),
        peak_at=_time(top * BAR),
        peak=peak,
        expected=round(cause.first.expected, 3),
        reports=len(cause.first.posts),
        chance=float(f"{cause.first.chance:.2g}"),
        curve=tuple(Point(at=_time(bar * BAR), posts=bars[bar]) for bar in sorted(bars)),
        words=words,
        posts=tuple(post.uid for post in posts),
        customers=customers,
        sources=tuple(sorted({row.source for row in rows})),
        tickets=tuple(tickets),
        department=min(departments, key=lambda d: (-departments[d], d)) if departments else None,
        severity=_severity(customers, safety, rules),
    )


def _until(times: Sequence[float], end: float) -> int:
    return bisect_right(times, end)


def _scores(posts: Collection[Post], background: Mapping[str, int], rest: int) -> list[Word]:
    """The phrases that set these posts apart from earlier complaints, strongest first."""
    counts = Counter(name for post in posts for name in post.series if name.startswith(PHRASE))
    scored = []
    for name, inside in counts.items():
        outside = min(background.get(name, 0), rest)
        score = log_likelihood(inside, len(posts), outside, max(rest, 1))
        if score >= NO_CHANCE and inside > 1:
            scored.append((score, inside, name.removeprefix(PHRASE)))
    scored.sort(key=lambda word: (-word[0], word[2]))
    return [Word(word=w, score=round(s, 1), posts=n) for s, n, w in scored]


def _title(words: Sequence[Word], series: Sequence[str]) -> str:
    chosen: list[str] = []
    for word in words:
        parts = set(word.word.split())
        if not any(parts & set(other.split()) for other in chosen):
            chosen.append(word.word)
    if chosen:
        return ", ".join(chosen[:3])
    return series[0].partition(":")[2] or series[0]


def _severity(customers: int, safety: bool, rules: IncidentRules) -> Severity:
    if safety or customers >= rules.critical:
        return "critical"
    return "major" if customers >= rules.major else "minor"


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
