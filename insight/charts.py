"""Charts as inline SVG, drawn without a browser; a colour means what it means on the boards."""

from __future__ import annotations

import re
from typing import Any, Final

import altair as alt
import pandas as pd
import vl_convert

from insight.kibana.files import colour_of

MEANINGS: Final = {
    "posts": "Posts",
    "complaints": "Complaints",
    "the stretch before": "Complaints a week before",
    "kept": "SLA kept",
    "breached": "SLA breached",
    "running": "SLA still in time",
    "as predicted": "a perfectly calibrated model",
}
"""What is drawn here, and what it is called on the boards, whose colours these are."""
COLOURS: Final = {name: colour_of(word) for name, word in MEANINGS.items()}
_WIDTH: Final = 460
_FONT: Final = "Helvetica, Arial, sans-serif"


def bars_by_day(days: pd.DataFrame) -> str:
    """Posts and complaints of each day, and a line of what the stretch before had."""
    long = days.rename(columns={"mentions": "posts", "before": "the stretch before"}).melt("day")
    base = alt.Chart(long).encode(
        x=alt.X(
            "utcyearmonthdate(day):O",
            title=None,
            axis=alt.Axis(format="%-d %b", labelOverlap=True, labelAngle=0),
        ),
        y=alt.Y("value:Q", title="posts a day", axis=_whole()),
        color=_colour("variable:N", ["posts", "complaints", "the stretch before"]),
    )
    is_before = alt.datum.variable == "the stretch before"
    bars = (
        base.transform_filter(~is_before)
        .mark_bar()
        .encode(y=alt.Y("value:Q", title="posts a day", axis=_whole(), stack=None))
    )
    line = base.transform_filter(is_before).mark_line(point=True)
    return _svg((bars + line).properties(width=_WIDTH, height=180))


def bars_of_shares(table: pd.DataFrame, name: str) -> str:
    """The share of complaints of each value; a tick where it was before."""
    shown = table.dropna(subset=["share"]).head(10)
    base = alt.Chart(shown).encode(y=alt.Y("name:N", title=None, sort=list(shown["name"])))
    percent = alt.Axis(format="%", tickCount=5)
    bars = base.mark_bar(color=COLOURS["complaints"]).encode(
        x=alt.X(
            "share:Q",
            title=f"complaints among posts, by {name}",
            axis=percent,
            scale=_whole_share(),
        )
    )
    ticks = base.mark_tick(color=COLOURS["the stretch before"], thickness=4, size=18).encode(
        x=alt.X("usual:Q", axis=percent)
    )
    return _svg((bars + ticks).properties(width=_WIDTH - 60, height=22 * max(1, len(shown))))


def bars_of_sla(answers: pd.DataFrame) -> str:
    """Cases by what became of their time, for each department."""
    states = ["kept", "running", "breached"]
    long = answers[answers["department"] != "all"].melt("department", states, "sla", "count")
    chart = (
        alt.Chart(long)
        .mark_bar()
        .encode(
            y=alt.Y("department:N", title=None),
            x=alt.X("count:Q", title="cases", axis=_whole()),
            color=_colour("sla:N", states),
        )
    )
    return _svg(chart.properties(width=_WIDTH - 60, height=22 * max(1, len(answers) - 1)))


def curve(points: pd.DataFrame) -> str:
    """Posts of the incidents by quarter of an hour, the five with the most."""
    most = points.groupby("incident")["posts"].sum().nlargest(5).index
    chart = (
        alt.Chart(points[points["incident"].isin(most)])
        .mark_line(point={"color": COLOURS["complaints"]}, color=COLOURS["complaints"])
        .encode(
            x=alt.X(
                "at:T",
                title=None,
                axis=alt.Axis(labelOverlap=True, format="%-d %b %H:%M", tickCount=5),
                scale=alt.Scale(type="utc"),
            ),
            y=alt.Y(
                "posts:Q", title="posts in a quarter of an hour", axis=_whole(points["posts"].max())
            ),
            strokeDash=alt.StrokeDash("incident:N", title=None, legend=_legend()),
        )
    )
    return _svg(chart.properties(width=_WIDTH, height=180))


def bars_of_lag(coverage: pd.DataFrame) -> str:
    """Minutes from a post to us, by source."""
    chart = (
        alt.Chart(coverage.dropna(subset=["lag_minutes"]))
        .mark_bar(color=COLOURS["posts"])
        .encode(
            y=alt.Y("source:N", title=None),
            x=alt.X("lag_minutes:Q", title="minutes from post to us, median"),
        )
    )
    return _svg(chart.properties(width=_WIDTH - 60, height=22 * max(1, len(coverage))))


def calibration(table: pd.DataFrame) -> str:
    """What the model had said against what contacts found; on the line it was right."""
    ideal = pd.DataFrame({"said": [0.0, 1.0], "was": [0.0, 1.0]})
    axis = alt.Axis(format="%", tickCount=5)
    line = (
        alt.Chart(ideal)
        .mark_line(color=COLOURS["as predicted"], strokeDash=[4, 4])
        .encode(x=alt.X("said:Q", axis=axis), y=alt.Y("was:Q", axis=axis))
    )
    points = (
        alt.Chart(table)
        .mark_point(filled=True, size=90, color=COLOURS["complaints"])
        .encode(
            x=alt.X("said:Q", title="the model's probability", axis=axis, scale=_whole_share()),
            y=alt.Y("was:Q", title="were complaints", axis=axis, scale=_whole_share()),
        )
    )
    return _svg((line + points).properties(width=220, height=180))


def _colour(field: str, names: list[str]) -> alt.Color:
    scale = alt.Scale(domain=names, range=[COLOURS[name] for name in names])
    return alt.Color(field, title=None, scale=scale, legend=_legend())


def _legend() -> alt.Legend:
    return alt.Legend(orient="top", title=None)


def _whole(most: float = 4) -> alt.Axis:
    """Whole numbers only: no more marks than there are of them."""
    return alt.Axis(format="d", tickMinStep=1, tickCount=int(min(4, max(1, most))))


def _whole_share() -> alt.Scale:
    return alt.Scale(domain=[0, 1])


def _svg(chart: Any) -> str:
    """The drawing alone, hidden from screen readers: the page says beside it what it shows."""
    drawn = chart.configure(font=_FONT, aria=False).configure_view(stroke=None).to_json()
    svg: str = vl_convert.vegalite_to_svg(drawn)
    plain = re.sub(r' (?:role|aria-[a-z]+|aria-roledescription)="[^"]*"', "", svg)
    return plain.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
