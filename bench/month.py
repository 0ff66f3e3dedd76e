"""A month of three targets in words of our own, as listeners would have left it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby

from bench.stream import ACCOUNT, START, answer, post
from listeners.landing import RAW, Landing, Part, window_name
from listeners.ledger import LedgerRow, write_row
from listeners.mention import Author, Engagement, Mention, encode

DAYS = 30
EVERY = timedelta(minutes=15)
WINDOWS = timedelta(days=DAYS) // EVERY
END = START + DAYS * timedelta(days=1)
TARGETS = (("mastodon", "hashtag"), ("reddit", "brand"), ("rss", "forum"))
RECENT = 200
"""Of a target's latest posts one is answered."""


def month(mentions: int, seed: int = 7) -> Iterator[tuple[int, int, Mention]]:
    """Window, target and mention, by time; the same arguments give the same mentions.

    A third are complaints, one in five answers an earlier post, one in twelve is the brand's.
    """
    rng = random.Random(seed)
    recent: dict[int, deque[str]] = {n: deque(maxlen=RECENT) for n in range(len(TARGETS))}
    step = DAYS * timedelta(days=1) / mentions
    for number in range(mentions):
        at = START + number * step
        target = rng.randrange(len(TARGETS))
        source, _ = TARGETS[target]
        parent = rng.choice(recent[target]) if recent[target] and rng.random() < 0.2 else None
        reply = parent is not None and rng.random() < 0.4
        author = ACCOUNT if reply else f"person{rng.randrange(mentions)}"
        yield (
            (at - START) // EVERY,
            target,
            Mention(
                source=source,
                native_id=str(number),
                text=answer(rng) if reply else post(rng),
                created_at=at,
                collected_at=at + EVERY,
                listener=f"{source}/1",
                author=Author(id=author, handle=author, followers=rng.randrange(5000)),
                parent_id=parent,
                engagement=Engagement(likes=rng.randrange(20)),
            ),
        )
        recent[target].append(str(number))


def write_month(landing: Landing, mentions: int, seed: int = 7) -> int:
    """Write its parts and ledger into the landing zone; how many parts."""
    parts = 0
    for number, some in groupby(month(mentions, seed), key=lambda one: one[0]):
        start = START + number * EVERY
        heard: dict[int, list[Mention]] = {}
        for _, target, mention in some:
            heard.setdefault(target, []).append(mention)
        for target, found in heard.items():
            source, key = TARGETS[target]
            part = Part(source, window_name(start), key, 0)
            landing.write_part(RAW, part, map(encode, found))
            write_row(landing, _row(part, found, start))
            parts += 1
    return parts


def _row(part: Part, found: list[Mention], start: datetime) -> LedgerRow:
    return LedgerRow(
        source=part.source,
        target=part.target,
        window=part.window,
        listener=f"{part.source}/1",
        outcome="ok",
        got=len(found),
        new=len(found),
        pages=1,
        parts=1,
        asked_from=start,
        asked_to=start + EVERY,
        oldest=found[0].created_at,
        newest=found[-1].created_at,
        started_at=(start + EVERY).astimezone(UTC),
        finished_at=(start + EVERY).astimezone(UTC),
    )
