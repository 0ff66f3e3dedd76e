"""Counting: from a frame to a small table, as `insight.figures` describes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from insight.frames import TIME
from insight.scope import SORTED_BY_HAND, Scope
from nlp.listed import spellings
from triage.causes import NO_CHANCE
from triage.publishing import NOT_READ, SEVERITIES
from triage.surprise import log_likelihood

SEVERE: Final = 3
"""Accusation and blame; see `nlp.assessment`."""
NEWEST: Final = 10
BINS: Final = 5
WINDOW: Final = "%Y%m%dT%H%M%SZ"
"""How `listeners.landing.window_name` writes a window."""
SEVERAL: Final = 3
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_MASK: Final = re.compile(r"\[[^\]]*\]|https?://\S+|[@#]\S+")
_HOUR: Final = 3600.0


def each(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows, each with its columns as attributes."""
    yield from frame.itertuples()


def lane(departments: pd.Series) -> pd.Series:
    """Departments, with a word for those that people sort by hand."""
    return departments.fillna(SORTED_BY_HAND)


def severity(levels: pd.Series) -> pd.Series:
    """Levels in the words of the boards: ``4 blame``."""
    return levels.map(dict(enumerate(SEVERITIES)), na_action="ignore").fillna(NOT_READ)


def within(times: pd.Series, scope: Scope) -> pd.Series:
    """Whether each time is in the stretch."""
    return (times >= scope.start) & (times < scope.end)


def counts(posts: pd.DataFrame) -> dict[str, float]:
    """Posts, complaints, and the share of complaints among those that were read."""
    read = posts["complaint"].dropna()
    complaints = int(read.sum())
    share = complaints / len(read) if len(read) else np.nan
    return {"mentions": len(posts), "complaints": complaints, "share": share}


def days(now: pd.DataFrame, before: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """`Figures.days`."""
    length = scope.end - scope.start
    days = pd.date_range(
        pd.Timestamp(scope.start).floor("D"), pd.Timestamp(scope.end), freq="D", inclusive="left"
    )
    day = now["created_at"].dt.floor("D")
    counted = pd.DataFrame(
        {
            "mentions": now.groupby(day).size(),
            "complaints": now["complaint"].fillna(False).astype(int).groupby(day).sum(),
            "before": before.groupby((before["created_at"] + length).dt.floor("D")).size(),
        }
    )
    return counted.reindex(days).fillna(0).astype(int).rename_axis("day").reset_index()


def by_value(
    now: pd.DataFrame, before: pd.DataFrame, products: Mapping[str, Sequence[str]]
) -> dict[str, pd.DataFrame]:
    """`Figures.by`."""
    keys: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
        "source": lambda posts: posts["source"],
        "department": lambda posts: lane(posts["department"]),
        "language": lambda posts: posts["language"],
        "severity": lambda posts: severity(posts["severity"]),
    }
    made = {
        name: _split(_groups(now, of(now)), _groups(before, of(before)))
        for name, of in keys.items()
    }
    made["severity"] = made["severity"].sort_values("name", ascending=False)
    made["product"] = _split(_naming(now, products), _naming(before, products))
    return made


def _groups(posts: pd.DataFrame, keys: pd.Series) -> dict[str, pd.DataFrame]:
    return {str(key): some for key, some in posts.groupby(keys)}


def _naming(posts: pd.DataFrame, products: Mapping[str, Sequence[str]]) -> dict[str, pd.DataFrame]:
    """The posts that name each product, however it is written."""
    found = {}
    for name, others in products.items():
        forms = {form for one in (name, *others) for form in spellings(one)}
        if not forms:
            continue
        said = rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(forms)))})(?!\w)"
        naming = posts[posts["text"].str.contains(said, case=False, regex=True)]
        if len(naming):
            found[name] = naming
    return found


def _split(now: Mapping[str, pd.DataFrame], before: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    rows = []
    for name in sorted({*now, *before}):
        past = counts(before[name]) if name in before else {"mentions": 0, "share": np.nan}
        here = (
            counts(now[name]) if name in now else {"mentions": 0, "complaints": 0, "share": np.nan}
        )
        rows.append({"name": name, **here, "before": past["mentions"], "usual": past["share"]})
    columns = ["name", "mentions", "complaints", "share", "before", "usual"]
    made = pd.DataFrame(rows, columns=columns)
    return made.sort_values(["complaints", "mentions", "name"], ascending=[False, False, True])


def words_apart(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """`Figures.words`."""
    columns = ["word", "complaints", "elsewhere", "score"]
    complains = now["complaint"].fillna(False).astype(bool) & ~now["repost"].astype(bool)
    posts, others = now[complains], pd.concat([now[~complains], before])
    inside, outside = _used(posts["text"]), _used(others["text"])
    rows = [
        (word, count, outside[word], score)
        for word, count in inside.items()
        if count >= SEVERAL
        and (score := log_likelihood(count, len(posts), outside[word], max(len(others), 1)))
        >= NO_CHANCE
    ]
    rows.sort(key=lambda row: (-row[-1], row[0]))
    return pd.DataFrame(rows[:NEWEST], columns=columns)


def _used(texts: pd.Series) -> Counter[str]:
    """How many of the texts use each word; what stands for masked data is none."""
    found: Counter[str] = Counter()
    for text in texts:
        found.update({*_WORD.findall(_MASK.sub(" ", text.casefold()))} - ENGLISH_STOP_WORDS)
    return found


def newest_severe(now: pd.DataFrame) -> pd.DataFrame:
    """`Figures.severe`."""
    severe = now[(now["severity"] >= SEVERE).fillna(False) & ~now["repost"].astype(bool)]
    newest = severe.sort_values(["created_at", "uid"], ascending=False).head(NEWEST)
    newest = newest.assign(
        department=lane(newest["department"]), severity=severity(newest["severity"])
    )
    return newest[["created_at", "source", "department", "severity", "text", "url"]]


def first_response(tickets: pd.DataFrame) -> pd.Series:
    """When each case was first answered in public or contacted; NaT if it was not."""
    return tickets[["answered_at", "handling.contacted_at"]].min(axis=1)


def sla(tickets: pd.DataFrame, now: datetime) -> pd.Series:
    """``kept``, ``breached`` or ``running`` of each case, by the clock of `triage.sla.clock_of`:
    it stops when the customer is contacted, or the case is closed."""
    stopped = tickets["handling.contacted_at"].fillna(tickets["handling.closed_at"])
    due = tickets["sla_due"]
    state = pd.Series("running", index=tickets.index, dtype="string")
    state[stopped.notna() & (stopped <= due)] = "kept"
    state[(stopped.notna() & (stopped > due)) | (stopped.isna() & (due <= now))] = "breached"
    return state


def answers(opened: pd.DataFrame, now: datetime) -> pd.DataFrame:
    """`Figures.answers`."""
    first = first_response(opened) - opened["opened_at"]
    ended = opened["handling.closed_at"] - opened["opened_at"]
    resolved = opened["handling.status"] == "resolved"
    table = pd.DataFrame(
        {
            "department": lane(opened["department"]),
            "first": first.dt.total_seconds() / _HOUR,
            "ended": ended.dt.total_seconds().where(resolved) / _HOUR,
            "sla": sla(opened, now),
        }
    )
    rows = [{"department": name, **_timed(some)} for name, some in table.groupby("department")]
    if rows:
        rows.append({"department": "all", **_timed(table)})
    columns = ["department", "cases", "answered", "first_median", "first_p90", "ended_median"]
    return pd.DataFrame(rows, columns=[*columns, "kept", "breached", "running"])


def _timed(some: pd.DataFrame) -> dict[str, float]:
    return {
        "cases": len(some),
        "answered": int(some["first"].notna().sum()),
        "first_median": float(some["first"].median()),
        "first_p90": float(some["first"].quantile(0.9)),
        "ended_median": float(some["ended"].median()),
        **{state: int((some["sla"] == state).sum()) for state in ("kept", "breached", "running")},
    }


def waiting(tickets: pd.DataFrame, end: datetime) -> pd.DataFrame:
    """`Figures.waiting`."""
    there = tickets[tickets["opened_at"] < end]
    waits = there[there["handling.status"].isin(["new", "claimed", "waiting", "reopened"])]
    counted = waits.groupby([lane(waits["department"]), "tier"]).size()
    return counted.rename("cases").reset_index()


def live(incidents: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """`Figures.incidents`."""
    columns = [
        *("incident", "title", "state", "severity", "first_at", "detected_at", "last_at"),
        *("peak", "customers", "sources", "owner"),
    ]
    live = incidents[(incidents["first_at"] < scope.end) & (incidents["last_at"] >= scope.start)]
    return live.sort_values(["customers", "incident"], ascending=[False, True])[columns]


def curve(incidents: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """`Figures.curve`."""
    rows = [
        {"incident": one.title, "at": pd.Timestamp(point["at"]), "posts": point["posts"]}
        for one in each(incidents)
        for point in one.curve
    ]
    found = pd.DataFrame(rows, columns=["incident", "at", "posts"])
    return found[within(found["at"], scope)] if rows else found


def coverage(ledger: pd.DataFrame, now: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """`Figures.coverage`."""
    began = pd.to_datetime(ledger["window"], format=WINDOW, utc=True, errors="coerce")
    # Imported files have no window: they count when they were imported.
    asked = ledger[within(began.astype(TIME).fillna(ledger["finished_at"]), scope)]
    well = asked["outcome"].isin(["ok", "partial"]) & asked["error"].isna()
    lag = (now["collected_at"] - now["created_at"]).dt.total_seconds() / 60
    table = pd.DataFrame(
        {
            "asked": asked.groupby("source").size(),
            "answered": well.groupby(asked["source"]).sum(),
            "heard": asked.groupby("source")["new"].sum(),
            "rejected": asked.groupby("source")["rejected"].sum(),
            "cut_off": asked["cut_off"].astype(int).groupby(asked["source"]).sum(),
            "gaps": asked["gaps"].map(len).astype(int).groupby(asked["source"]).sum(),
        }
    )
    lags = lag.groupby(now["source"]).median().rename("lag_minutes")
    return table.join(lags, how="outer").rename_axis("source").reset_index()


def rejects(rejects: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """`Figures.rejects`."""
    recent = rejects[within(rejects["at"], scope)]
    counted = recent.groupby(["source", "stage"]).size().rename("rejects")
    return counted.reset_index()


def outcomes(labels: pd.DataFrame) -> pd.DataFrame:
    """`Figures.outcomes`."""
    counted = labels.groupby("outcome").agg(cases=("ticket", "size"), said=("said", "mean"))
    return counted.reset_index()


def calibration(labels: pd.DataFrame) -> pd.DataFrame:
    """`Figures.calibration`."""
    known = labels.dropna(subset=["said", "complaint"])
    bins = (known["said"] * BINS).clip(upper=BINS - 1e-9).astype(int)
    counted = known.assign(was=known["complaint"].astype(float)).groupby(bins)
    return counted.agg(said=("said", "mean"), was=("was", "mean"), labels=("was", "size"))


def abstained(now: pd.DataFrame) -> pd.DataFrame:
    """`Figures.abstained`."""
    table = pd.DataFrame(
        {
            "language": now["language"],
            "not_read": now["complaint"].isna(),
            "sort_by_hand": now["department"].isna(),
        }
    )
    shares = table.groupby("language")[["not_read", "sort_by_hand"]].mean()
    counted = table.groupby("language").size().rename("mentions")
    return shares.join(counted).sort_values("mentions", ascending=False).reset_index()
