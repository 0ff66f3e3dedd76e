"""What is wrong with the boards: their grids, references, controls and colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from insight.kibana.check_lens import coloured_words
from insight.kibana.files import Saved
from insight.kibana.queries import layer_of
from triage.facts import FACTS, fields

TITLES = {
    "What are people unhappy about today?",
    "What is spreading?",
    "Are we keeping up?",
    "Where does it come from, and what do we miss?",
    "Is the model right?",
    "One customer, one case",
}
"""A board's title is the question that it answers."""
COLUMNS = 48
MOST_PANELS = 100
DISCOVER = "OPEN_IN_DISCOVER_DRILLDOWN"


def board_problems(objects: Sequence[Saved], palette: Mapping[str, Sequence[str]]) -> list[str]:
    """What is wrong with every board, each with the title of the board or panel in front."""
    known = {(one.type, one.id): one for one in objects}
    boards = [one for one in objects if one.type == "dashboard"]
    titles = {board.title for board in boards}
    found = [f"{title}: there is no board of this title" for title in sorted(TITLES - titles)]
    for board in boards:
        try:
            found += [f"{board.title}: {words}" for words in _of_board(board, known)]
        except (KeyError, TypeError, AttributeError) as error:
            found.append(
                f"{board.title}: is not of the shape that Kibana reads "
                f"({type(error).__name__} {error}); compare it"
            )
    return [*found, *_colour_problems(objects, palette)]


def _of_board(board: Saved, known: Mapping[tuple[str, str], Saved]) -> Iterator[str]:
    panels: list[dict[str, Any]] = board.attributes["panelsJSON"]
    if not 0 < len(panels) <= MOST_PANELS:
        yield f"has {len(panels)} panels; 1 to {MOST_PANELS} are possible"
    wanted: dict[str, str] = {}
    for panel in panels:
        name = panel["panelIndex"]
        wanted[f"{name}:panel_{name}"] = panel["type"]
        title = panel["embeddableConfig"].get("title") or name
        if panel.get("panelRefName") != f"panel_{name}":
            yield f"panel {title}: its panelRefName must be panel_{name}"
        yield from (f"panel {title}: {words}" for words in _panel_problems(panel, board, known))
    if len({panel["panelIndex"] for panel in panels}) != len(panels):
        yield "two panels have the same panelIndex; rename one"
    for one, other in combinations(panels, 2):
        if _overlap(one["gridData"], other["gridData"]):
            yield f"panels {one['panelIndex']} and {other['panelIndex']} overlap; move one"
    controls = board.attributes["controlGroupInput"]["panelsJSON"]
    for name, control in controls.items():
        wanted[f"controlGroup_{name}:optionsListDataView"] = "index-pattern"
        yield from _control_problems(name, control, board, known)
    yield from _reference_problems(board, wanted)
    if board.attributes["timeRestore"] is not True or not board.attributes["timeFrom"]:
        yield "does not say which time it opens with; set timeRestore, timeFrom and timeTo"


def _reference_problems(board: Saved, wanted: Mapping[str, str]) -> Iterator[str]:
    """References and what they are for must match both ways."""
    given = {one["name"]: one["type"] for one in board.references}
    for name in sorted(wanted.keys() - given.keys()):
        yield f"the reference {name} is missing; add it"
    for name in sorted(given.keys() - wanted.keys()):
        yield f"the reference {name} is nothing's; remove it"
    for name in sorted(wanted.keys() & given.keys()):
        if wanted[name] != given[name]:
            yield f"the reference {name} is to a {given[name]}; it should be to a {wanted[name]}"


def _panel_problems(
    panel: Mapping[str, Any], board: Saved, known: Mapping[tuple[str, str], Saved]
) -> Iterator[str]:
    grid = panel["gridData"]
    if grid["i"] != panel["panelIndex"]:
        yield "gridData.i must be its panelIndex"
    if grid["x"] < 0 or grid["y"] < 0 or grid["w"] < 1 or grid["h"] < 1:
        yield "stands outside the grid; move it"
    if grid["x"] + grid["w"] > COLUMNS:
        yield f"is wider than the grid of {COLUMNS} columns; move it"
    name = f"{panel['panelIndex']}:panel_{panel['panelIndex']}"
    place = next(((r["type"], r["id"]) for r in board.references if r["name"] == name), ("", ""))
    if place in known and panel["embeddableConfig"].get("title") != known[place].title:
        yield f"is called {known[place].title!r} in its own file; call them alike"
    if panel["type"] == "lens":
        enhancements = panel["embeddableConfig"].get("enhancements", {})
        events = enhancements.get("dynamicActions", {}).get("events", [])
        if [one["action"]["factoryId"] for one in events] != [DISCOVER]:
            yield "has no drill-down to Discover; add it"


def _control_problems(
    name: str, control: Mapping[str, Any], board: Saved, known: Mapping[tuple[str, str], Saved]
) -> Iterator[str]:
    field = control["explicitInput"]["fieldName"]
    if control["type"] != "optionsListControl" or control["explicitInput"]["id"] != name:
        yield f"control {name} must be an optionsListControl whose input has its id"
    for reference in board.references:
        place = (reference["type"], reference["id"])
        if place[0] in ("dashboard", "index-pattern", "visualization") or place not in known:
            continue
        for view in known[place].references:
            kind = view["id"].removeprefix("outcry-")
            if kind in FACTS and field not in {one.name for one in fields(kind)}:
                yield (
                    f"control {name} would empty the panel {known[place].title!r}: its data view "
                    f"has no field {field!r}; leave out the control or add the field"
                )


def _overlap(one: Mapping[str, int], other: Mapping[str, int]) -> bool:
    return (
        one["x"] < other["x"] + other["w"]
        and other["x"] < one["x"] + one["w"]
        and one["y"] < other["y"] + other["h"]
        and other["y"] < one["y"] + one["h"]
    )


def _colour_problems(
    objects: Sequence[Saved], palette: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Every colour means what the palette says, wherever it is used."""
    meaning: dict[str, str] = {}
    for colour, words in palette.items():
        for word in words:
            if word in meaning:
                yield f"{word}: has two colours in the palette; choose one"
            meaning[word] = colour
    for one in objects:
        for word, colour in _colours_of(one):
            if meaning.get(word) != colour:
                yield (
                    f"{one.title}: shows {word!r} in {colour}; on all boards its colour is "
                    f"{meaning.get(word, 'not chosen yet: see colours.json')}"
                )


def _colours_of(one: Saved) -> Iterator[tuple[str, str]]:
    if one.type == "lens" and one.attributes.get("visualizationType") == "lnsXY":
        columns = layer_of(one)["columns"]
        for part in one.attributes["state"]["visualization"]["layers"]:
            yield from coloured_words(part, columns)
