"""What is wrong with a Lens panel: its columns, what it shows of them, and its query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from insight.kibana.errors import KibanaError
from insight.kibana.files import Saved
from insight.kibana.kql import parse, terms_of
from insight.kibana.queries import layer_of
from triage.facts import Field

NUMBERS = {"long", "double"}
EXACT = {"keyword", "boolean", *NUMBERS}
OPERATIONS: dict[str, set[str]] = {
    "count": set(),
    "sum": NUMBERS,
    "average": NUMBERS,
    "median": NUMBERS,
    "percentile": NUMBERS,
    "min": {*NUMBERS, "date"},
    "max": {*NUMBERS, "date"},
    "unique_count": EXACT,
    "date_histogram": {"date"},
    "terms": EXACT,
    "range": NUMBERS,
    "filters": set(),
}
"""What our boards use, each with the types of field that it takes."""
BUCKETS = {"date_histogram", "terms", "range", "filters"}
STATE = {
    "datasourceStates",
    "visualization",
    "query",
    "filters",
    "internalReferences",
    "adHocDataViews",
}
COLUMN = {
    "label",
    "customLabel",
    "dataType",
    "operationType",
    "isBucketed",
    "scale",
    "sourceField",
    "params",
    "filter",
    "timeShift",
}
ACCESSORS = {
    "lnsXY": ("xAccessor", "splitAccessor", "accessors"),
    "lnsMetric": ("metricAccessor", "secondaryMetricAccessor"),
    "lnsDatatable": ("columns",),
    "lnsHeatmap": ("xAccessor", "yAccessor", "valueAccessor"),
    "lnsTagcloud": ("tagAccessor", "valueAccessor"),
}
SERIES = {
    "line",
    "bar_stacked",
    "bar_horizontal",
    "bar_horizontal_stacked",
    "bar_percentage_stacked",
}
COLOUR = re.compile(r"#[0-9A-F]{6}")
Fields = Mapping[str, Field]


def query_problems(words: str, known: Fields) -> Iterator[str]:
    """What is wrong with a query over these fields."""
    try:
        found = list(terms_of(parse(words)))
    except KibanaError as error:
        yield str(error)
        return
    for term in found:
        if term.field not in known:
            yield f"no field {term.field!r} for the query {words!r}; mend its name"


def lens_problems(panel: Saved, views: Mapping[str, Fields]) -> Iterator[str]:
    """What is wrong with one panel, in words that its title is put before."""
    state = panel.attributes["state"]
    layers = state["datasourceStates"]["formBased"]["layers"]
    layer = layer_of(panel)
    (layer_id,) = layers
    wanted = f"indexpattern-datasource-layer-{layer_id}"
    named = [(r["name"], r["type"]) for r in panel.references]
    if named != [(wanted, "index-pattern")]:
        yield f"needs the one reference {wanted} to a data view; it has {named}"
        return
    known = views.get(panel.references[0]["id"], {})
    for name in sorted(state.keys() ^ STATE):
        yield f"the state's {name!r} is not as expected; compare another panel"
    columns = layer["columns"]
    if sorted(layer["columnOrder"]) != sorted(columns):
        yield "columnOrder does not name each column once; mend it"
        return
    bucketed = [columns[name]["isBucketed"] for name in layer["columnOrder"]]
    if bucketed != sorted(bucketed, reverse=True):
        yield "columnOrder must name buckets before values"
    for name, column in columns.items():
        yield from _column_problems(name, column, columns, known)
        if "filter" in column:
            yield from query_problems(column["filter"]["query"], known)
        for part in column["params"].get("filters", ()):
            yield from query_problems(part["input"]["query"], known)
    yield from query_problems(state["query"]["query"], known)
    yield from _shown_problems(panel, layer_id, columns)


def _column_problems(
    name: str, column: Mapping[str, Any], columns: Mapping[str, Any], known: Fields
) -> Iterator[str]:
    kind = column["operationType"]
    if kind not in OPERATIONS:
        yield f"column {name} has the unknown operation {kind!r}; see the others' operations"
        return
    for extra in sorted(set(column) - COLUMN):
        yield f"column {name} has the unknown key {extra!r}; remove it"
    if not column["label"]:
        yield f"column {name} has no label; give it one"
    if column["isBucketed"] != (kind in BUCKETS):
        yield f"column {name} is bucketed or not as {kind} never is; mend isBucketed"
    yield from _field_problems(name, column, known)
    if not re.fullmatch(r"\d+[mhdw]", column.get("timeShift", "1d")):
        yield f"column {name} has the time shift {column['timeShift']!r}; write it like 7d"
    by = column["params"].get("orderBy", {})
    if by.get("type") == "column" and columns.get(by["columnId"], {}).get("isBucketed", True):
        yield f"column {name} is ordered by {by['columnId']!r}, which is no value; mend orderBy"


def _field_problems(name: str, column: Mapping[str, Any], known: Fields) -> Iterator[str]:
    kind, field = column["operationType"], column.get("sourceField")
    if kind == "count":
        if field != "___records___":
            yield f"column {name} counts {field!r}; its sourceField is ___records___"
    elif kind == "filters":
        if field is not None:
            yield f"column {name} is made of filters and has no sourceField; remove it"
    elif field not in known:
        yield f"no field {field!r} for column {name} ({column['label']}); mend its name"
    elif known[str(field)].type not in OPERATIONS[kind]:
        yield f"column {name} cannot {kind} {field!r}, which is {known[str(field)].type}"


def _shown_problems(panel: Saved, layer_id: str, columns: Mapping[str, Any]) -> Iterator[str]:
    kind, shown = panel.attributes["visualizationType"], panel.attributes["state"]["visualization"]
    if kind not in ACCESSORS:
        yield f"is a {kind!r}; use one of {', '.join(ACCESSORS)}"
        return
    parts = shown["layers"] if kind == "lnsXY" else [shown]
    used: list[str] = []
    for part in parts:
        if part["layerId"] != layer_id:
            yield f"shows the layer {part['layerId']!r}, which it has not; mend layerId"
        if kind != "lnsTagcloud" and part.get("layerType") != "data":
            yield "needs layerType data"
        for accessor in ACCESSORS[kind]:
            found = part.get(accessor) or []
            used += (
                [one["columnId"] for one in found]
                if accessor == "columns"
                else found
                if isinstance(found, list)
                else [found]
            )
        if kind == "lnsXY":
            yield from _series_problems(part)
    for name in sorted(set(used) - set(columns)):
        yield f"shows the column {name!r}, which it has not; mend the accessor"
    for name in sorted(set(columns) - set(used)):
        yield f"does not show its column {name!r}; show or remove it"


def _series_problems(part: Mapping[str, Any]) -> Iterator[str]:
    if part["seriesType"] not in SERIES:
        yield f"has series of type {part['seriesType']!r}; use one of {', '.join(sorted(SERIES))}"
    if "splitAccessor" in part and "colorMapping" not in part:
        yield "leaves the colours of its parts to chance; give it a colorMapping"
    if "splitAccessor" not in part:
        coloured = [one["forAccessor"] for one in part.get("yConfig", ())]
        if coloured != part["accessors"]:
            yield "leaves the colour of a series to chance; give each an entry in yConfig"
    for colour in (pair[1] for pair in coloured_words(part, {})):
        if not COLOUR.fullmatch(colour):
            yield f"has the colour {colour!r}; write it like #1A2B3C"


def coloured_words(part: Mapping[str, Any], columns: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What each colour of an XY layer stands for: (words, colour)."""
    found = [
        (str(columns.get(one["forAccessor"], {}).get("label", "")), str(one["color"]))
        for one in part.get("yConfig", ())
    ]
    for one in part.get("colorMapping", {}).get("assignments", ()):
        found += [(value, one["color"]["colorCode"]) for value in one["rule"]["values"]]
    for one in part.get("colorMapping", {}).get("specialAssignments", ()):
        found.append(("anything else", one["color"]["colorCode"]))
    return found
