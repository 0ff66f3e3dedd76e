"""What every step says of itself, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from outcry import exits
from outcry.session import emit, note

if TYPE_CHECKING:
    from listeners.ledger import LedgerRow


def report(step: str, record: Any, as_json: bool) -> None:
    """Counts of a step: JSON, or one line with those that are not zero."""
    if as_json:
        emit_step(step, record)
        return
    from outcry.screen import counts_line

    typer.echo(f"{step}: {counts_line(builtins_of(record))}")


def emit_step(step: str, record: Any) -> None:
    """A record as one JSON object, after the step's name."""
    emit({"step": step, **builtins_of(record)})


def builtins_of(record: Any) -> dict[str, Any]:
    """The record as plain values, times as text."""
    import msgspec

    built: dict[str, Any] = msgspec.to_builtins(record)
    return built


def counts_of(row: LedgerRow) -> str:
    """What a ledger row counts, in words."""
    words = f"{row.got} rows, {row.new} new, {row.duplicate} duplicates"
    if row.changed:
        words += f", {row.changed} changed"
    if row.deleted:
        words += f", {row.deleted} deleted"
    return f"{words}, {row.rejected} rejected"


def verdict(rows: list[LedgerRow]) -> int:
    """Say which targets failed or rejected rows, and give the code that this makes."""
    for row in rows:
        if row.outcome == "failed":
            note(row.error or f"{row.source} {row.target} failed; run again with --debug")
        elif row.outcome == "skipped":
            note(row.error or f"{row.source} {row.target} is held by another run; run again later")
    code = exits.code_of_outcomes((row.outcome, row.error_class) for row in rows)
    rejected = sum(row.rejected for row in rows)
    if code == exits.DONE and rejected:
        note(f"{rejected} rows were rejected and kept; list them with 'outcry replay --list'")
        return exits.PARTIAL
    return code


def leave(code: int) -> None:
    """End here with the code, unless all is well."""
    if code != exits.DONE:
        raise typer.Exit(code)
