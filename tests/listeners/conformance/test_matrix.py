"""The page of the sources says what holds now."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module

import msgspec
import pytest

from listeners.registry import SOURCES, names
from tests.listeners.conformance.matrix import PAGE, made


def test_the_tables_of_the_page_are_fresh() -> None:
    page = PAGE.read_text()
    assert made(page) == page, "run python -m tests.listeners.conformance"


def test_every_source_has_its_section() -> None:
    sections = re.findall(r"^## (\w+)$", PAGE.read_text(), re.MULTILINE)
    assert [name for name in names() if name not in sections] == []


@pytest.mark.parametrize("source", [name for name in names() if name != "import"])
def test_every_setting_of_a_source_is_in_its_section(source: str) -> None:
    section = re.search(rf"^## {source}\n(.*?)(?=^## )", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert section is not None
    settings = {name for kind in settings_of(source) for name in kind.__struct_fields__}
    assert settings, "a source has settings"
    named = set(re.findall(r"`(\w+)`", section[1]))
    assert settings - named - set(SOURCES[source].secrets) == set()


def test_what_was_not_tried_is_said_of_every_source() -> None:
    last = PAGE.read_text().partition("\n## Not tried on a live network\n")[2]
    assert tuple(re.findall(r"^\| (\w+) \| \w", last, re.MULTILINE)[1:]) == names()


def settings_of(source: str) -> Iterator[type[msgspec.Struct]]:
    """The records that a target's settings are read as: those that refuse unknown names."""
    top = import_module(f"listeners.sources.{SOURCES[source].module}")
    parts = [
        f"{top.__name__}.{one.name}" for one in pkgutil.iter_modules(getattr(top, "__path__", ()))
    ]
    for module in (top, *map(import_module, parts)):
        for kind in vars(module).values():
            if (
                inspect.isclass(kind)
                and issubclass(kind, msgspec.Struct)
                and kind.__module__ == module.__name__
                and kind.__struct_config__.forbid_unknown_fields
            ):
                yield kind
