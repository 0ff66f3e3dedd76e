"""What is wrong with saved objects, without a Kibana: shapes, versions, references, fields.

The allow-lists are narrower than Kibana's: what our boards do not use is refused, because nobody
could have tried it. Each problem begins with the title of the object that has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from insight.kibana.check_board import board_problems
from insight.kibana.check_lens import lens_problems, query_problems
from insight.kibana.errors import KibanaError
from insight.kibana.files import Saved, urls_of
from triage.facts import FACTS, Field, fields

CORE = "8.8.0"
VERSIONS = {
    "dashboard": "10.2.0",
    "lens": "8.9.0",
    "search": "10.5.0",
    "index-pattern": "7.11.0",
    "visualization": "8.5.0",
}
"""Old ones on purpose: a newer Kibana migrates them, an older one than the object refuses it."""
ROOT = {
    "type",
    "id",
    "attributes",
    "references",
    "coreMigrationVersion",
    "typeMigrationVersion",
    "managed",
}
ATTRIBUTES = {
    "dashboard": {
        "title",
        "description",
        "version",
        "timeRestore",
        "timeFrom",
        "timeTo",
        "refreshInterval",
        "optionsJSON",
        "panelsJSON",
        "controlGroupInput",
        "kibanaSavedObjectMeta",
    },
    "lens": {"title", "description", "visualizationType", "state"},
    "search": {
        "title",
        "description",
        "columns",
        "sort",
        "grid",
        "hideChart",
        "isTextBasedQuery",
        "kibanaSavedObjectMeta",
    },
    "index-pattern": {
        "title",
        "name",
        "timeFieldName",
        "fieldFormatMap",
        "fieldAttrs",
        "runtimeFieldMap",
    },
    "visualization": {
        "title",
        "description",
        "version",
        "visState",
        "uiStateJSON",
        "kibanaSavedObjectMeta",
    },
}
INDEX = "kibanaSavedObjectMeta.searchSourceJSON.index"
Fields = Mapping[str, Field]


def problems(objects: Sequence[Saved], palette: Mapping[str, Sequence[str]]) -> list[str]:
    """What is wrong, each with its title in front; empty if all is well."""
    found = list(_twice(objects))
    known = {(one.type, one.id): one for one in objects}
    views: dict[str, Fields] = {}
    for one in objects:
        if one.type == "index-pattern":
            views[one.id] = _fields_of(one)
    for one in objects:
        found += [f"{one.title}: {words}" for words in _of_one(one, known, views)]
    found += board_problems(objects, palette)
    used = {(r["type"], r["id"]) for one in objects for r in one.references}
    for one in objects:
        if one.type not in ("dashboard",) and (one.type, one.id) not in used:
            found.append(f"{one.title}: no board shows {one.file}; remove it or show it")
    return found


def _of_one(
    one: Saved, known: Mapping[tuple[str, str], Saved], views: Mapping[str, Fields]
) -> Iterator[str]:
    yield from _shape(one)
    names = Counter(reference["name"] for reference in one.references)
    yield from (f"two references are called {name}" for name, n in names.items() if n > 1)
    for reference in one.references:
        if (reference["type"], reference["id"]) not in known:
            yield (
                f"refers to {reference['type']} {reference['id']}, which does not exist; "
                "mend the reference or add the object"
            )
    try:
        if one.type == "index-pattern":
            yield from _view_problems(one, views[one.id])
        elif one.type == "search":
            yield from _search_problems(one, views)
        elif one.type == "visualization":
            yield from _vega_problems(one, views, known)
        elif one.type == "lens":
            yield from lens_problems(one, views)
    except KibanaError as error:
        yield str(error)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        yield f"is not of the shape that Kibana reads ({type(error).__name__} {error}); compare it"


def _twice(objects: Sequence[Saved]) -> Iterator[str]:
    for (kind, id), count in Counter((one.type, one.id) for one in objects).items():
        if count > 1:
            yield f"{id}: {count} files hold this {kind}; Kibana refuses all of them"
    for (kind, title), count in Counter((one.type, one.title) for one in objects).items():
        if count > 1:
            yield f"{title}: {count} objects of type {kind} have this title; rename one"


def _shape(one: Saved) -> Iterator[str]:
    for name in sorted(set(one.body) - ROOT):
        yield f"Kibana refuses the unknown key {name!r}; remove it"
    for name in sorted(ROOT - set(one.body)):
        yield f"the key {name!r} is missing; add it"
    if one.body.get("coreMigrationVersion") != CORE:
        yield f"coreMigrationVersion must be {CORE}, which every Kibana 9 takes"
    if one.body.get("typeMigrationVersion") != VERSIONS[one.type]:
        yield f"typeMigrationVersion must be {VERSIONS[one.type]}, which every Kibana 9 takes"
    if not one.id.startswith("outcry-"):
        yield f"its id {one.id} must begin with outcry-, so that it is nobody else's"
    if one.file.rpartition("/")[2] != f"{one.id.removeprefix('outcry-')}.json":
        yield f"its file is called {one.file} and its id is {one.id}; call them alike"
    if not one.attributes.get("title"):
        yield "has no title; give it one"
    for name in sorted(set(one.attributes) ^ ATTRIBUTES[one.type]):
        verb = "is not known" if name in one.attributes else "is missing"
        yield f"the attribute {name!r} {verb}; mend it"


def _fields_of(view: Saved) -> Fields:
    title = str(view.attributes.get("title", ""))
    kind = title.removeprefix("outcry-analysis-").removesuffix("-*")
    return {one.name: one for one in fields(kind)} if kind in FACTS else {}


def _view_problems(view: Saved, known: Fields) -> Iterator[str]:
    if not known:
        yield f"no index of analysts is called {view.attributes.get('title')!r}; mend the title"
    if view.attributes["timeFieldName"] not in known:
        yield f"no field {view.attributes['timeFieldName']!r} to be its time; mend timeFieldName"
    if view.attributes["runtimeFieldMap"]:
        yield "has runtime fields; put the field into the documents"
    for part in ("fieldFormatMap", "fieldAttrs"):
        for name in sorted(set(view.attributes[part]) - set(known)):
            yield f"no field {name!r} for {part}; mend its name"
    for name in sorted(set(known) - set(view.attributes["fieldAttrs"])):
        yield f"the field {name!r} has no entry in fieldAttrs; say what it is"


def _search_problems(one: Saved, views: Mapping[str, Fields]) -> Iterator[str]:
    source = one.attributes["kibanaSavedObjectMeta"]["searchSourceJSON"]
    named = [r for r in one.references if r["name"] == INDEX and r["type"] == "index-pattern"]
    if len(named) != 1 or source.get("indexRefName") != INDEX or len(one.references) != 1:
        yield f"needs the one reference {INDEX}, and indexRefName of that name"
        return
    known = views.get(named[0]["id"], {})
    if not one.attributes["columns"]:
        yield "shows no columns; without any Kibana's library cannot list it"
    for name in one.attributes["columns"]:
        if name not in known:
            yield f"no field {name!r} for a column; mend its name"
    for name, direction in one.attributes["sort"]:
        if name not in known or known[name].type == "text" or direction not in ("asc", "desc"):
            yield f"cannot be sorted by {name!r} {direction}; mend sort"
    yield from query_problems(source["query"]["query"], known)


def _vega_problems(
    one: Saved, views: Mapping[str, Fields], known: Mapping[tuple[str, str], Saved]
) -> Iterator[str]:
    state = one.attributes["visState"]
    if state.get("type") != "vega":
        yield f"is a visualization of type {state.get('type')!r}; use Lens, or else vega"
        return
    asked = urls_of(one)
    if not asked:
        yield "asks Elasticsearch nothing; give it a data.url"
    for url in asked:
        fitting = [
            views[id]
            for (kind, id), view in known.items()
            if kind == "index-pattern" and view.attributes.get("title") == url.get("index")
        ]
        if not fitting:
            yield f"asks {url.get('index')!r}, which is no data view's; mend index"
            continue
        if url.get("%context%") is not True or url.get("%timefield%") != "@timestamp":
            yield "does not follow the board's filters and time; set %context% and %timefield%"
        for name in sorted(_fields_asked(url.get("body", {}))):
            if name not in fitting[0]:
                yield f"no field {name!r} in {url['index']}; mend its name"


def _fields_asked(part: Any) -> set[str]:
    """Names of fields in an Elasticsearch search."""
    found: set[str] = set()
    if isinstance(part, Mapping):
        for name, value in part.items():
            if name == "field" and isinstance(value, str):
                found.add(value)
            elif name in ("term", "terms", "match", "range") and _by_field(value):
                found |= set(value)
            else:
                found |= _fields_asked(value)
    elif isinstance(part, list):
        for one in part:
            found |= _fields_asked(one)
    return found


def _by_field(value: Any) -> bool:
    """A query names its field as the key; an aggregation says ``field``."""
    return isinstance(value, Mapping) and "field" not in value
