"""The same numbers by pandas: frames from the landing zone, and what a panel is of them.

Mentions and the ledger are read from the landing zone's files; cases, their history, incidents and
outcomes exist in the store alone. Nothing here uses `triage.publishing`: it is what is tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from insight.kibana.files import Saved
from insight.kibana.kql import Many, Node, parse
from insight.kibana.queries import STEPS, Rows, Span, interval_of, layer_of, shift_of
from listeners import ledger
from listeners.landing import RAW, scored
from listeners.mention import Mention
from nlp.assessment import decode
from nlp.loading import model_id
from outcry.settings import Settings
from triage.contacts import labels
from triage.incidents import incidents
from triage.rows import RowMaker
from triage.store import Store

WORDS = {
    0: "0 no complaint",
    1: "1 no open reproach",
    2: "2 disapproval",
    3: "3 accusation",
    4: "4 blame",
}
HOUR = timedelta(hours=1)
EPOCH = pd.Timestamp(0, tz="UTC")
MILLISECOND = pd.Timedelta(1, "ms")


def frames(settings: Settings, store: Store) -> dict[str, pd.DataFrame]:
    """A frame for each data view, its columns those that panels use."""
    tickets = _tickets(settings, store)
    return {
        "mentions": _mentions(settings),
        "tickets": tickets,
        "ticket-events": _events(settings, store, tickets),
        "incidents": _incidents(store),
        "ledger": _ledger(settings),
        "outcomes": _outcomes(store),
    }


def _severity(levels: pd.Series) -> pd.Series:
    return levels.map(WORDS).fillna("not read")


def _mentions(settings: Settings) -> pd.DataFrame:
    landing, kind = settings.landing, scored(model_id(settings.model_folder))
    maker = RowMaker(settings.rules)
    rows: dict[str, dict[str, Any]] = {}
    for part in landing.parts(RAW):
        said = [one for one in landing.records(part) if isinstance(one, Mention)]
        for mention, line in zip(said, landing.read_lines(kind, part), strict=True):
            for row in maker.rows(mention, decode(line)):
                rows[row.uid] = {f: getattr(row, f) for f in row.__struct_fields__}
    frame = pd.DataFrame(rows.values())
    created, heard = (pd.to_datetime(frame[n], utc=True) for n in ("created_at", "collected_at"))
    frame["@timestamp"] = pd.concat([created, heard], axis=1).min(axis=1)
    frame["lag_minutes"] = ((heard - created).dt.total_seconds() / 60).round(3)
    frame["said_by"] = np.where(frame["owner"], "brand", "customer")
    aside = frame[["owner", "repost", "private", "namesake"]].any(axis=1)
    frame["counted"] = np.where(aside, "no", "yes")
    frame["complaint_share"] = frame["complaint"].map({True: 1, False: 0})
    frame["reading"] = frame["complaint"].map({True: "complaint", False: "other"})
    frame["reading"] = frame["reading"].fillna("not read")
    frame["not_read_share"] = frame["complaint"].isna().astype(int)
    frame["by_hand_share"] = frame["department"].isna().astype(int)
    frame["department"] = frame["department"].fillna("by hand")
    frame["severity_level"] = frame["severity"]
    frame["severity"] = _severity(frame["severity"])
    frame["words"] = frame["evidence"].map(lambda words: [word.casefold() for word in words])
    return frame


def _tickets(settings: Settings, store: Store) -> pd.DataFrame:
    frame = pd.DataFrame(
        {**{f: getattr(t, f) for f in t.__struct_fields__}, **msgspec.structs.asdict(t.handling)}
        | {"routed": t.department}
        for t in store.all_tickets()
    )
    for name in ("opened_at", "contacted_at", "closed_at", "reopened_at", "sla_due"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    frame["@timestamp"] = frame["opened_at"]
    frame["department"] = frame["routed"].fillna("by hand")
    stopped = frame["contacted_at"].fillna(frame["closed_at"])
    kept = stopped <= frame["sla_due"]
    frame["sla"] = np.select([stopped.isna(), kept], ["running", "kept"], "breached")
    frame["sla_kept_share"] = kept.astype(float).where(stopped.notna())
    start = frame["reopened_at"].fillna(frame["opened_at"])
    frame["first_response_minutes"] = _minutes(start, frame["contacted_at"])
    over = frame["status"].isin(["resolved", "dismissed"])
    frame["resolution_minutes"] = _minutes(frame["opened_at"], frame["closed_at"]).where(over)
    frame["open"] = ~over
    frame["reopened"] = frame["reopened_at"].notna()
    frame["reach_gained"] = frame["gained"]
    frame["team"] = frame["agent"].map(_teams(settings))
    frame["severity"] = _severity(frame["severity"])
    return frame


def _teams(settings: Settings) -> Any:
    known = {
        n: (a.departments or ("all departments",))[0] for n, a in settings.rules.agents.items()
    }
    return lambda agent: None if agent is None or agent != agent else known.get(agent, "no team")


def _events(settings: Settings, store: Store, tickets: pd.DataFrame) -> pd.DataFrame:
    rows = [msgspec.structs.asdict(e) for t in tickets["ticket"] for e in store.events(t)]
    frame = pd.DataFrame(rows)
    frame["@timestamp"] = pd.to_datetime(frame["at"], utc=True)
    frame["event"] = frame["kind"]
    frame["team"] = frame["by"].map(_teams(settings)).where(frame["by"] != "triage", "triage")
    return frame


def _incidents(store: Store) -> pd.DataFrame:
    rows = []
    for one in incidents(store):
        row = msgspec.structs.asdict(one)
        curve = pd.Series({point.at: point.posts for point in one.curve})
        last = curve[curve.index > one.last_at - HOUR].sum()
        before = curve[(curve.index > one.last_at - 2 * HOUR)].sum() - last
        row |= {
            "@timestamp": one.first_at,
            "live": one.state in ("open", "confirmed"),
            "impact": one.severity,
            "source": list(one.sources),
            "posts": len(one.posts),
            "growth": int(last - before),
            "minutes_to_detect": (one.detected_at - one.first_at).total_seconds() / 60,
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _ledger(settings: Settings) -> pd.DataFrame:
    frame = pd.DataFrame(msgspec.structs.asdict(row) for row in ledger.rows(settings.landing))
    frame["@timestamp"] = pd.to_datetime(frame["finished_at"], utc=True)
    frame["newest"] = pd.to_datetime(frame["newest"], utc=True)
    frame["result"] = frame["outcome"]
    frame["failed_share"] = (frame["outcome"] == "failed").astype(int)
    frame["gaps"] = frame["gaps"].map(len)
    return frame


def _outcomes(store: Store) -> pd.DataFrame:
    frame = pd.DataFrame(msgspec.structs.asdict(one) for one in labels(store))
    frame["@timestamp"] = pd.to_datetime(frame["at"], utc=True)
    frame["complaint_probability"] = frame["said"]
    frame["right_share"] = frame["complaint"].map({True: 1, False: 0})
    frame["truth"] = frame["complaint"].map({True: "complaint", False: "other"})
    frame["truth"] = frame["truth"].fillna("not known")
    return frame


def _minutes(start: pd.Series, end: pd.Series) -> pd.Series:
    return ((end - start).dt.total_seconds() / 60).round(3)


# what a panel is of a frame


def answer(panel: Saved, frame: pd.DataFrame, span: Span) -> Rows:
    """The rows of a Lens panel."""
    columns = layer_of(panel)["columns"]
    order = layer_of(panel)["columnOrder"]
    buckets = [columns[name] for name in order if columns[name]["isBucketed"]]
    metrics = {name: columns[name] for name in order if not columns[name]["isBucketed"]}
    query = panel.attributes["state"]["query"]["query"]
    rows: Rows = {}
    for shift in sorted({shift_of(column) for column in metrics.values()}):
        asked = span.earlier(shift)
        at = frame["@timestamp"]
        some = frame[(at >= asked.start) & (at < asked.end)]
        some = some[mask(parse(query), some, span.now)].assign(
            later=lambda f, s=shift: f["@timestamp"] + s
        )
        mine = {name: column for name, column in metrics.items() if shift_of(column) == shift}
        for key, values in _rows(some, buckets, mine, span, ()):
            rows.setdefault(key, {}).update(values)
    return rows


def mask(node: Node, frame: pd.DataFrame, now: Any) -> pd.Series:
    """Which rows a query finds."""
    if isinstance(node, Many):
        parts = [mask(part, frame, now) for part in node.parts]
        if node.how == "not":
            return ~parts[0]
        found = pd.Series(node.how != "or", index=frame.index)
        for part in parts:
            found = found | part if node.how == "or" else found & part
        return found
    values = frame[node.field]
    if node.sign == "*":
        there = values.map(lambda v: bool(len(v)) if isinstance(v, list | tuple) else pd.notna(v))
        return there.astype(bool)
    if node.sign == ":":
        wanted: Any = {"true": True, "false": False}.get(node.value, node.value)
        return values.map(
            lambda v: wanted in v if isinstance(v, list | tuple) else v == wanted
        ).astype(bool)
    edge: Any = pd.Timestamp(now) if node.value == "now" else float(node.value)
    compare = {"<": values.lt, "<=": values.le, ">": values.gt, ">=": values.ge}
    return compare[node.sign](edge).fillna(False).astype(bool)


def _rows(
    frame: pd.DataFrame,
    buckets: list[Any],
    metrics: Mapping[str, Any],
    span: Span,
    key: tuple[Any, ...],
) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    if not buckets:
        yield key, {name: _value(frame, column, span.now) for name, column in metrics.items()}
        return
    for own, some in _parts(frame, buckets[0], metrics, span):
        if len(some):
            yield from _rows(some, buckets[1:], metrics, span, (*key, own))


def _parts(
    frame: pd.DataFrame, column: Mapping[str, Any], metrics: Mapping[str, Any], span: Span
) -> Iterator[tuple[Any, pd.DataFrame]]:
    kind, params, field = column["operationType"], column["params"], column.get("sourceField")
    if kind == "filters":
        for one in params["filters"]:
            yield one["label"], frame[mask(parse(one["input"]["query"]), frame, span.now)]
    elif kind == "range":
        for one in params["ranges"]:
            values = frame[field]
            below = True if one["to"] is None else values < one["to"]
            yield one["label"], frame[(values >= one["from"]) & below]
    elif kind == "date_histogram":
        width = dict(STEPS)[interval_of(span)] * 1000
        instants = (frame["later"] - EPOCH) // MILLISECOND
        yield from frame.groupby(instants // width * width)
    else:
        yield from _terms(frame, str(field), params, metrics, span.now)


def _terms(
    frame: pd.DataFrame,
    field: str,
    params: Mapping[str, Any],
    metrics: Mapping[str, Any],
    now: Any,
) -> Iterator[tuple[Any, pd.DataFrame]]:
    lists = frame[field].map(
        lambda v: sorted(set(v)) if isinstance(v, list | tuple) else [v] if pd.notna(v) else []
    )
    single = frame.assign(**{"": lists}).explode("").dropna(subset=[""])
    parts = {value: frame.loc[some.index] for value, some in single.groupby("")}
    if params["orderBy"]["type"] == "alphabetical":
        names = sorted(parts)
    else:
        by = metrics.get(params["orderBy"]["columnId"])

        def weight(name: Any) -> tuple[float, Any]:
            value = len(parts[name]) if by is None else _value(parts[name], by, now)
            return (-value if value is not None else np.inf, name)

        names = sorted(parts, key=weight)
    for name in names[: params["size"]]:
        yield name, parts[name]


def _value(frame: pd.DataFrame, column: Mapping[str, Any], now: Any) -> Any:
    if "filter" in column:
        frame = frame[mask(parse(column["filter"]["query"]), frame, now)]
    kind = column["operationType"]
    if kind == "count":
        return len(frame)
    values = frame[column["sourceField"]].dropna()
    if kind == "unique_count":
        return values.nunique()
    if kind == "sum":
        return float(values.sum())
    if values.empty:
        return None
    if kind in ("median", "percentile"):
        percent = column["params"].get("percentile", 50)
        return float(np.percentile(values.astype(float), percent))
    found = {"average": values.mean, "min": values.min, "max": values.max}[kind]()
    return found.timestamp() * 1000 if isinstance(found, pd.Timestamp) else float(found)
