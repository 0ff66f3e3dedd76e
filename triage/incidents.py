"""From bursts to incidents: one for each cause, with its curve, words, customers and tickets."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from triage.bursts import LONGEST, Burst, Look, Past, Sensitivity, scan
from triage.errors import Conflict, NoSuchTicket
from triage.incident import (
    LIVE,
    Incident,
    IncidentAction,
    Point,
    Severity,
    Word,
    make_incident_id,
    move,
)
from triage.rules import Rules
from triage.series import EVERYTHING, NAMED, PHRASE, Post, SeriesMaker
from triage.store.base import Store, StoredMention
from triage.store.records import batches
from triage.store.shelf import Keep
from triage.surprise import log_likelihood

MOST_POSTS = 5000
WORDS = 8
NO_CHANCE = 6.63
"""Of the log-likelihood ratio: chance has one in a hundred."""
BAR = 900
ATTEMPTS = 5


class IncidentRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What detecting goes by; the operator's ``[incidents]``."""

    products: tuple[str, ...] = ()
    """Names of products and services, as customers write them."""
    places: tuple[str, ...] = ()
    """Names of places, as customers write them."""
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
                _join(cause, look)
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
                live.append(_opened(look, lead, group, posts, past))
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


def _join(cause: Found, look: Look) -> None:
    """Take in the posts of the look that use two of its words (one, if it has only one)."""
    said = {post.uid: post for posts in look.posts.values() for post in posts}
    enough = min(2, len(cause.about))
    for uid, post in said.items():
        if enough and len(post.series & cause.about) >= enough:
            cause.posts.setdefault(uid, post)


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


# with a store


class Clock(msgspec.Struct, frozen=True):
    """How far incidents have been looked for."""

    at: datetime


def watch(
    store: Store,
    rules: Rules,
    wanted: IncidentRules,
    now: datetime,
    since: datetime | None = None,
) -> list[Incident]:
    """Look for incidents in what was said since the last look, or since ``since``; what changed.

    Run it every few minutes. Idempotent; what people decided is not touched. An hour before the
    last look is looked at again, for posts that were collected late.

    Raises:
        StoreError: if the store does not answer; nothing is half done.
    """
    clock = store.shelved("clock", ["incidents"]).get("incidents")
    if since is None:
        last = msgspec.json.decode(clock.body, type=Clock).at if clock else None
        back = timedelta(hours=wanted.look_back_hours)
        since = now - back if last is None else max(last - timedelta(hours=1), now - back)
    maker = SeriesMaker(rules, wanted.products, wanted.places)

    def source(start: datetime, end: datetime) -> Iterator[Post]:
        return maker.posts(store.mentions_between(start, end))

    end = now + timedelta(seconds=1)
    stored = {one.incident: one for one in incidents(store)}
    oldest = since - timedelta(hours=wanted.over_hours)
    live = [
        one
        for one in stored.values()
        if one.state in LIVE and one.kind == "burst" and one.last_at >= oldest
    ]
    known = [_found(one, store, maker) for one in live]
    known = [cause for cause in known if cause.posts]
    found = gather(scan(source, since, end, wanted.sensitivity), known, wanted.over_hours * 3600)
    changed = []
    for cause in found:
        if (before := stored.get(cause.id)) is not None and before.state not in LIVE:
            continue
        incident = _kept(store, _described(store, cause, wanted), now)
        if incident is not None:
            changed.append(incident)
    keep = Keep(
        key="incidents", at=now, record=Clock(now), version=clock.version if clock else None
    )
    store.shelve("clock", [keep])
    return changed


def _described(store: Store, cause: Found, rules: IncidentRules) -> Incident:
    rows: list[StoredMention] = []
    tickets: set[str] = set()
    for some in batches(sorted(cause.posts), 500):
        of_some = store.mentions(some)
        rows += of_some.values()
        threads = sorted({row.thread for row in of_some.values()})
        tickets |= {one.ticket.ticket for one in store.tickets_of_threads(threads)}
    rows.sort(key=lambda row: (row.created_at, row.uid))
    return describe(cause, rows, sorted(tickets), rules)


def _found(incident: Incident, store: Store, maker: SeriesMaker) -> Found:
    """A stored incident as it was when it was put together."""
    rows = [row for some in batches(incident.posts, 500) for row in store.mentions(some).values()]
    posts = {post.uid: post for post in maker.posts(rows)}
    about = {PHRASE + word.word for word in incident.words}
    about |= {name for name in incident.series if name.startswith(NAMED[:2])}
    first = Burst(
        series=incident.series[0],
        at=incident.detected_at.timestamp(),
        width=LONGEST,
        posts=(),
        expected=incident.expected,
        chance=incident.chance,
    )
    return Found(
        series=list(incident.series),
        posts=posts,
        detected_at=incident.detected_at.timestamp(),
        first=first,
        id=incident.incident,
        about=frozenset(about),
        background={},
        complaints=0,
    )


def _kept(store: Store, fresh: Incident, now: datetime) -> Incident | None:
    """Store the derived half beside what was decided; None if nothing has changed."""
    for _ in range(ATTEMPTS):
        found = store.shelved("incident", [fresh.incident]).get(fresh.incident)
        if found is None:
            wanted = fresh
        else:
            before = msgspec.json.decode(found.body, type=Incident)
            wanted = msgspec.structs.replace(
                fresh,
                detected_at=before.detected_at,
                expected=before.expected,
                reports=before.reports,
                chance=before.chance,
                words=before.words or fresh.words,
                title=before.title,
                state=before.state,
                owner=before.owner,
                note=before.note,
                fixed_at=before.fixed_at,
                steps=before.steps,
            )
            if wanted == before:
                return None
        version = found.version if found else None
        if store.shelve("incident", [keep_of(wanted, version)]).done:
            return wanted
    raise Conflict(f"{fresh.incident} is changed by others all the time: run again")


def keep_of(incident: Incident, version: str | None) -> Keep:
    """What the store keeps of an incident."""
    return Keep(
        key=incident.incident,
        at=incident.first_at,
        group=incident.kind,
        record=incident,
        version=version,
    )


def incidents(store: Store) -> Iterator[Incident]:
    """Every incident, oldest first."""
    for kept in store.shelf("incident"):
        yield msgspec.json.decode(kept.body, type=Incident)


def find_incident(store: Store, name: str) -> tuple[Incident, str]:
    """The incident of this id, or the only one that begins so, with its version.

    Raises:
        NoSuchTicket: if there is none, or more than one.
    """
    bare = "I-" + name.strip().casefold().removeprefix("i-")
    found = [kept for kept in store.shelf("incident") if kept.key.startswith(bare)]
    if len(found) != 1:
        what = "no incident begins" if not found else "several incidents begin"
        raise NoSuchTicket(f"{what} with {name!r}: see 'outcry incidents' for its id")
    return msgspec.json.decode(found[0].body, type=Incident), found[0].version


def act_on(
    store: Store, name: str, action: IncidentAction, by: str, now: datetime, words: str = ""
) -> Incident:
    """Do something with an incident.

    Raises:
        NoSuchTicket, IllegalMove: if the name or its state does not allow it.
        Conflict: if others kept changing it.
    """
    for _ in range(ATTEMPTS):
        incident, version = find_incident(store, name)
        moved = move(incident, action, by, now, words)
        if store.shelve("incident", [keep_of(moved, version)]).done:
            return moved
    raise Conflict(f"{name} was changed by others {ATTEMPTS} times: look at it and try again")
