"""How soon an outage is noticed, and how often nothing is called one.

Run it as ``python -m bench.incidents``.

The background is real: the complaints of six airlines by their own times (nine days of February
2015, one stream an airline, read by the shipped model). Outages of 5, 20 and 100 posts, written
by us, are planted at random times over one hour; what the model does not take for a complaint is
lost to both methods. Beside it: the rule that alarms when the last seven days brought twice the
complaints of the seven days before. Nine days are too short for that rule, so it alone is given a
past: the same week once more before each.
"""

from __future__ import annotations

import csv
import random
import sys
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import msgspec

from listeners.mention import Author, Mention
from models.registry import folder
from nlp.assess import load_assessor
from nlp.assessment import Passage
from outcry.settings import labelled_data
from triage.bursts import scan
from triage.causes import Found, IncidentRules, gather
from triage.rows import RowMaker
from triage.rules import Rules
from triage.series import Listed, Post, SeriesMaker

SIZES = (5, 20, 100)
PLANTS = 10
"""Outages of each size in each stream."""
LASTING = 3600.0
WEEK = 7 * 86400.0
SEED = 20150224

_PLACES = ("Doornvlei", "Windmeul", "Kliprand", "Askham")
_OPENINGS = (
    "{place} has been without {thing} since this morning",
    "no {thing} in {place} again, thanks for nothing",
    "is anybody looking at {thing} in {place}? nothing works here",
    "{thing} down in {place} and nobody answers the phone",
    "same here, {thing} has been dead for ages",
    "second hour without {thing} in {place}, this is unacceptable",
    "why is {thing} not working in {place}?",
    "still no {thing}. {place}. I want my money back",
)
_ENDINGS = (
    "",
    " I work from home and lose money every minute.",
    " Your staff keeps hanging up on me.",
    " What am I paying for?",
    " Third time this month!",
    " Really disappointed.",
)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the planted outages of one size."""

    size: int
    planted: int
    minutes: tuple[float, ...]
    """From the first planted post, of those that were found."""
    by_rule: int
    """How many the twice-the-week-before rule found."""


def background(data: Path, only: str | None = None) -> dict[str, list[Post]]:
    """The complaints of each airline, or of ``only`` one, oldest first."""
    with (data / "airline.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if only in (None, row["airline"])]
    mentions = [
        Mention(
            source="x",
            native_id=row["tweet_id"],
            text=row["text"],
            created_at=(at := datetime.strptime(row["tweet_created"], "%Y-%m-%d %H:%M:%S %z")),
            collected_at=at,
            listener="bench/1",
            author=Author(handle=row["name"]),
        )
        for row in rows
    ]
    said = dict(zip((m.uid for m in mentions), (row["airline"] for row in rows), strict=True))
    posts = read(mentions)
    names = sorted(set(said.values()))
    return {name: [post for post in posts if said[post.uid] == name] for name in names}


def read(mentions: Sequence[Mention]) -> list[Post]:
    """What the shipped model takes for complaints, oldest first."""
    assessor = load_assessor(folder("baseline-en"), cues=None, phone_region="US")
    found = assessor.assess([Passage(uid=m.uid, text=m.text) for m in mentions])
    maker, rules = RowMaker(Rules()), Rules(unread="leave")
    rows = [row for m, a in zip(mentions, found, strict=True) for row in maker.rows(m, a)]
    series = SeriesMaker(rules, Listed())
    return sorted(series.posts(rows), key=lambda post: (post.at, post.uid))


def outage(size: int, start: float, dice: random.Random, name: str) -> list[Mention]:
    """An outage of our own: posts by different people within an hour."""
    place = dice.choice(_PLACES)
    thing = dice.choice(("fibre", "signal", "internet"))
    times = sorted(dice.uniform(0, LASTING) for _ in range(size))
    return [
        Mention(
            source="x",
            native_id=f"{name}-{number}",
            text=dice.choice(_OPENINGS).format(place=place, thing=thing) + dice.choice(_ENDINGS),
            created_at=datetime.fromtimestamp(start + at, UTC),
            collected_at=datetime.fromtimestamp(start + at, UTC),
            listener="bench/1",
            author=Author(handle=f"{name}-{number}"),
        )
        for number, at in enumerate(times)
    ]


def watched(posts: Sequence[Post], start: float, end: float, rules: IncidentRules) -> list[Found]:
    """The causes that a stretch of time shows, given its past."""
    times = [post.at for post in posts]

    def source(first: datetime, last: datetime) -> Iterator[Post]:
        yield from posts[
            bisect_left(times, first.timestamp()) : bisect_left(times, last.timestamp())
        ]

    stretch = (datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))
    return gather(scan(source, *stretch, rules.sensitivity), [], rules.over_hours * 3600)


def twice(posts: Sequence[Post], at: float) -> bool:
    """The rule: twice the complaints of the seven days before."""
    times = [post.at for post in posts]
    now, week, two = (bisect_left(times, at - n * WEEK) for n in (0, 1, 2))
    return now - week >= 2 * max(1, week - two)


def with_a_past(posts: Sequence[Post]) -> list[Post]:
    """The stream after its own last week, twice over."""
    week = [post for post in posts if post.at >= posts[-1].at - WEEK]
    earlier = [
        msgspec.structs.replace(post, at=post.at - n * WEEK) for n in (2, 1) for post in week
    ]
    return sorted(earlier, key=lambda post: post.at) + week


def plant(streams: dict[str, list[Post]], size: int, rules: IncidentRules) -> Result:
    """Plant outages of a size into every stream and look for each."""
    dice = random.Random(SEED + size)
    starts = [
        (name, dice.uniform(posts[0].at + 2 * 86400, posts[-1].at - 8 * 3600), number)
        for name, posts in streams.items()
        for number in range(PLANTS)
    ]
    planted = {
        (name, number): outage(size, at, dice, f"{size}-{name}-{number}")
        for name, at, number in starts
    }
    said = {post.uid: post for post in read([m for some in planted.values() for m in some])}
    minutes, by_rule = [], 0
    for name, at, number in starts:
        mentions = planted[name, number]
        ours = [said[m.uid] for m in mentions if m.uid in said]
        mixed = sorted([*streams[name], *ours], key=lambda post: (post.at, post.uid))
        uids = {post.uid for post in ours}
        first = mentions[0].created_at.timestamp()
        for cause in watched(mixed, at - 600, at + 6 * 3600, rules):
            if 2 * len(uids & cause.posts.keys()) > len(uids):
                minutes.append((cause.detected_at - first) / 60)
                break
        past = sorted([*with_a_past(streams[name]), *ours], key=lambda post: post.at)
        before = twice(with_a_past(streams[name]), at)
        by_rule += twice(past, at + 6 * 3600) and not before
    return Result(size=size, planted=len(starts), minutes=tuple(sorted(minutes)), by_rule=by_rule)


def alarms(streams: dict[str, list[Post]], rules: IncidentRules) -> Iterator[tuple[str, Found]]:
    """What is called an incident in the background itself."""
    for name, posts in streams.items():
        start = posts[0].at + rules.history_hours * 3600
        for cause in watched(posts, start, posts[-1].at, rules):
            yield name, cause


def is_the_real_one(cause: Found) -> bool:
    """About cancelled or delayed flights, between 21 and 23 February 2015 (airline's time)."""
    day = datetime.fromtimestamp(cause.detected_at, UTC) - timedelta(hours=8)
    about = {name.partition(":")[2] for name in (*cause.series, *cause.about)}
    cancelled = any("cancel" in word for word in about)
    return cancelled and day.year == 2015 and day.month == 2 and 21 <= day.day <= 23


def main() -> None:
    """Print the figures.

    Raises:
        SystemExit: if the labelled data are not there.
    """
    data = labelled_data()
    if data is None:
        sys.exit("set OUTCRY_LABELLED_DATA to the folder of labelled data")
    rules = IncidentRules()
    streams = background(data)
    weeks = sum(posts[-1].at - posts[0].at for posts in streams.values()) / WEEK
    count = sum(map(len, streams.values()))
    print(f"{count} complaints in {weeks:.1f} weeks of {len(streams)} streams")
    print(f"{'outage':>8} {'planted':>8} {'found':>6} {'median min':>11} {'90 %':>6} {'twice':>6}")
    for size in SIZES:
        result = plant(streams, size, rules)
        found = len(result.minutes)
        middle, late = (
            (result.minutes[int(share * (found - 1))] for share in (0.5, 0.9))
            if found
            else (float("nan"), float("nan"))
        )
        print(
            f"{size:>8} {result.planted:>8} {found:>6} {middle:>11.0f} {late:>6.0f} "
            f"{result.by_rule:>6}"
        )
    found_causes = list(alarms(streams, rules))
    real = [(name, cause) for name, cause in found_causes if is_the_real_one(cause)]
    others = [pair for pair in found_causes if pair not in real]
    print(f"in the background itself: {len(real)} about the cancelled flights")
    for name, group in groupby(found_causes, key=lambda pair: pair[0]):
        for _, cause in group:
            at = datetime.fromtimestamp(cause.detected_at, UTC)
            mark = "real " if is_the_real_one(cause) else "other"
            about = ", ".join(sorted(word.partition(":")[2] for word in cause.about)[:6])
            print(f"  {mark} {at:%d %b %H:%M} {name}: {len(cause.posts)} posts: {about}")
    print(f"others, all counted as false: {len(others) / weeks:.2f} a week and stream")
    ruled = sum(
        any(twice(with_a_past(posts), posts[-1].at - n * 3600) for n in range(0, 168, 6))
        for posts in streams.values()
    )
    print(f"twice the week before: alarms in {ruled} of {len(streams)} streams")


if __name__ == "__main__":
    main()
