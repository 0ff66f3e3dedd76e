"""A stream of any length in words of our own, for measuring: threads, brand replies, reposts."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

COLUMNS = ("id", "author", "created_at", "text", "parent_id", "followers")
ACCOUNT = "harrowgate_help"
START = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)

_OPENERS = ("@harrowgate_help", "Hey @harrowgate_help", "So @harrowgate_help,", "Well.")
_COMPLAINTS = (
    "parcel {number} was due on {day} and nobody can tell me where it is",
    "charged twice for order {number} and still no refund after {count} calls",
    "the app shows error {number} for the {count}th time today, this is useless",
    "your courier left {number} in the rain, everything inside is ruined",
    "on hold for {count} hours about case {number}, then the line went dead. Appalling service",
    "cancelling account {number}, {count} broken promises is enough",
)
_OTHER = (
    "what time does the shop in street {number} close on {day}?",
    "the new colours are lovely, thank you",
    "just collected number {number}, quick and friendly",
    "watching the match on {day} with the whole family",
    "is there a discount for students on {day}?",
)
_REPLIES = (
    "Sorry about that! Please send us a message with your details.",
    "We are looking at it.",
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def write_stream(path: Path, mentions: int, seed: int = 7) -> None:
    """Write a CSV of that many rows; the same arguments give the same bytes.

    A third are complaints, one in five answers an earlier post, one in twelve is the brand's.
    Complaints differ by their numbers, so that few are copies of another; small talk repeats.
    """
    rng = random.Random(seed)
    recent: list[str] = []
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(mentions):
            parent = rng.choice(recent) if recent and rng.random() < 0.2 else ""
            reply = bool(parent) and rng.random() < 0.4
            author = ACCOUNT if reply else f"person{rng.randrange(mentions)}"
            text = answer(rng) if reply else post(rng)
            at = START + timedelta(seconds=number)
            writer.writerow((number, author, at.isoformat(), text, parent, rng.randrange(5000)))
            recent = [*recent[-199:], str(number)]


def answer(rng: random.Random) -> str:
    """What the brand answers."""
    return rng.choice(_REPLIES)


def texts_of(count: int, seed: int = 7) -> list[str]:
    """So many posts of people, as `write_stream` writes them, without threads."""
    rng = random.Random(seed)
    return [post(rng) for _ in range(count)]


def post(rng: random.Random) -> str:
    """What a customer writes: one in three is a complaint."""
    words = rng.choice(_COMPLAINTS if rng.random() < 0.33 else _OTHER)
    filled = words.format(
        day=rng.choice(_DAYS), number=rng.randrange(100_000, 1_000_000), count=rng.randrange(2, 9)
    )
    return f"{rng.choice(_OPENERS)} {filled}"
