"""The page that a manager forwards: six questions, answered by numbers, drawings and tables.

One file that needs no network and runs no script. Each drawing has its numbers in a table beside
it, so nothing is said by colour or shape alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jinja2
import pandas as pd

from insight import charts
from insight.counts import each
from insight.figures import Figures

_TEMPLATES: Final = Path(__file__).parent / "templates"
_NOT_KNOWN: Final = "–"
_LONGEST: Final = 240


@dataclass(frozen=True)
class Table:
    """Cells as words; the first of a row is its heading."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Part:
    """A table, and perhaps its drawing with what it shows in words."""

    table: Table
    svg: str = ""
    words: str = ""


@dataclass(frozen=True)
class Section:
    """A question with its answer in a sentence."""

    anchor: str
    title: str
    answer: str
    parts: Sequence[Part] = field(default_factory=list)


def page(found: Figures, made_at: datetime) -> str:
    """The report as one HTML document; the same figures and time give the same text."""
    loader = jinja2.FileSystemLoader(_TEMPLATES)
    made = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    scope = found.scope
    return made.get_template("report.html").render(
        page={
            "title": scope.title,
            "stretch": f"{_day(scope.start)} to {_day(scope.end)}, UTC, beside the stretch of the "
            "same length before it.",
            "sections": [section(found) for section in SECTIONS],
            "notes": [
                "Counts are of public posts by people, without the brand's own and without deleted "
                "ones; complaints are what the model calls so, shares are of the posts that it "
                "could read. Authors are not named here; a link leads to the public post.",
                f"Made {made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC. {_NOT_KNOWN} means not known.",
            ],
        }
    )


def _unhappy(found: Figures) -> Section:
    now, before = found.heard.loc["now"], found.heard.loc["before"]
    answer = (
        f"{_count(now.complaints)} complaints among {_count(now.mentions)} posts "
        f"({_percent(now.share)}); before it were {_count(before.complaints)} among "
        f"{_count(before.mentions)} ({_percent(before.share)})."
    )
    days = found.days.assign(day=found.days["day"].dt.strftime("%a %-d %b"))
    parts = [
        Part(
            _table("Posts by day", days, {"day": "day", "mentions": "posts",
                   "complaints": "complaints", "before": "posts before"}),
            charts.bars_by_day(found.days),
            "Posts and complaints of each day; the line is the stretch before.",
        )
    ]  # fmt: skip
    for name in ("department", "source", "product", "severity", "language"):
        table = found.by[name]
        if len(table):
            drawn = name in ("department", "source", "product") and table["share"].notna().any()
            parts.append(
                Part(
                    _table(f"By {name}", table, _SPLIT | {"name": name}, {"share": _percent,
                           "usual": _percent}),
                    charts.bars_of_shares(table, name) if drawn else "",
                    f"Share of complaints by {name}; a tick is the share before.",
                )
            )  # fmt: skip
    if len(found.words):
        names = {"word": "word", "complaints": "complaints", "elsewhere": "other posts"}
        words = _table("Words that set complaints apart", found.words, names)
        parts.append(Part(words))
    parts.append(Part(_severe(found.severe)))
    return Section("unhappy", "What are people unhappy about today?", answer, parts)


_SPLIT: Final = {
    "name": "",
    "mentions": "posts",
    "complaints": "complaints",
    "share": "share",
    "before": "posts before",
    "usual": "share before",
}


def _severe(severe: pd.DataFrame) -> Table:
    rows = [
        [
            f"{one.created_at:%-d %b %H:%M}",
            one.source,
            _words(one.department),
            one.severity,
            _short(one.text),
            {"link": one.url, "words": f"post of {one.created_at:%-d %b %H:%M}, {one.source}"}
            if isinstance(one.url, str) and one.url.startswith(("https://", "http://"))
            else _NOT_KNOWN,
        ]
        for one in each(severe)
    ]
    columns = ["when", "source", "department", "severity", "what they say", "link"]
    return Table("The newest severe posts (accusation or blame)", columns, rows)


def _spreading(found: Figures) -> Section:
    live = found.incidents
    if live.empty:
        return Section("spreading", "What is spreading?", "Nothing that several people report.")
    first = live.iloc[0]
    answer = (
        f"{len(live)} {'incident' if len(live) == 1 else 'incidents'}; the largest is "
        f"“{first.title}” with {first.customers} customers on {len(first.sources)} networks, "
        f"noticed {_minutes(first.detected_at - first.first_at)} after the first post."
    )
    shown = live.assign(
        sources=live["sources"].map(lambda names: ", ".join(names)),
        first_at=live["first_at"].dt.strftime("%-d %b %H:%M"),
        last_at=live["last_at"].dt.strftime("%-d %b %H:%M"),
    )
    names = {
        "title": "incident", "state": "state", "severity": "severity", "customers": "customers",
        "sources": "networks", "first_at": "first post", "last_at": "last post",
        "peak": "most in 15 min", "owner": "owner",
    }  # fmt: skip
    parts = [Part(_table("Incidents", shown, names))]
    if len(found.curve):
        curve = found.curve.assign(at=found.curve["at"].dt.strftime("%-d %b %H:%M"))
        parts.append(
            Part(
                _table("Posts by quarter of an hour", curve[["at", "incident", "posts"]].tail(24),
                       {"at": "from", "incident": "incident", "posts": "posts"}),
                charts.curve(found.curve),
                "How each incident grew.",
            )
        )  # fmt: skip
    return Section("spreading", "What is spreading?", answer, parts)


def _keeping_up(found: Figures) -> Section:
    answers = found.answers
    title = "Are we keeping up?"
    if answers.empty:
        return Section("up", title, "No case was opened.", [])
    every = answers.iloc[-1]
    answer = (
        f"Of {every.cases} cases {every.answered} had a first answer, "
        f"half of them within {_hours(every.first_median)}; the promise was kept in {every.kept}, "
        f"breached in {every.breached}, and runs in {every.running}. {found.reopened} were "
        f"reopened. {int(found.waiting['cases'].sum())} wait."
    )
    hours = dict.fromkeys(("first_median", "first_p90", "ended_median"), _hours)
    names = {
        "department": "department", "cases": "cases", "answered": "answered",
        "first_median": "first answer, median", "first_p90": "nine of ten within",
        "ended_median": "resolved, median", "kept": "kept", "breached": "breached",
        "running": "running",
    }  # fmt: skip
    waiting = found.waiting.pivot_table(
        index="department", columns="tier", values="cases", aggfunc="sum", fill_value=0
    ).reset_index()
    parts = [
        Part(
            _table("Cases and their answers, by department", answers, names, hours),
            charts.bars_of_sla(answers),
            "Cases by department: promise kept, running, breached.",
        )
    ]
    if len(found.waiting):
        every_tier = {str(name): str(name) for name in waiting.columns}
        parts.append(Part(_table("Who waits, by department and tier", waiting, every_tier)))
    return Section("up", title, answer, parts)


def _coverage(found: Figures) -> Section:
    table = found.coverage
    asked, answered = table["asked"].sum(), table["answered"].sum()
    gaps, rejected = table["gaps"].sum(), table["rejected"].sum()
    answer = (
        f"{_count(answered)} of {_count(asked)} times a source was asked it answered; "
        f"{_count(gaps)} gaps are known, {_count(rejected)} items were not understood."
    )
    if not asked:
        answer = "No source was asked in this stretch; what is here was imported."
    names = {
        "source": "source", "asked": "asked", "answered": "answered", "heard": "new",
        "rejected": "not understood", "cut_off": "cut off", "gaps": "known gaps",
        "lag_minutes": "minutes to us, median",
    }  # fmt: skip
    drawn = table["lag_minutes"].notna().any()
    parts = [
        Part(
            _table("Sources", table, names, {"lag_minutes": _count}),
            charts.bars_of_lag(table) if drawn else "",
            "Minutes from a post to us, by source.",
        )
    ]
    if len(found.rejects):
        rejects = {"source": "source", "stage": "at which step", "rejects": "items"}
        parts.append(Part(_table("What was not understood", found.rejects, rejects)))
    return Section("misses", "Where does it come from, and what do we miss?", answer, parts)


def _model(found: Figures) -> Section:
    title = "Is the model right?"
    labels = int(found.calibration["labels"].sum())
    right = float((found.calibration["was"] * found.calibration["labels"]).sum())
    answer = (
        f"Of {labels} contacts that say so, {_count(right)} were complaints."
        if labels
        else "No contact has said yet whether it was a complaint."
    )
    abstained = _table(
        "What it left to people, by language", found.abstained,
        {"language": "language", "mentions": "posts", "not_read": "not read",
         "sort_by_hand": "no department"},
        {"not_read": _percent, "sort_by_hand": _percent},
    )  # fmt: skip
    parts = []
    if labels:
        parts.append(
            Part(
                _table("Probability against outcome", found.calibration,
                       {"said": "it said", "was": "it was", "labels": "contacts"},
                       {"said": _percent, "was": _percent}),
                charts.calibration(found.calibration),
                "What the model had said against what contacts found; on the line it was right.",
            )
        )  # fmt: skip
        outcomes = {"outcome": "outcome", "cases": "cases", "said": "it had said, mean"}
        parts.append(
            Part(_table("How contacts ended", found.outcomes, outcomes, {"said": _percent}))
        )
    return Section("model", title, answer, [*parts, Part(abstained)])


def _one_case(found: Figures) -> Section:
    title = "One customer, one case"
    case = found.case
    if case.empty:
        return Section("case", title, "No case was opened.")
    posts = int((case["what"] == "post").sum())
    channels = case.loc[case["what"] == "post", "source"].nunique()
    answer = (
        f"{case.attrs['ticket']}, of the cases with many posts the one on most networks: "
        f"{posts} posts on {channels} network{'' if channels == 1 else 's'}, answered as one."
    )
    shown = case.assign(
        at=[f"{at:%-d %b %H:%M}" for at in case["at"]], words=[_short(one) for one in case["words"]]
    )
    names = {"at": "when", "what": "what", "source": "where", "words": "words"}
    return Section("case", title, answer, [Part(_table("As it went", shown, names))])


SECTIONS: Final[Sequence[Callable[[Figures], Section]]] = (
    _unhappy,
    _spreading,
    _keeping_up,
    _coverage,
    _model,
    _one_case,
)


def _table(
    caption: str,
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    forms: Mapping[str, Callable[[Any], str]] | None = None,
) -> Table:
    """The named columns under other headings; numbers by `_count` unless a form is given."""
    cells: list[list[Any]] = []
    for name in columns:
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        form = (forms or {}).get(name, _count if numeric else _words)
        made = [form(value) for value in frame[name]]
        cells.append([_number(cell) for cell in made] if numeric and cells else made)
    return Table(caption, list(columns.values()), list(zip(*cells, strict=True)))


def _number(words: str) -> dict[str, Any]:
    return {"number": True, "words": words}


def _words(value: Any) -> str:
    return _NOT_KNOWN if pd.isna(value) else str(value)


def _count(value: Any) -> str:
    return _NOT_KNOWN if pd.isna(value) else f"{value:,.0f}"


def _percent(value: Any) -> str:
    return _NOT_KNOWN if pd.isna(value) else f"{value:.0%}"


def _hours(value: Any) -> str:
    if pd.isna(value):
        return _NOT_KNOWN
    return f"{value * 60:.0f} min" if value < 2 else f"{value:.1f} h"


def _minutes(length: pd.Timedelta) -> str:
    return f"{length.total_seconds() / 60:.0f} minutes"


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST - 1]}…"


def _day(at: datetime) -> str:
    return f"{at:%-d %B %Y %H:%M}"
