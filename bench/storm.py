"""A storm of one complaint among others: ``python -m bench.storm [--copies N] [--others N]``.

Reposts and edited copies of one complaint and so many different complaints, in random order,
into the embedded store. Prints how many cases they are (it should be one more than the
others), how many voices the largest has, and the time.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

from listeners.mention import Author, Mention
from nlp.assessment import Assessment
from triage.casework import fold_cases
from triage.intake import Pair, store_records
from triage.rules import Rules
from triage.store import open_store

START = datetime(2026, 5, 4, 6, tzinfo=UTC)
CHUNK = 1000
RULES = Rules()
COMPLAINT = (
    "the new router you sent me drops the connection every evening and nobody at your helpdesk "
    "answers my calls or mails"
)
FILLERS = ("really", "please", "again", "honestly", "still", "just", "today", "sadly")
THINGS = [
    "kettle",
    "parcel",
    "invoice",
    "router",
    "flight",
    "bus",
    "app",
    "card",
    "shoe",
    "phone",
    "charger",
    "voucher",
    "lamp",
]
FAULTS = ("broke", "never came", "leaks", "was charged twice", "smells", "is late", "vanished")
ENDS = ("after one week", "since my birthday", "while my mother waited", "and support hung up",
        "in front of all my guests", "on the first day")  # fmt: skip


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=10_000)
    parser.add_argument("--others", type=int, default=500)
    given = parser.parse_args()
    pairs = storm(given.copies, given.others)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("sqlite", path=Path(folder) / "outcry.db")
        store.setup()
        start = time.perf_counter()
        chunks = [pairs[at : at + CHUNK] for at in range(0, len(pairs), CHUNK)]
        stored = [store_records(store, chunk, RULES) for chunk in chunks]
        for one in stored:
            fold_cases(store, one.uids, RULES, START + timedelta(days=1))
        seconds = time.perf_counter() - start
        voices = [ticket.voices for ticket in store.all_tickets()]
        store.close()
    print(
        f"{given.copies:,} copies and {given.others:,} other complaints: {len(voices):,} cases, "
        f"the largest with {max(voices):,} voices; {seconds:.1f} s"
    )


def storm(copies: int, others: int, seed: int = 3) -> list[Pair]:
    """The posts in random order: a third reposts in full, a third by reference, a third edited."""
    rng = random.Random(seed)
    pairs = [_pair("0", COMPLAINT, 0)]
    for n in range(1, copies + 1):
        text, of = (
            (f"RT @someone: {COMPLAINT}", None),
            ("RT @someone: the new rou…", "0"),
            (_edited(rng), None),
        )[n % 3]
        pairs.append(_pair(f"s{n}", text, n / 20, of))
    said = list(product(THINGS, FAULTS, ENDS))
    rng.shuffle(said)
    for n in range(others):
        thing, fault, end = said[n % len(said)]
        pairs.append(_pair(f"d{n}", f"case {100_000 + n * 7}: my {thing} {fault} {end}", n))
    rng.shuffle(pairs)
    return pairs


def _edited(rng: random.Random) -> str:
    words = COMPLAINT.split()
    for _ in range(rng.choice((1, 2))):
        words[rng.randrange(len(words))] = rng.choice(FILLERS)
    return " ".join(words) + rng.choice(("", " 😡", " @acme", f" https://t.example/{rng.random()}"))


def _pair(native_id: str, text: str, minutes: float, repost_of: str | None = None) -> Pair:
    at = START + timedelta(minutes=minutes)
    mention = Mention(
        source="mastodon",
        native_id=native_id,
        text=text,
        created_at=at,
        collected_at=at,
        listener="bench/1",
        author=Author(id=f"by {native_id}"),
        repost_of=repost_of,
    )
    assessed = Assessment(
        uid=mention.uid,
        model="bench/1",
        language="en",
        sentiment="negative",
        complaint=True,
        complaint_probability=0.9,
    )
    return mention, assessed


if __name__ == "__main__":
    main()
