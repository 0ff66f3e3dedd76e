"""The page of the sources says what holds now."""

from __future__ import annotations

import re

from listeners.registry import names
from tests.listeners.conformance.matrix import PAGE, made


def test_the_tables_of_the_page_are_fresh() -> None:
    page = PAGE.read_text()
    assert made(page) == page, "run python -m tests.listeners.conformance"


def test_every_source_has_its_section() -> None:
    sections = re.findall(r"^## (\w+)$", PAGE.read_text(), re.MULTILINE)
    assert [name for name in names() if name not in sections] == []
