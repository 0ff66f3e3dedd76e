"""What the suite holds for, source by fault, and the facts of each source, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from listeners.contract import Checks, Identifies, Listener, Rate, Rechecks, Replays
from listeners.registry import SOURCES, listener, names
from tests.listeners.conformance.desk import station_of
from tests.listeners.conformance.faults import FAULTS, MEANINGS

PAGE = Path(__file__).parents[3] / "docs" / "sources.md"
HOLDS, NOT_APPLICABLE = "✓", "–"


def fault_matrix() -> str:
    """A row for each source and a column for each fault, then why some do not apply."""
    stations = {name: station_of(name) for name in names()}
    rows = [
        [name, *(NOT_APPLICABLE if f in s.not_applicable else HOLDS for f in FAULTS)]
        for name, s in stations.items()
    ]
    lines = [*_table(["", *FAULTS], rows), ""]
    for name, station in stations.items():
        reasons: dict[str, list[str]] = {}
        for fault in FAULTS:
            if fault in station.not_applicable:
                reasons.setdefault(station.not_applicable[fault], []).append(fault)
        for reason, faults in reasons.items():
            lines.append(f"* {name}, {', '.join(faults)}: {reason}.")
        for fault, meaning in station.meanings.items():
            if meaning != MEANINGS.get(fault):
                word = "is made the best of" if meaning == "ok" else f"is `{meaning}` here"
                lines.append(f"* {name}, {fault}: {word}.")
    return "\n".join(lines)


def facts() -> str:
    """What the registry and the traits say of each source."""
    rows = []
    for name in names():
        source, found = SOURCES[name], listener(name)
        traits = found.traits
        told = {"edits": traits.has_edits, "deletes": traits.has_deletes}
        tells = [word for word, is_told in told.items() if is_told]
        if isinstance(found, Rechecks):
            tells.append("asked again")
        assert isinstance(found, Checks)
        assert isinstance(found, Replays)
        rows.append(
            [
                f"[{name}](#{name})",
                source.extra or "base",
                " ".join(f"`{variable}`" for variable in source.secrets.values()) or "none",
                "yes" if traits.official else "no",
                ", ".join(tells) or "no",
                "maybe blocked" if traits.silent_empty else "nothing new",
                _tried(found, bool(source.secrets)),
                ", ".join(map(_words, traits.rates)) or "none published",
            ]
        )
    head = ["source", "extra", "credentials", "official", "edits and deletes", "an empty answer"]
    return "\n".join(_table([*head, "`outcry check`", "limits we keep"], rows))


def _tried(found: Listener, has_secrets: bool) -> str:
    if not has_secrets:
        return "settings"
    return "tries the credential" if isinstance(found, Identifies) else "does not pay to try"


def blocks() -> dict[str, str]:
    """The parts of the page that are made, by the name of their markers."""
    return {"facts": facts(), "faults": fault_matrix()}


def made(page: str) -> str:
    """The page with its made parts as they should be."""
    for name, block in blocks().items():
        begin, end = f"<!-- {name}: made by a command -->", f"<!-- end of {name} -->"
        between = re.compile(f"(?<={re.escape(begin)}\n).*(?={re.escape(end)})", re.DOTALL)
        page, found = between.subn(lambda _, new=block: f"{new}\n", page)  # type: ignore[misc]
        assert found == 1, f"the page has no markers for {name}"
    return page


def _table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _words(rate: Rate) -> str:
    per = rate.per if isinstance(rate.per, str) else f"{rate.per:g} s"
    return f"{rate.amount:g} {rate.what} / {per}"


def lines_of(module: str) -> int:
    """Lines of a source's module or package."""
    place = Path(__file__).parents[3] / "listeners" / "sources" / module
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    return sum(len(file.read_text().splitlines()) for file in files)
