"""A month of three targets in words of our own, as listeners would have left it."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby

from bench.stream import ACCOUNT, START, answer
from listeners.landing import RAW, Landing, Part, window_name
from listeners.ledger import LedgerRow, write_row
from listeners.mention import Author, Engagement, Mention, encode

DAYS = 30
EVERY = timedelta(minutes=15)
END = START + timedelta(days=DAYS)
TARGETS = (("mastodon", "hashtag"), ("reddit", "brand"), ("rss", "forum"))
RECENT = 200
"""Of a target's latest posts one is answered."""

_THINGS = (
    "parcel", "router", "kettle", "invoice", "flight", "card", "refund", "booking", "sofa",
    "phone", "meter", "policy", "voucher", "laptop", "ticket", "mattress", "statement", "boiler",
)  # fmt: skip
_FAULTS = (
    "never came", "is broken", "was charged twice", "is three days late", "vanished somewhere",
    "was cancelled without a word", "arrived in pieces", "stopped working", "shows an error",
    "was left in the rain", "is the wrong one", "cannot be reached", "was sent to a stranger",
    "keeps crashing", "leaks water", "is not what you promised",
)  # fmt: skip
_SINCE = (
    "since Monday", "for the third time", "after a week of waiting", "again this morning",
    "as we were leaving", "on my birthday", "while you were closed", "two weeks in a row",
    "right after the update", "the day before the wedding", "in spite of your mail",
)  # fmt: skip
_MOODS = (
    "nobody answers the phone", "this is useless", "I want my money back", "what a disgrace",
    "your chat hung up on me", "I am cancelling", "worst service I have ever had",
    "does anybody read these", "I have called four times", "the clerk was rude about it",
    "I am still waiting", "fix this now", "my children cried", "it cost me a day of work",
)  # fmt: skip
_PLACES = ("the mall", "Main Street", "the harbour", "my village", "the airport", "your app")
_TALK = (
    "what time does the shop at {place} close on {day}?",
    "the new colours of the {thing} at {place} are lovely, thank you",
    "just collected my {thing} at {place}, quick and friendly",
    "watching the match on {day} with the whole family near {place}",
    "is there a discount on a {thing} for students on {day}?",
    "has anybody tried the {thing} that they sell at {place}?",
    "good morning from {place}, what a {day}",
)
_SYLLABLES = tuple(one + two for one in "bdfghklmnprstvwz" for two in ("a", "en", "i", "or", "u"))
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_OPENERS = ("", "", "@harrowgate_help ", "Hey @harrowgate_help ")


def month(mentions: int, seed: int = 7, days: float = DAYS) -> Iterator[tuple[int, int, Mention]]:
    """Window, target and mention, by time; the same arguments give the same mentions.

    A third are complaints, one in five answers an earlier post, one in twelve is the brand's;
    one complaint in fifty says what another has said.
    """
    rng = random.Random(seed)
    recent: dict[int, deque[str]] = {n: deque(maxlen=RECENT) for n in range(len(TARGETS))}
    step = timedelta(days=days) / mentions
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
                text=answer(rng) if reply else _post(rng),
                created_at=at,
                collected_at=at + EVERY,
                listener=f"{source}/1",
                author=Author(id=author, handle=author, followers=rng.randrange(5000)),
                parent_id=parent,
                lang="en",
                engagement=Engagement(likes=rng.randrange(20)),
            ),
        )
        recent[target].append(str(number))


def _post(rng: random.Random) -> str:
    thing, place, day = rng.choice(_THINGS), rng.choice(_PLACES), rng.choice(_DAYS)
    if rng.random() > 1 / 3:
        words = rng.choice(_TALK).format(thing=thing, place=place, day=day)
        return rng.choice(_OPENERS) + words
    if rng.random() < 0.02:
        return f"the whole of {place} has been without a connection since {day}, any news?"
    clauses = [f"my {thing} {rng.choice(_FAULTS)} {rng.choice(_SINCE)}", rng.choice(_MOODS)]
    if rng.random() < 0.4:
        clauses.append(f"{thing} number {rng.randrange(100_000, 1_000_000)}")
    return rng.choice(_OPENERS) + ", ".join((_babble(rng), *clauses, _babble(rng)))


def _babble(rng: random.Random) -> str:
    """Words of no language: with ours alone texts would be more alike than people's are."""
    return " ".join(
        "".join(rng.choice(_SYLLABLES) for _ in range(rng.randrange(1, 4)))
        for _ in range(rng.randrange(4, 11))
    )


def write_month(landing: Landing, mentions: int, seed: int = 7, days: float = DAYS) -> int:
    """Write its parts and ledger into the landing zone; how many parts."""
    parts = 0
    for number, some in groupby(month(mentions, seed, days), key=lambda one: one[0]):
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
