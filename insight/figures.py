"""The numbers of a report: one function from frames to small tables, compared with before.

A number is a plain count or a quantile of rows that anybody can look up in the frames. What is
not known (no post was read, nobody was reached) is NaN, never 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from insight import counts
from insight.counts import lane, within
from insight.frames import Frames
from insight.scope import Scope

LIKELY: Final = 50
_HEARD: Final = (
    *("uid", "source", "kind", "text", "url", "created_at", "collected_at", "owner", "namesake"),
    *("repost", "language", "complaint", "severity", "department", "customer"),
)


@dataclass(frozen=True)
class Figures:
    """Tables by name; see `figures` for how each is counted."""

    scope: Scope
    heard: pd.DataFrame
    """One row ``now`` and one ``before``: mentions, complaints, share."""
    days: pd.DataFrame
    """By ``day``: mentions, complaints, before (mentions of that day of the stretch before)."""
    by: Mapping[str, pd.DataFrame]
    """By source, department, product, language, severity: mentions, complaints, share, before."""
    words: pd.DataFrame
    """Words that set the complaints apart from all other posts of both stretches, by Dunning's
    log-likelihood ratio: complaints and posts elsewhere that use each, and its score."""
    severe: pd.DataFrame
    answers: pd.DataFrame
    """By department: cases, answered, median and p90 hours to the first response and to the
    end, kept, breached, running."""
    waiting: pd.DataFrame
    """By department and tier, what waits at the end of the stretch."""
    reopened: int
    incidents: pd.DataFrame
    curve: pd.DataFrame
    """Posts by ``at`` and incident."""
    coverage: pd.DataFrame
    """By source: asked, answered, heard, rejected, cut_off, gaps, lag_minutes (median)."""
    rejects: pd.DataFrame
    outcomes: pd.DataFrame
    calibration: pd.DataFrame
    """By bin of the model's probability: said (mean), was (share of complaints), labels."""
    abstained: pd.DataFrame
    """By language: mentions, not_read, sort_by_hand (shares)."""
    case: pd.DataFrame
    """Of the `LIKELY` cases with the most posts the one on the most networks, as it went: at, what,
    source, words."""


def figures(
    data: Frames, scope: Scope, products: Mapping[str, Sequence[str]] | None = None
) -> Figures:
    """Everything that a report says.

    A post counts if it was created within the stretch, was not deleted, and is by neither the
    brand nor about a namesake. A complaint is a post that the model calls one; ``share`` is of the
    posts that it could read. ``before`` is the stretch of the same length just before. A case
    counts by the time of the post that opened it; its first response is the first public answer
    or the first contact; its promise is running while it is neither answered nor overdue. Coverage
    and rejects are of all departments.
    """
    before_start = scope.start - (scope.end - scope.start)
    posts = data.mentions(_HEARD, before_start, scope.end)
    posts = posts[~posts["owner"].astype(bool) & ~posts["namesake"].astype(bool)]
    tickets = data.tickets()
    incidents = data.incidents()
    if scope.incident is not None:
        one = incidents[incidents["incident"] == scope.incident]
        posts = posts[posts["uid"].isin(one["posts"].iloc[0] if len(one) else [])]
        tickets = tickets[tickets["incident"] == scope.incident]
        incidents = one
    if scope.department is not None:
        posts = posts[lane(posts["department"]) == scope.department]
        tickets = tickets[lane(tickets["department"]) == scope.department]
        incidents = incidents[lane(incidents["department"]) == scope.department]
    recent = posts["created_at"] >= scope.start
    now, before = posts[recent], posts[~recent]
    opened = tickets[within(tickets["opened_at"], scope)]
    return Figures(
        scope=scope,
        heard=pd.DataFrame([counts.counts(now), counts.counts(before)], index=["now", "before"]),
        days=counts.days(now, before, scope),
        by=counts.by_value(now, before, products or {}),
        words=counts.words_apart(now, before),
        severe=counts.newest_severe(now),
        answers=counts.answers(opened, scope.end),
        waiting=counts.waiting(tickets, scope.end),
        reopened=_reopened(data, tickets, scope),
        incidents=counts.live(incidents, scope),
        curve=counts.curve(incidents, scope),
        coverage=counts.coverage(data.ledger(), now, scope),
        rejects=counts.rejects(data.rejects(), scope),
        outcomes=counts.outcomes(labels := _labels(data, scope, tickets)),
        calibration=counts.calibration(labels),
        abstained=counts.abstained(now),
        case=_case(data, opened),
    )


def tables_of(found: Figures) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each table by name, as rows of JSON values; not known is None, times are ISO 8601."""
    for name, value in vars(found).items():
        if isinstance(value, pd.DataFrame):
            yield name, _rows(value)
        elif isinstance(value, Mapping):
            yield from ((f"{name} {key}", _rows(table)) for key, table in value.items())
        elif isinstance(value, int):
            yield name, [{"cases": value}]


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    named = table.reset_index(names="row") if table.index.inferred_type == "string" else table
    rows: list[dict[str, Any]] = json.loads(named.to_json(orient="records", date_format="iso"))
    return rows


def _reopened(data: Frames, tickets: pd.DataFrame, scope: Scope) -> int:
    events = data.events()
    again = events[(events["kind"] == "reopened") & within(events["at"], scope)]
    return int(again["ticket"].isin(tickets["ticket"]).sum())


def _labels(data: Frames, scope: Scope, tickets: pd.DataFrame) -> pd.DataFrame:
    labels = data.labels()
    return labels[within(labels["at"], scope) & labels["ticket"].isin(tickets["ticket"])]


def _case(data: Frames, opened: pd.DataFrame) -> pd.DataFrame:
    columns = ["at", "what", "source", "words"]
    if opened.empty:
        return pd.DataFrame(columns=columns)
    likely = opened.sort_values(["posts", "voices", "ticket"], ascending=[False, False, True])
    likely = likely.head(LIKELY)
    uids = {fold["uid"] for folds in likely["mentions"] for fold in folds}
    known = data.store.mentions(sorted(uids))
    sources = [
        len({known[fold["uid"]].source for fold in folds if fold["uid"] in known})
        for folds in likely["mentions"]
    ]
    best = likely.iloc[int(np.argmax(sources))]
    said = [known[fold["uid"]] for fold in best["mentions"] if fold["uid"] in known]
    rows = [
        {"at": one.created_at, "what": "brand" if one.owner else "repost" if one.repost else "post",
         "source": one.source, "words": one.text}
        for one in said if not one.deleted
    ]  # fmt: skip
    rows += [
        # What agents wrote by hand stays with them: a report is forwarded.
        {
            "at": event.at,
            "what": event.kind,
            "source": "",
            "words": event.words if event.by == "triage" else "",
        }
        for event in data.store.events(best["ticket"])
    ]
    rows.sort(key=lambda row: (row["at"], row["what"]))
    made = pd.DataFrame(rows, columns=columns)
    made.attrs["ticket"] = best["ticket"]
    return made
