"""Asking in words: exactly, with mistakes forgiven, by meaning, or all three as one list.

Lists are combined by reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): a post's
score is the sum of 1 / (60 + its rank) over the lists that hold it. Scores of different ways need
not be comparable for that, only their order. Of the ways to combine that `bench.search` compares it
is the best on the half of the questions and quotations that decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from insight.frames import Frames, frame_of
from insight.vectors import Meaning
from triage.store.analysis import FACETS, SearchFilter
from triage.store.base import StoredMention
from triage.store.records import batches
from triage.tables import csv_of

Way = Literal["exact", "fuzzy", "meaning"]
ALL: Final[tuple[Way, ...]] = ("exact", "fuzzy", "meaning")
RRF: Final = 60
"""The constant of the fusion, as its authors chose it."""
DEPTH: Final = 200
"""How far down each list counts in a fusion."""
COLUMNS: Final = (
    *("uid", "created_at", "source", "department", "language", "severity", "complaint"),
    *("title", "text", "url"),
)
_BATCH: Final = 1_000


@dataclass(frozen=True)
class Found:
    """The best first; ``facets`` count the whole of what was found."""

    rows: pd.DataFrame
    """`COLUMNS`, and ``score``, ``ways`` (rank in each list that holds it)."""
    total: int
    """Posts in all lists together; a list by meaning has no end and counts `DEPTH` posts."""
    facets: Mapping[str, Mapping[str, int]]
    ways: tuple[str, ...]
    """What was asked, with the vectors' name."""


def search(
    data: Frames,
    words: str,
    wanted: SearchFilter,
    meaning: Meaning | None,
    ways: Sequence[Way] = ALL,
    limit: int = 20,
) -> Found:
    """Posts that are about the words; the same store and words give the same list."""
    lists: dict[str, list[str]] = {}
    whole: list[tuple[int, Mapping[str, Mapping[str, int]]]] = []
    for way in ways:
        if way == "meaning":
            if meaning is not None:
                near = meaning.nearest(data, words, wanted, DEPTH) if words.strip() else ()
                lists[f"meaning ({meaning.name})"] = [hit.uid for hit in near]
            continue
        hits = data.store.search(words, way, wanted, max(DEPTH, limit))
        lists[way] = [hit.uid for hit in hits.best]
        whole.append((hits.total, hits.facets))
    scores = fused(list(lists.values()))
    best = sorted(scores, key=lambda uid: (-scores[uid], uid))
    if len(lists) == 1 and whole:
        total, facets = whole[0]
    else:
        total, facets = len(best), _facets(_rows(data, best))
    rows = _rows(data, best[:limit])
    rows["score"] = [scores[uid] for uid in rows["uid"]]
    rows["ways"] = [_ranks(uid, lists) for uid in rows["uid"]]
    return Found(rows, total, facets, tuple(lists))


def fused(lists: Sequence[Sequence[str]]) -> dict[str, float]:
    """The score of each item of these lists by reciprocal rank fusion."""
    scores: dict[str, float] = {}
    for one in lists:
        for rank, item in enumerate(one, start=1):
            scores[item] = scores.get(item, 0.0) + 1.0 / (RRF + rank)
    return scores


def export(rows: pd.DataFrame, file: Path) -> None:
    """Write what was found as CSV that no spreadsheet takes for formulas, or as Parquet.

    Raises:
        ValueError: if the name ends with neither ``.csv`` nor ``.parquet``.
    """
    plain = rows.drop(columns="ways")
    if file.suffix == ".parquet":
        plain.to_parquet(file, index=False)
    elif file.suffix == ".csv":
        cells = plain.astype(object).where(plain.notna(), None).itertuples(index=False)
        file.write_text(csv_of(cells, list(plain.columns)), encoding="utf-8", newline="")
    else:
        raise ValueError(f"{file} is neither .csv nor .parquet: name it so")


def _rows(data: Frames, uids: Sequence[str]) -> pd.DataFrame:
    """The posts of these uids, in their order; one that has just been deleted is left out."""
    known: dict[str, StoredMention] = {}
    for some in batches(uids, _BATCH):
        known |= data.store.mentions(some)
    there = [known[uid] for uid in uids if uid in known and not known[uid].deleted]
    return frame_of(StoredMention, there, COLUMNS)


def _facets(rows: pd.DataFrame) -> dict[str, dict[str, int]]:
    counted = {name: rows[name].astype("string").fillna("").value_counts() for name in FACETS}
    return {name: {str(key): int(n) for key, n in some.items()} for name, some in counted.items()}


def _ranks(uid: str, lists: Mapping[str, Sequence[str]]) -> str:
    ranks = {name: one.index(uid) + 1 for name, one in lists.items() if uid in one}
    return ", ".join(f"{name} {rank}" for name, rank in ranks.items())
