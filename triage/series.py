"""The series that a complaint counts in: its department, place, products and phrases."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache

import msgspec

from nlp.listed import Names, spellings
from triage import cases
from triage.rules import Rules
from triage.store.base import StoredMention

EVERYTHING = "all"
PHRASE = "phrase:"
NAMED = ("place:", "product:", PHRASE)
"""Series that say what a burst is about, rather than only where it arrived."""

_ADDRESS = re.compile(r"https?://\S+|www\.\S+|@\w[\w.-]*(?:@[\w.-]+)?|\[[a-z -]+\]")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint, as far as detecting bursts goes."""

    uid: str
    at: float
    """Seconds since 1970."""
    customer: str
    """The pseudonym; of an unknown author, the post's uid."""
    words: str
    """Fingerprint of the text: copies of one text are one report."""
    series: frozenset[str]


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator sells and where; each name with the other ways to write it."""

    products: Names = {}
    places: Names = {}


class SeriesMaker:
    """Makes posts of rows; a name counts however it is written, under the operator's."""

    def __init__(self, rules: Rules, listed: Listed) -> None:
        self._rules = rules
        kinds: Mapping[str, Names] = {"product:": listed.products, "place:": listed.places}
        self._named = [
            (prefix + name.casefold(), written)
            for prefix, names in kinds.items()
            for name, others in names.items()
            if (written := _written(name, *others)) is not None
        ]

    def posts(self, rows: Iterable[StoredMention]) -> Iterator[Post]:
        """Those of the rows that complain or speak of an outage, in their order."""
        for row in rows:
            why_not = cases.refusal(row, self._rules)
            if why_not is None or (why_not == "not a complaint" and "outage" in row.cues):
                yield Post(
                    uid=row.uid,
                    at=row.created_at.timestamp(),
                    customer=row.customer or row.uid,
                    words=row.fingerprint or row.uid,
                    series=frozenset(self._series(row)),
                )

    def _series(self, row: StoredMention) -> Iterator[str]:
        yield EVERYTHING
        if row.department:
            yield f"department:{row.department}"
        if row.container:
            yield f"where:{row.source}/{row.container}"
        for brand in row.matched:
            yield f"brand:{brand}"
        text = f"{row.title or ''}\n{row.text}"
        for name, pattern in self._named:
            if pattern.search(text):
                yield name
        for phrase in phrases(text):
            yield PHRASE + phrase


def _written(*names: str) -> re.Pattern[str] | None:
    forms = sorted({form for name in names for form in spellings(name)}, key=lambda f: (-len(f), f))
    words = "|".join(map(re.escape, forms))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if forms else None


def phrases(text: str) -> set[str]:
    """Words that carry meaning, and pairs of them that stand together; small letters."""
    found: set[str] = set()
    stop = _stop_words()
    for line in _ADDRESS.sub("\n", text.casefold().replace("’", "'")).splitlines():
        before = ""
        for match in _WORD.finditer(line):
            word = match[0].removesuffix("'s")
            if word in stop or len(word) < 3:
                before = ""
                continue
            found.add(word)
            if before:
                found.add(f"{before} {word}")
            before = word
    return found


@cache
def _stop_words() -> frozenset[str]:
    from spacy.lang.en.stop_words import STOP_WORDS

    return frozenset(STOP_WORDS) | {"i'm", "it's", "don't", "can't", "i've", "you're", "that's"}


Source = Callable[[datetime, datetime], Iterable[Post]]
"""The complaints of a stretch of time, oldest first; may be asked again and again."""


def independent(posts: Sequence[Post]) -> list[Post]:
    """One post of each customer, and one of each text: what counts as a report of its own."""
    customers: set[str] = set()
    texts: set[str] = set()
    found = []
    for post in posts:
        if post.customer not in customers and post.words not in texts:
            found.append(post)
        customers.add(post.customer)
        texts.add(post.words)
    return found
