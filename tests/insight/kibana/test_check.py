"""What is committed is in order, and each fault that can be made is found, by its panel's title."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from insight.kibana import KibanaError, load, ndjson, problems
from insight.kibana.files import FOLDER, Saved, colours
from insight.kibana.queries import layer_of

PANEL = "Queue by department and tier"
BOARD = "Are we keeping up?"
SEARCH = "Newest severe complaints"
VEGA = "Predicted against true"
VIEW = "Outcry: tickets"


def changed(title: str, change: Callable[[dict[str, Any]], None]) -> list[str]:
    """The problems after a change to the object of that title."""
    objects = load()
    (place,) = [place for place, one in enumerate(objects) if one.title == title]
    body = objects[place].body
    change(body)
    objects[place] = Saved(body["type"], body["id"], objects[place].file, body)
    return problems(objects, colours())


def column(body: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = layer_of(Saved("lens", "", "", body))["columns"][name]
    return found


def shown(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["attributes"]["state"]["visualization"]["layers"][0]
    return found


def test_what_is_committed_has_no_problem() -> None:
    assert problems(load(), colours()) == []


def test_there_are_six_boards_of_some_fifty_panels() -> None:
    kinds = [one.type for one in load()]
    assert kinds.count("dashboard") == 6
    assert kinds.count("index-pattern") == 6
    assert kinds.count("visualization") == 2, "Vega only where Lens cannot"
    assert 50 <= len(kinds) <= 90


FAULTS: dict[str, tuple[str, Callable[[dict[str, Any]], Any], str]] = {
    "a broken field name": (
        PANEL,
        lambda b: column(b, "x").update(sourceField="depatment"),
        "'depatment'",
    ),
    "a field of the wrong type": (
        "SLA kept",
        lambda b: column(b, "value").update(sourceField="department"),
        "which is keyword",
    ),
    "a field that a query names wrongly": (
        PANEL,
        lambda b: b["attributes"]["state"]["query"].update(query="opne: true"),
        "'opne'",
    ),
    "a query beyond our part of the language": (
        PANEL,
        lambda b: b["attributes"]["state"]["query"].update(query="open: tr*"),
        "cannot be read",
    ),
    "a field that a column's filter names wrongly": (
        "Departments",
        lambda b: column(b, "open")["filter"].update(query="opne: true"),
        "'opne'",
    ),
    "an unknown operation": (
        PANEL,
        lambda b: column(b, "y").update(operationType="formula"),
        "'formula'",
    ),
    "a reference to a view that does not exist": (
        PANEL,
        lambda b: b["references"][0].update(id="outcry-tickts"),
        "outcry-tickts",
    ),
    "a missing reference": (PANEL, lambda b: b["references"].clear(), "needs the one reference"),
    "a lost column": (
        PANEL,
        lambda b: layer_of(Saved("lens", "", "", b))["columns"].pop("y"),
        "columnOrder",
    ),
    "an accessor of no column": (PANEL, lambda b: shown(b).update(accessors=["z"]), "'z'"),
    "a colour that means something else": (
        PANEL,
        lambda b: shown(b)["colorMapping"]["assignments"][0]["color"].update(colorCode="#2B8A57"),
        "'P1' in #2B8A57",
    ),
    "colours by chance": (PANEL, lambda b: shown(b).pop("colorMapping"), "to chance"),
    "values before buckets": (
        PANEL,
        lambda b: layer_of(Saved("lens", "", "", b))["columnOrder"].reverse(),
        "buckets before values",
    ),
    "an order by a bucket": (
        PANEL,
        lambda b: column(b, "x")["params"]["orderBy"].update(columnId="split"),
        "mend orderBy",
    ),
    "a time shift of another form": (
        "Complaints against the week before",
        lambda b: column(b, "y1").update(timeShift="last week"),
        "'last week'",
    ),
    "a shape that Kibana would not read": (
        PANEL,
        lambda b: b["attributes"]["state"].pop("query"),
        "not of the shape",
    ),
    "a title that is gone": (
        "SLA by department",
        lambda b: b["attributes"].update(title=""),
        "no title",
    ),
    "a version of the future": (PANEL, lambda b: b.update(typeMigrationVersion="99.0.0"), "8.9.0"),
    "a version left out": (PANEL, lambda b: b.pop("typeMigrationVersion"), "typeMigrationVersion"),
    "a key that Kibana refuses": (PANEL, lambda b: b.update(owner="me"), "'owner'"),
    "an attribute that Kibana refuses": (
        SEARCH,
        lambda b: b["attributes"].update(rowHeight=3),
        "'rowHeight'",
    ),
    "an id that is another's": (PANEL, lambda b: b.update(id="logs-*"), "must begin with outcry-"),
    "a search without columns": (
        SEARCH,
        lambda b: b["attributes"]["columns"].clear(),
        "no columns",
    ),
    "a search's wrong column": (
        SEARCH,
        lambda b: b["attributes"]["columns"].append("handle"),
        "'handle'",
    ),
    "a search without its index": (SEARCH, lambda b: b["references"].clear(), "indexRefName"),
    "a wrong field in a Vega panel": (
        VEGA,
        lambda b: b["attributes"]["visState"]["params"]["spec"]["layer"][0]["data"]["url"]["body"][
            "aggs"
        ]["judged"].update(filter={"exists": {"field": "rigth"}}),
        "'rigth'",
    ),
    "a Vega panel that ignores the board's filters": (
        VEGA,
        lambda b: b["attributes"]["visState"]["params"]["spec"]["layer"][0]["data"]["url"].update(
            {"%context%": False}
        ),
        "filters and time",
    ),
    "runtime fields": (
        VIEW,
        lambda b: b["attributes"]["runtimeFieldMap"].update(hour={}),
        "runtime fields",
    ),
    "a view over who people are": (
        VIEW,
        lambda b: b["attributes"].update(title="outcry-identities"),
        "no index of analysts",
    ),
    "a format for a field that is not there": (
        VIEW,
        lambda b: b["attributes"]["fieldFormatMap"].update(reech={}),
        "'reech'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_says_where(fault: str) -> None:
    title, change, words = FAULTS[fault]
    found = changed(title, change)
    names = (title, "outcry-sla-by-department") if fault == "a title that is gone" else (title,)
    assert any(one.startswith(names) and words in one for one in found), found


def board(change: Callable[[dict[str, Any]], Any]) -> list[str]:
    return changed(BOARD, lambda body: change(body["attributes"]))


BOARD_FAULTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "overlap": (lambda a: a["panelsJSON"][1]["gridData"].update(x=0), "overlap"),
    "too wide": (lambda a: a["panelsJSON"][0]["gridData"].update(w=60), "wider than the grid"),
    "same index": (lambda a: a["panelsJSON"][0].update(panelIndex="p2"), "same panelIndex"),
    "wrong name": (lambda a: a["panelsJSON"][0].update(panelRefName="panel_x"), "panelRefName"),
    "no drill-down": (
        lambda a: a["panelsJSON"][0]["embeddableConfig"].pop("enhancements"),
        "no drill-down to Discover",
    ),
    "renamed panel": (
        lambda a: a["panelsJSON"][0]["embeddableConfig"].update(title="Queue"),
        "call them alike",
    ),
    "a control's field": (
        lambda a: a["controlGroupInput"]["panelsJSON"]["c-source"]["explicitInput"].update(
            fieldName="sorce"
        ),
        "would empty the panel",
    ),
    "no time": (lambda a: a.update(timeRestore=False), "which time it opens with"),
}


@pytest.mark.parametrize("fault", BOARD_FAULTS)
def test_a_fault_of_a_board_is_found(fault: str) -> None:
    change, words = BOARD_FAULTS[fault]
    assert any(one.startswith(BOARD) and words in one for one in board(change))


def test_references_of_a_board_must_match_both_ways() -> None:
    lost = changed(BOARD, lambda body: body["references"].pop(0))
    assert any(one.startswith(BOARD) and "p1:panel_p1 is missing" in one for one in lost)
    one_more = {"type": "lens", "id": "outcry-cases", "name": "p99:panel_p99"}
    more = changed(BOARD, lambda body: body["references"].append(one_more))
    assert any(one.startswith(BOARD) and "p99:panel_p99 is nothing's" in one for one in more)


def test_a_board_that_is_gone_is_missed() -> None:
    left = [one for one in load() if one.title != BOARD]
    found = problems(left, colours())
    assert f"{BOARD}: there is no board of this title" in found
    assert any(one.startswith(f"{PANEL}: no board shows") for one in found)


def test_two_objects_of_one_id_are_refused() -> None:
    objects = load()
    twice = problems([*objects, objects[-1]], colours())
    assert any("2 files hold this dashboard" in one for one in twice)


def test_building_is_deterministic_and_encodes_what_kibana_wants_encoded() -> None:
    body = ndjson(load())
    assert body == ndjson(load())
    rows = [json.loads(line) for line in body.splitlines()]
    kinds = [row["type"] for row in rows]
    assert kinds[0] == "index-pattern"
    assert kinds[-1] == "dashboard"
    panels = json.loads(rows[-1]["attributes"]["panelsJSON"])
    assert panels[0]["panelRefName"] == "panel_p1"
    controls = rows[-1]["attributes"]["controlGroupInput"]["panelsJSON"]
    assert json.loads(controls)["c-source"]["explicitInput"]["fieldName"] == "source"
    (vega,) = [row for row in rows if row["id"] == "outcry-predicted-against-true"]
    spec = json.loads(json.loads(vega["attributes"]["visState"])["params"]["spec"])
    assert spec["layer"][0]["data"]["url"]["index"] == "outcry-analysis-outcomes"
    lens = next(row for row in rows if row["type"] == "lens")
    assert isinstance(lens["attributes"]["state"], dict)


def test_another_prefix_reaches_every_index() -> None:
    body = ndjson(load(), prefix="acme").decode()
    assert "acme-analysis-mentions-*" in body
    assert "acme-analysis-outcomes" in body
    assert "outcry-analysis-" not in body


def test_a_folder_without_boards_and_a_broken_file_are_said(tmp_path: Any) -> None:
    with pytest.raises(KibanaError, match="no saved objects"):
        load(tmp_path)
    (tmp_path / "one.json").write_text("{")
    with pytest.raises(KibanaError, match=r"one\.json is no JSON"):
        load(tmp_path)


def test_every_file_holds_one_readable_object() -> None:
    for file in FOLDER.rglob("*.json"):
        text = file.read_text()
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n", file.name
