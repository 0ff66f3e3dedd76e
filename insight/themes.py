"""What complaints are about: themes with a name, examples and a trend, the same from week to week.

A sample is put into clusters by k-means on its vectors (the encoder's, or latent semantic analysis
without it); a linear classifier over words that has learnt the clusters puts all others there, so
that time grows with the number of posts and the encoder reads no more than the sample. A theme is
named by its words of the highest class-based TF-IDF (Grootendorst, 2022). It takes over id and name
of the former theme whose words are most like its own (an optimal assignment by cosine), if they are
like enough. No name is given twice.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from insight.frames import Frames
from insight.vectors import Floats, lsa, weighted_words
from triage.store.base import Store
from triage.store.shelf import Keep

Embed = Callable[[Sequence[str]], Floats]
Labels = npt.NDArray[np.int64]

SAMPLE: Final = 6_000
"""Posts that are clustered; the encoder needs some milliseconds for each."""
MOST: Final = 24
"""Themes that are looked for at most."""
WORDS: Final = 40
"""Words that a theme is known by."""
NAMED: Final = 3
STARTS: Final = 10
"""Times that k-means begins anew; the best is kept."""
LIKE: Final = 0.35
"""Cosine between the words of two weeks from which they are one theme."""
EXAMPLES: Final = 3
WEEK: Final = timedelta(days=7)
_KEY: Final = "themes"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A theme as it is remembered: no post of it is kept."""

    theme: str
    name: str
    words: dict[str, float]
    """Class-based TF-IDF of its strongest words, of unit length."""
    seen_at: datetime


class Theme(msgspec.Struct, frozen=True, kw_only=True):
    """What many complain about."""

    theme: str
    """``H-`` and 8 hex digits; stays when the theme is found again."""
    name: str
    posts: int
    customers: int
    this_week: int
    """Posts of the last seven days."""
    usual: float | None
    """Posts in seven days, a mean over the whole weeks before; None where there is none."""
    new: bool
    """Not known from an earlier look."""
    weeks: tuple[int, ...]
    """Posts by week, the oldest first; the last is this one."""
    examples: tuple[str, ...]
    """Masked texts, those nearest to the middle of the theme."""
    uids: tuple[str, ...]
    """Of the examples."""


def themes(
    data: Frames,
    now: datetime,
    weeks: int = 4,
    count: int | None = None,
    embed: Embed = lsa,
) -> tuple[list[Theme], pd.DataFrame]:
    """The themes of the complaints of the last weeks, and ``uid``, ``theme`` of each complaint.

    Reposts and the brand's own posts are left out. Remembers the themes in the store, for the
    next look; the same store, time and past give the same answer.
    """
    columns = ["uid", "created_at", "customer", "text", "complaint", "repost", "owner"]
    chunks = [
        chunk[chunk["complaint"].fillna(False) & ~chunk["repost"] & ~chunk["owner"]]
        for chunk in data.mention_chunks(columns, now - weeks * WEEK, now)
    ]
    said = pd.concat(chunks, ignore_index=True) if chunks else pd.DataFrame(columns=columns)
    before = remembered(data.store)
    texts = said["text"].tolist()
    labels, nearness = cluster(texts, count or usual_count(len(texts)), embed)
    words = words_of(texts, labels)
    named = name(words, before, now)
    found = [
        _theme(named[label], said[labels == label], nearness[labels == label], now, weeks, before)
        for label in sorted(words)
    ]
    remember(data.store, [named[label] for label in sorted(words)], before, now)
    ids = pd.Series([named[label].theme if label in named else None for label in labels.tolist()])
    assigned = pd.DataFrame({"uid": said["uid"], "theme": ids.astype("string")})
    return sorted(found, key=lambda one: (-one.this_week, -one.posts, one.theme)), assigned


def usual_count(posts: int) -> int:
    """How many themes so many posts are parted into."""
    return int(min(MOST, max(2, round(posts**0.5 / 4))))


def cluster(texts: Sequence[str], count: int, embed: Embed = lsa) -> tuple[Labels, Floats]:
    """A number below ``count`` for each text, and how near it is to the middle of its cluster.

    In near-linear time. The same texts in the same order give the same numbers; -1 for all where
    there are fewer texts than clusters.
    """
    from sklearn.cluster import KMeans

    nothing = np.full(len(texts), -1, dtype=np.int64), np.zeros(len(texts), dtype=np.float32)
    if len(texts) < max(count, 2):
        return nothing
    chosen = sorted(random.Random(0).sample(range(len(texts)), min(SAMPLE, len(texts))))
    rows = centred(embed([texts[at] for at in chosen]))
    if len(np.unique(rows, axis=0)) < count:
        return nothing
    fitted = KMeans(count, n_init=STARTS, random_state=0).fit(rows)
    if len(chosen) == len(texts):
        near = np.einsum("ij,ij->i", rows, fitted.cluster_centers_[fitted.labels_])
        return fitted.labels_.astype(np.int64), near.astype(np.float32)
    return _spread(texts, chosen, fitted.labels_)


def _spread(texts: Sequence[str], chosen: list[int], labels: Labels) -> tuple[Labels, Floats]:
    """From the labels of the sample to those of all, by words."""
    from sklearn.svm import LinearSVC

    counted = weighted_words(texts)
    scores = LinearSVC(random_state=0).fit(counted[chosen], labels).decision_function(counted)
    if scores.ndim == 1:
        scores = np.stack([-scores, scores], axis=1)
    return scores.argmax(axis=1).astype(np.int64), scores.max(axis=1).astype(np.float32)


def centred(rows: Floats) -> Floats:
    """The rows without what all of them share, of unit length again."""
    shifted = rows - rows.mean(axis=0)
    made: Floats = shifted / np.maximum(np.linalg.norm(shifted, axis=1, keepdims=True), 1e-9)
    return made


def words_of(texts: Sequence[str], labels: Labels) -> dict[int, dict[str, float]]:
    """The words that set each cluster apart, by class-based TF-IDF, of unit length."""
    from sklearn.feature_extraction.text import CountVectorizer

    if not len(labels) or labels.max() < 0:
        return {}
    counter = CountVectorizer(stop_words="english", token_pattern=r"(?u)\b[^\W\d_]{3,}\b", min_df=2)
    try:
        counted = counter.fit_transform(texts)
    except ValueError:  # no word is used twice
        return {}
    members = pd.get_dummies(labels).to_numpy(dtype=np.float64).T
    in_class = members @ counted
    size = np.maximum(in_class.sum(axis=1, keepdims=True), 1)
    rarity = np.log(1 + in_class.sum() / len(members) / in_class.sum(axis=0))
    weights = in_class / size * rarity
    vocabulary = counter.get_feature_names_out()
    found = {}
    for label, row in zip(sorted(set(labels.tolist())), weights, strict=True):
        best = np.lexsort((np.arange(len(row)), -row))[:WORDS]
        strong = {str(vocabulary[at]): float(row[at]) for at in best if row[at] > 0}
        length = sum(weight**2 for weight in strong.values()) ** 0.5
        if strong:
            found[label] = {word: weight / length for word, weight in strong.items()}
    return found


def name(
    words: Mapping[int, Mapping[str, float]], before: Sequence[Known], now: datetime
) -> dict[int, Known]:
    """The theme of each cluster: a known one with its name, or a new one."""
    from scipy.optimize import linear_sum_assignment

    labels = sorted(words)
    like = np.zeros((len(labels), len(before)))
    for row, label in enumerate(labels):
        for column, known in enumerate(before):
            like[row, column] = likeness(words[label], known.words)
    kept: dict[int, Known] = {}
    for row, column in zip(*linear_sum_assignment(-like), strict=True):
        if like[row, column] >= LIKE:
            kept[labels[row]] = before[column]
    taken = {one.name for one in before}
    found = {}
    for label in labels:
        known_as = kept.get(label)
        title = known_as.name if known_as else _free_name(words[label], taken)
        taken.add(title)
        found[label] = Known(
            theme=known_as.theme if known_as else _theme_id(title, now),
            name=title,
            words=dict(words[label]),
            seen_at=now,
        )
    return found


def likeness(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The cosine of two rows of weights of unit length."""
    return sum(weight * other.get(word, 0.0) for word, weight in one.items())


def _free_name(words: Mapping[str, float], taken: set[str]) -> str:
    """As few of the strongest words as make a name that no other theme has."""
    strongest = sorted(words, key=lambda word: (-words[word], word))
    for length in range(NAMED, len(strongest) + 1):
        if (title := ", ".join(strongest[:length])) not in taken:
            return title
    title = ", ".join(strongest[:NAMED])
    number = 2
    while f"{title} ({number})" in taken:
        number += 1
    return f"{title} ({number})" if title in taken else title


def _theme_id(title: str, now: datetime) -> str:
    return "H-" + hashlib.sha256(f"{title}\x1f{now.isoformat()}".encode()).hexdigest()[:8]


def _theme(
    known: Known,
    said: pd.DataFrame,
    nearness: Floats,
    now: datetime,
    weeks: int,
    before: Sequence[Known],
) -> Theme:
    age = (now - said["created_at"]).dt.total_seconds() // WEEK.total_seconds()
    ago = age.astype(int).clip(upper=weeks - 1)
    by_week = [int((ago == week).sum()) for week in reversed(range(weeks))]
    nearest = said.assign(near=nearness).sort_values(["near", "uid"], ascending=[False, True])
    shown = nearest.drop_duplicates("text").drop_duplicates("customer").head(EXAMPLES)
    return Theme(
        theme=known.theme,
        name=known.name,
        posts=len(said),
        customers=int(said["customer"].nunique()),
        this_week=by_week[-1],
        usual=sum(by_week[:-1]) / (weeks - 1) if weeks > 1 else None,
        new=known.theme not in {one.theme for one in before},
        weeks=tuple(by_week),
        examples=tuple(shown["text"]),
        uids=tuple(shown["uid"]),
    )


def remembered(store: Store) -> list[Known]:
    """The themes of earlier looks, by id."""
    kept = store.shelved("theme", [_KEY]).get(_KEY)
    return msgspec.json.decode(kept.body, type=list[Known]) if kept else []


def remember(store: Store, found: Sequence[Known], before: Sequence[Known], now: datetime) -> None:
    """Keep the themes found; those that were not found again are kept as they were."""
    every: dict[str, Any] = {one.theme: one for one in (*before, *found)}
    kept = store.shelved("theme", [_KEY]).get(_KEY)
    record = [every[theme] for theme in sorted(every)]
    version = kept.version if kept else None
    store.shelve("theme", [Keep(key=_KEY, at=now, record=record, version=version)])
