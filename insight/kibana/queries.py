"""What a Lens panel asks, as the Elasticsearch search that it comes to; and its answer as rows.

Derived from the panel's own columns, so that a panel that names a wrong field asks for it here.
As in Kibana, a column with a time shift is asked for in its own, earlier stretch of time, and its
rows are laid beside those of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from insight.kibana.errors import KibanaError
from insight.kibana.files import Saved
from insight.kibana.kql import elastic, parse

Key = tuple[Any, ...]
Rows = dict[Key, dict[str, Any]]
"""Values of the metric columns, by the keys of the bucket columns."""

_SIMPLE = {
    "sum": "sum",
    "average": "avg",
    "min": "min",
    "max": "max",
    "unique_count": "cardinality",
}
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
STEPS = (("5m", 300), ("30m", 1800), ("1h", 3600), ("3h", 10800), ("12h", 43200), ("1d", 86400))
BARS = 100


class Span(msgspec.Struct, frozen=True):
    """A stretch of time, without its end."""

    start: datetime
    end: datetime
    now: datetime | None = None
    """What a query calls now; None for the server's clock."""

    def earlier(self, by: timedelta) -> Span:
        """As long a stretch, so much earlier."""
        return Span(self.start - by, self.end - by, self.now)


def layer_of(panel: Saved) -> dict[str, Any]:
    """The only layer of a Lens panel.

    Raises:
        KibanaError: if it has none, or several, which our boards do without.
    """
    layers = panel.attributes["state"]["datasourceStates"]["formBased"]["layers"]
    if len(layers) != 1:
        raise KibanaError(f"{panel.title}: a panel of ours has one layer; make it so")
    (found,) = layers.values()
    layer: dict[str, Any] = found
    return layer


def ask(panel: Saved, span: Span) -> list[tuple[timedelta, dict[str, Any]]]:
    """The searches of a panel, each with how much earlier it looks."""
    layer = layer_of(panel)
    metrics = _metrics(layer)
    shifts = sorted({shift_of(column) for column in metrics.values()})
    query = panel.attributes["state"]["query"]["query"]
    return [
        (
            shift,
            _search(
                layer,
                {n: c for n, c in metrics.items() if shift_of(c) == shift},
                query,
                span,
                shift,
            ),
        )
        for shift in shifts
    ]


def read(panel: Saved, answers: Sequence[tuple[timedelta, Mapping[str, Any]]]) -> Rows:
    """The rows of a panel from the answers to `ask`, in the order of the first."""
    layer = layer_of(panel)
    metrics = _metrics(layer)
    buckets = [layer["columns"][name] for name in layer["columnOrder"] if name not in metrics]
    rows: Rows = {}
    for shift, answer in answers:
        mine = {n: c for n, c in metrics.items() if shift_of(c) == shift}
        top = {"doc_count": answer["hits"]["total"]["value"], **answer.get("aggregations", {})}
        for key, values in _rows(top, buckets, mine, shift):
            rows.setdefault(key, {}).update(values)
    return rows


def interval_of(span: Span) -> str:
    """The width of a bar where a panel leaves it open: at most a hundred of them."""
    seconds = (span.end - span.start).total_seconds()
    return next((name for name, step in STEPS if seconds / step <= BARS), "1d")


def shift_of(column: Mapping[str, Any]) -> timedelta:
    """How much earlier a column looks."""
    words = column.get("timeShift") or "0d"
    return timedelta(**{_UNITS[words[-1]]: int(words[:-1])})


def _metrics(layer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    columns = layer["columns"]
    return {n: columns[n] for n in layer["columnOrder"] if not columns[n]["isBucketed"]}


def _search(
    layer: Mapping[str, Any],
    metrics: Mapping[str, Any],
    query: str,
    span: Span,
    shift: timedelta,
) -> dict[str, Any]:
    asked = span.earlier(shift)
    within = {"gte": asked.start.isoformat(), "lt": asked.end.isoformat()}
    values = {name: one for name, column in metrics.items() if (one := _metric(column, span))}
    for name in list(values):
        if (holder := _holder(name, metrics)) != name:
            more = values.pop(name)["percentiles"]["percents"]
            values[holder]["percentiles"]["percents"] += more
    aggregations = dict(values)
    names = [name for name in layer["columnOrder"] if layer["columns"][name]["isBucketed"]]
    for name in reversed(names):
        bucket = _bucket(layer["columns"][name], metrics, span)
        # A value that orders buckets has to be there on their own level, too.
        by = layer["columns"][name]["params"].get("orderBy", {}).get("columnId", "")
        by = _holder(by, metrics) if by in metrics else by
        inside = {**({by: values[by]} if by in values else {}), **aggregations}
        if inside:
            bucket["aggs"] = inside
        aggregations = {"bucket": bucket}
    return {
        "size": 0,
        "track_total_hits": True,
        "query": {
            "bool": {"filter": [{"range": {"@timestamp": within}}, elastic(parse(query), span.now)]}
        },
        "aggs": aggregations,
    }


def _metric(column: Mapping[str, Any], span: Span) -> dict[str, Any] | None:
    """None for a plain count, which every answer has."""
    kind, field = column["operationType"], column.get("sourceField")
    inner: dict[str, Any] | None
    if kind == "count":
        inner = None
    elif kind in _SIMPLE:
        inner = {_SIMPLE[kind]: {"field": field}}
        if kind == "unique_count":
            inner["cardinality"]["precision_threshold"] = 3000
    elif kind in ("median", "percentile"):
        inner = {"percentiles": {"field": field, "percents": [_percent(column)]}}
    else:
        raise KibanaError(f"{column['label']}: no {kind} on our boards; choose another operation")
    if "filter" not in column:
        return inner
    condition = elastic(parse(column["filter"]["query"]), span.now)
    return {"filter": condition, **({"aggs": {"value": inner}} if inner else {})}


def _holder(name: str, metrics: Mapping[str, Any]) -> str:
    """The column whose percentiles hold this one's: as in Kibana, a field is asked once."""

    def asked(column: Mapping[str, Any]) -> Any:
        ours = column["operationType"] in ("median", "percentile") and "filter" not in column
        return column["sourceField"] if ours else None

    wanted = asked(metrics[name])
    return name if wanted is None else next(n for n in metrics if asked(metrics[n]) == wanted)


def _percent(column: Mapping[str, Any]) -> float:
    return float(column["params"]["percentile"]) if column["operationType"] == "percentile" else 50


def _bucket(column: Mapping[str, Any], metrics: Mapping[str, Any], span: Span) -> dict[str, Any]:
    kind, params = column["operationType"], column["params"]
    if kind == "date_histogram":
        width = interval_of(span) if params["interval"] == "auto" else params["interval"]
        return {
            "date_histogram": {
                "field": column["sourceField"],
                "fixed_interval": width,
                "min_doc_count": 1,
            }
        }
    if kind == "terms":
        return {
            "terms": {
                "field": column["sourceField"],
                "size": params["size"],
                "shard_size": max(1000, 10 * params["size"]),
                "order": _order(params, metrics),
            }
        }
    if kind == "filters":
        asked = {
            f["label"]: elastic(parse(f["input"]["query"]), span.now) for f in params["filters"]
        }
        return {"filters": {"filters": asked}}
    if kind == "range":
        edges = [
            {"key": one["label"], **{e: one[e] for e in ("from", "to") if one[e] is not None}}
            for one in params["ranges"]
        ]
        return {"range": {"field": column["sourceField"], "ranges": edges}}
    raise KibanaError(f"{column['label']}: no {kind} on our boards; choose another operation")


def _order(params: Mapping[str, Any], metrics: Mapping[str, Any]) -> list[dict[str, str]]:
    direction = params["orderDirection"]
    by = params["orderBy"]
    if by["type"] == "alphabetical":
        return [{"_key": direction}]
    name = by["columnId"]
    column = metrics.get(name)
    if column is None or column["operationType"] == "count":
        path = "_count"
    elif column["operationType"] in ("median", "percentile"):
        path = f"{_holder(name, metrics)}.{_percent(column):g}"
    else:
        path = name
    return [{path: direction}, {"_key": "asc"}]


def _rows(
    found: Mapping[str, Any],
    buckets: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, Any],
    shift: timedelta,
    key: Key = (),
) -> Iterator[tuple[Key, dict[str, Any]]]:
    if not buckets:
        yield key, {name: _value(found, _holder(name, metrics), metrics[name]) for name in metrics}
        return
    answer = found["bucket"]["buckets"]
    pairs = answer.items() if isinstance(answer, Mapping) else ((one["key"], one) for one in answer)
    for name, inside in pairs:
        if inside["doc_count"]:
            later = int(shift.total_seconds() * 1000)
            dated = buckets[0]["operationType"] == "date_histogram"
            own = name + later if dated else inside.get("key_as_string", name)
            yield from _rows(inside, buckets[1:], metrics, shift, (*key, own))


def _value(found: Mapping[str, Any], name: str, column: Mapping[str, Any]) -> Any:
    inner = found.get(name, found)
    if column["operationType"] == "count":
        return inner["doc_count"]
    if "filter" in column:
        inner = inner["value"]
    if "values" in inner:
        return inner["values"][f"{_percent(column):.1f}"]
    return inner["value"]
