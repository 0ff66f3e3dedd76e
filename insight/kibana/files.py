"""Saved objects as files: one readable JSON object each, and the NDJSON that Kibana imports.

In a file everything is an object; Kibana wants some attributes as JSON inside a string. Which, is
in `ENCODED`, and that is the only difference between the files and what is built of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from insight.kibana.errors import KibanaError

_INSTALLED = Path(__file__).with_name("boards")
FOLDER = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "kibana"
"""The boards that come with the package, or with the source."""
COLOURS = "colours.json"
"""What each colour means; no saved object."""

ENCODED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "dashboard": (
        ("panelsJSON",),
        ("optionsJSON",),
        ("controlGroupInput", "panelsJSON"),
        ("controlGroupInput", "ignoreParentSettingsJSON"),
        ("kibanaSavedObjectMeta", "searchSourceJSON"),
    ),
    "index-pattern": (("fieldFormatMap",), ("fieldAttrs",), ("runtimeFieldMap",)),
    "lens": (),
    "search": (("kibanaSavedObjectMeta", "searchSourceJSON"),),
    "visualization": (
        ("visState", "params", "spec"),
        ("visState",),
        ("uiStateJSON",),
        ("kibanaSavedObjectMeta", "searchSourceJSON"),
    ),
}
ORDER = ("index-pattern", "search", "lens", "visualization", "dashboard")


class Saved(msgspec.Struct, frozen=True):
    """One saved object, decoded."""

    type: str
    id: str
    file: str
    """Its file's name, for messages."""
    body: dict[str, Any]
    """The whole object."""

    @property
    def title(self) -> str:
        """What people call it; its id where it has no title."""
        attributes = self.body.get("attributes") or {}
        return str(attributes.get("name") or attributes.get("title") or self.id)

    @property
    def attributes(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["attributes"]
        return found

    @property
    def references(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.body.get("references", [])
        return found


def load(folder: Path = FOLDER) -> list[Saved]:
    """Every object of a folder: data views first, dashboards last, by id.

    Raises:
        KibanaError: if there are none, or a file holds no object with a type and an id.
    """
    files = sorted(file for file in folder.rglob("*.json") if file.name != COLOURS)
    if not files:
        raise KibanaError(f"there are no saved objects in {folder}: name a folder that has some")
    found = [_read(file, folder) for file in files]
    return sorted(found, key=lambda one: (ORDER.index(one.type), one.id))


def colours(folder: Path = FOLDER) -> dict[str, list[str]]:
    """By colour, the words that it stands for."""
    try:
        found: dict[str, list[str]] = json.loads((folder / COLOURS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KibanaError(f"{folder / COLOURS} cannot be read: {error}; restore it") from None
    return found


def colour_of(word: str, folder: Path = FOLDER) -> str:
    """The one colour of a word.

    Raises:
        KibanaError: if the palette has none for it.
    """
    for colour, words in colours(folder).items():
        if word in words:
            return colour
    raise KibanaError(f"{word} has no colour in {folder / COLOURS}: choose one")


def ndjson(objects: list[Saved], prefix: str = "outcry") -> bytes:
    """What Kibana imports: an object a line; the same objects give the same bytes.

    ``prefix`` is that of the indices, where the settings have another one.
    """
    lines = [
        json.dumps(_encoded(one, prefix), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        for one in objects
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def indices_of(view: Saved, prefix: str) -> str:
    """The pattern of a data view's indices, under the prefix of a deployment."""
    title: str = view.attributes["title"]
    return title.replace("outcry-", f"{prefix}-", 1) if title.startswith("outcry-") else title


def _read(file: Path, folder: Path) -> Saved:
    name = str(file.relative_to(folder))
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise KibanaError(f"{name} is no JSON: {error}; mend it") from None
    ok = isinstance(body, dict) and isinstance(body.get("attributes"), dict)
    if not ok or body.get("type") not in ENCODED or not isinstance(body.get("id"), str):
        raise KibanaError(f"{name} needs attributes, an id and a type of {', '.join(ENCODED)}")
    return Saved(type=body["type"], id=body["id"], file=name, body=body)


def _encoded(one: Saved, prefix: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(json.dumps(one.body))
    if one.type == "index-pattern":
        body["attributes"]["title"] = indices_of(one, prefix)
    if one.type == "visualization":
        for part in urls_of(body["attributes"]["visState"]["params"]["spec"]):
            part["index"] = part["index"].replace("outcry-", f"{prefix}-", 1)
    for path in ENCODED[one.type]:
        holder = body["attributes"]
        for step in path[:-1]:
            holder = holder.get(step, {})
        if path[-1] in holder:
            holder[path[-1]] = json.dumps(
                holder[path[-1]], ensure_ascii=False, sort_keys=True, separators=(",", ":")
            )
    return body


def urls_of(one: Saved | Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each question that a Vega panel, or its specification, puts to Elasticsearch."""
    spec: Any = one.attributes["visState"]["params"]["spec"] if isinstance(one, Saved) else one
    found: list[dict[str, Any]] = []
    waiting = [spec]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, Mapping):
            data = part.get("data")
            if isinstance(data, Mapping) and isinstance(data.get("url"), dict):
                found.append(data["url"])
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    return found
