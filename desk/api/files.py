"""How OpenAPI is told of answers that are files."""

from __future__ import annotations

from typing import Any

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CALENDAR = "text/calendar"


def file(kind: str, what: str) -> dict[int | str, dict[str, Any]]:
    """What a route's ``responses`` say of a file."""
    form = {"type": "string", "format": "binary"} if kind == XLSX else {"type": "string"}
    return {200: {"description": what, "content": {kind: {"schema": form}}}}


def csv_file(what: str) -> dict[int | str, dict[str, Any]]:
    """The same of a CSV."""
    return file(CSV, what)
