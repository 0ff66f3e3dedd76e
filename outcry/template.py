"""The settings file that ``outcry init`` writes: every value a default, with its explanation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from triage.departments import Department
from triage.rules import Rules

_WIDTH = 92


def settings_text() -> str:
    """The text of an ``outcry.toml`` that changes nothing."""
    rules = Rules()
    template = Path(__file__).with_name("template.toml").read_text(encoding="utf-8")
    return template.format(
        weights=_table(msgspec.structs.asdict(rules.weights)),
        cuts=_table(msgspec.structs.asdict(rules.cuts)),
        sla_hours=_table(rules.sla_hours),
        departments="\n".join(map(department_text, rules.departments)),
    )


def _table(values: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} = {float(value)}" for name, value in values.items())


def department_text(department: Department) -> str:
    """A department as a table of the settings file."""
    lines = ["", "[[departments]]", f"name = {_string(department.name)}"]
    lines += [f"description = {_string(department.description)}", "phrases = ["]
    lines += [*_filled(department.phrases), "]"]
    if department.examples:
        lines += ["examples = [", *(f"    {_string(text)}," for text in department.examples), "]"]
    return "\n".join(lines)


def _filled(phrases: Sequence[str]) -> Iterator[str]:
    """Lines of as many phrases as go on one."""
    line = ""
    for phrase in map(_string, phrases):
        if line and len(line) + len(phrase) > _WIDTH:
            yield f"    {line.rstrip()}"
            line = ""
        line += f"{phrase}, "
    if line:
        yield f"    {line.rstrip()}"


def _string(text: str) -> str:
    """A TOML basic string; JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
