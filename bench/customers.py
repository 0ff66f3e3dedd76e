"""A scripted cast of customers on many channels: ``python -m bench.customers [--cast N]``.

Each customer speaks on two to four of six channels, with addresses in different spellings,
statements about their other accounts, typos, handles that others have on other networks, posts
that name somebody else's address, and a switchboard's number. Prints how many pairs of accounts
were joined rightly and wrongly, and how many joins that the script makes certain were found.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import msgspec

from listeners.mention import Author, Mention
from nlp.assessment import Assessment
from triage import customers
from triage.customers import components
from triage.intake import Pair, store_records
from triage.rows import RowMaker
from triage.rules import Rules
from triage.store import open_store
from triage.store.base import Store

START = datetime(2026, 5, 4, 6, tzinfo=UTC)
PUBLIC = ("mastodon", "reddit", "bluesky")
RULES = Rules(phone_region="ZA")


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Pairs of accounts."""

    certain: int
    """That the script makes certain."""
    found: int
    """Of those, joined."""
    wrong: int
    """Joined, of two different people."""
    proposed: int
    """Left to an agent."""


def main() -> None:
    """Print the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cast", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = open_store("sqlite", path=Path(folder) / "outcry.db")
        store.setup()
        result = play(store, given.cast)
        store.close()
    share = result.found / result.certain
    print(
        f"{given.cast} customers: {result.found} of {result.certain} certain pairs joined "
        f"({share:.1%}), {result.wrong} wrong joins, {result.proposed} links proposed"
    )


def play(store: Store, cast: int, seed: int = 4) -> Result:
    """Put the cast on the stage, in a random order; what came of it."""
    rng = random.Random(seed)
    maker = RowMaker(RULES)
    said: list[Mention] = []
    owner: dict[str, int] = {}
    certain: list[tuple[str, str]] = []
    for number in range(cast):
        mentions, links = _customer(number, rng)
        said += mentions
        owner |= {maker.customer(mention) or "": number for mention in mentions}
        certain += [(maker.customer(a) or "", maker.customer(b) or "") for a, b in links]
    rng.shuffle(said)
    for start in range(0, len(said), 100):
        pairs: list[Pair] = [(one, _assessed(one)) for one in said[start : start + 100]]
        store_records(store, pairs, RULES)
    truth = {
        tuple(sorted(pair))
        for group in components(certain).values()
        for pair in combinations(sorted(group), 2)
    }
    person = customers.persons(store, owner)
    groups: dict[str, list[str]] = {}
    for account, name in person.items():
        groups.setdefault(name, []).append(account)
    joined = {pair for group in groups.values() for pair in combinations(sorted(group), 2)}
    return Result(
        certain=len(truth),
        found=len(truth & joined),
        wrong=sum(owner[one] != owner[other] for one, other in joined),
        proposed=len(customers.links(store, "proposed")),
    )


def _customer(
    number: int, rng: random.Random
) -> tuple[list[Mention], list[tuple[Mention, Mention]]]:
    """What one customer says, and which two of the mentions show that they are one person."""
    email = f"person{number}@mail{number % 7}.example"
    phone = f"082{number:07d}"
    handle = f"kettle_fan{number // 3}"  # three people share a handle, each on another network
    public = [
        _mention(source, number, handle if n == 0 else f"{handle}_{number}x{n}", rng)
        for n, source in enumerate(
            PUBLIC[number % 3 :][:1] + tuple(s for s in PUBLIC if s != PUBLIC[number % 3])[:1]
        )
    ]
    private = list(_private(number, email, phone, rng))
    mentions = [*public, *private]
    links = []
    links += [(a, b) for a, b in combinations(private, 2) if _same(a, b)]
    if rng.random() < 0.6:
        first, second = public
        name = second.author.handle or ""
        if rng.random() < 0.1:
            name = name[:-1] + "q"  # a slip: nobody is called so
        else:
            links.append((first, second))
        words = rng.choice(("I'm @{} on {}", "i am {} on {} too", "my other account is @{} on {}"))
        mentions[0] = _with(first, words.format(name, second.source))
    elif rng.random() < 0.5:
        friend = f"person{number + 1}@mail{(number + 1) % 7}.example"
        mentions[0] = _with(public[0], f"write to {email}, or ask {friend}")
    return mentions, links


def _private(number: int, email: str, phone: str, rng: random.Random) -> Iterator[Mention]:
    spelt = rng.choice((email, email.upper(), email.capitalize()))
    if number % 2:
        yield _mention("email", number, email, rng)
        yield _mention("helpdesk", number, spelt, rng)
    if number % 3 == 0:
        apart = f"{phone[:3]} {phone[3:6]} {phone[6:]}"
        number_spelt = rng.choice((phone, f"+27{phone[1:]}", apart))
        yield _mention("telephone", number, number_spelt, rng)
        yield _mention("helpdesk", 10_000 + number, f"+27 {phone[1:3]} {phone[3:]}", rng)


def _same(one: Mention, other: Mention) -> bool:
    return ("@" in (one.author.id or "")) == ("@" in (other.author.id or ""))


def _mention(source: str, number: int, name: str, rng: random.Random) -> Mention:
    at = START + timedelta(minutes=rng.randrange(10_000))
    return Mention(
        source=source,
        native_id=f"{source}-{number}-{name}",
        text=f"case {number}: nobody calls me back about order {90_000 + number}",
        created_at=at,
        collected_at=at,
        listener="cast/1",
        author=Author(id=name, handle=name if source in PUBLIC else None),
    )


def _with(mention: Mention, words: str) -> Mention:
    return msgspec.structs.replace(mention, text=f"{mention.text}. {words}")


def _assessed(mention: Mention) -> Assessment:
    return Assessment(
        uid=mention.uid,
        model="cast/1",
        language="en",
        sentiment="negative",
        complaint=True,
        complaint_probability=0.9,
    )


if __name__ == "__main__":
    main()
