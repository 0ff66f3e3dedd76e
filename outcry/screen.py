"""How results look to people: tables and lines; nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from listeners.coverage import Line as Coverage
    from listeners.spending import Spent
    from outcry.assessing import Line
    from triage.incident import Incident

TIER_STYLES = {"P1": "bold red", "P2": "yellow", "P3": "default", "P4": "dim"}
SEVERITY_STYLES = {"critical": "bold red", "major": "yellow", "minor": "default"}
CHECK_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red"}

_SHORT = 8


def queue_table(rows: Sequence[Mapping[str, Any]], now: datetime) -> Table:
    """The rows of a queue, one line each; the excerpt takes what width is left."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("ticket", no_wrap=True)
    table.add_column("prio", justify="right", no_wrap=True)
    table.add_column("answer", no_wrap=True)
    table.add_column("who", no_wrap=True, overflow="ellipsis", max_width=13)
    table.add_column("department", no_wrap=True, overflow="ellipsis", max_width=13)
    table.add_column("voices", justify="right", no_wrap=True)
    table.add_column("what they say", no_wrap=True, overflow="ellipsis", ratio=1)
    for number, row in enumerate(rows, start=1):
        style = TIER_STYLES.get(row["tier"], "default")
        table.add_row(
            str(number),
            Text(short(row["ticket"])),
            Text(f"{row['tier']} {row['priority']:3}", style),
            due_words(row["sla_due"], now),
            Text(f"{row['author'] or 'unknown'}"),
            Text(row["department"] or "sort by hand", "default" if row["department"] else "italic"),
            str(row["voices"]),
            Text(" ".join(_told(row).split())),
        )
    return table


def _told(row: Mapping[str, Any]) -> str:
    incident = row.get("incident")
    return f"[{short(incident)}] {row['excerpt']}" if incident else row["excerpt"]


def coverage_table(lines: Sequence[Coverage]) -> Table:
    """A line for each target and day."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("day", no_wrap=True)
    table.add_column("target", no_wrap=True, overflow="ellipsis", max_width=30)
    counts = ("received", "new", "changed", "deleted", "duplicate", "rejected", "cut off")
    for name in ("windows", *counts, "quota left", "missing"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        table.add_row(
            line.period,
            Text(f"{line.source}/{line.target}"),
            f"{line.answered}/{line.asked}",
            *(str(getattr(line, name.replace(" ", "_"))) for name in counts),
            "" if line.quota_left is None else str(line.quota_left),
            Text(str(len(line.missing)), "yellow" if line.missing else "default"),
        )
    return table


def spending_table(lines: Sequence[Spent]) -> Table:
    """A line for each credential and what it used."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("period", "credential of", "spent on"):
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=30)
    for name in ("spent", "granted", "left now"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for line in lines:
        nothing = line.left is not None and line.left < 1e-6
        table.add_row(
            line.period,
            Text(", ".join(line.targets) or line.credential),
            line.what,
            f"{line.used:g}",
            ", ".join(line.granted),
            Text("" if line.left is None else f"{line.left:.6g}", "yellow" if nothing else ""),
            f"not before {line.blocked_until:%m-%d %H:%M}" if line.blocked_until else "",
        )
    return table


def incident_table(found: Sequence[Incident]) -> Table:
    """Incidents, one line each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    for name in ("incident", "severity", "state", "since", "noticed"):
        table.add_column(name, no_wrap=True)
    table.add_column("people", justify="right", no_wrap=True)
    table.add_column("networks", justify="right", no_wrap=True)
    table.add_column("owner", no_wrap=True, overflow="ellipsis", max_width=12)
    table.add_column("what it is about", no_wrap=True, overflow="ellipsis", ratio=1)
    for one in found:
        table.add_row(
            Text(short(one.incident)),
            Text(one.severity, SEVERITY_STYLES[one.severity]),
            one.state,
            f"{one.first_at:%m-%d %H:%M}",
            f"{one.detected_at:%H:%M}",
            str(one.customers),
            str(len(one.sources)),
            Text(one.owner or "nobody"),
            Text(one.note or one.title),
        )
    return table


def worklist_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """A shift's contacts, one line each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    for name in ("", "ticket", "prio", "agent", "source", "who"):
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=16)
    table.add_column("what they say", no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        table.add_row(
            str(row["place"]),
            short(row["ticket"]),
            Text(f"{row['tier']} {row['priority']:3}", TIER_STYLES.get(row["tier"], "default")),
            Text(row["agent"] or ""),
            row["source"],
            Text(row["handle"]),
            Text(row["about"]),
        )
    return table


def notice_table(rows: Sequence[Mapping[str, str]]) -> Table:
    """Notices, one line each; what is withheld says why."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    for name in ("state", "source", "handle"):
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=22)
    table.add_column("text, or why not", ratio=1)
    for row in rows:
        table.add_row(
            row["state"], row["source"], Text(row["handle"]), Text(row["why"] or row["text"])
        )
    return table


def short(ticket: str) -> str:
    """The beginning of a ticket's id, long enough for people; every command takes it."""
    return ticket[:_SHORT]


def due_words(due: datetime | str, now: datetime) -> str:
    """How far a deadline is: ``in 25 min``, ``3 h late``."""
    if isinstance(due, str):
        due = datetime.fromisoformat(due)
    left = due - now
    words = _span(abs(left))
    return f"{words} late" if left < timedelta(0) else f"in {words}"


def counts_line(record: Mapping[str, Any]) -> str:
    """The counts of a record that are not zero: ``3 parts, 12 opened, left out (2 spam)``."""
    words = []
    for name, value in record.items():
        label = name.replace("_", " ")
        if isinstance(value, Mapping) and any(value.values()):
            words.append(f"{label} ({counts_line(value)})")
        elif isinstance(value, int) and value:
            words.append(f"{value} {label}")
    return ", ".join(words) or "nothing to do"


def assessment_lines(line: Line, text: str) -> Iterator[str]:
    """An assessment in words, one finding a line."""
    yield f"language    {line.language}"
    if line.complaint is None or line.complaint_probability is None:
        yield f"complaint   not read: {line.model} does not know this language"
    else:
        verdict = "yes" if line.complaint else "no"
        yield f"complaint   {verdict}, probability {line.complaint_probability:.2f}"
        yield f"sentiment   {line.sentiment}"
    yield f"department  {line.department or 'none: people sort it'}"
    for cue in line.cues or ():
        yield f"cue         {cue.kind}: {cue.text!r}"
    for word in sorted(line.evidence or (), key=lambda found: -abs(found.weight)):
        yield f"evidence    {word.weight:+.2f}  {word.text!r}"
    for span in line.personal_data or ():
        yield f"personal    {span.kind} at {span.start} to {span.end} of {len(text)} characters"
    yield f"model       {line.model}"


def _span(length: timedelta) -> str:
    minutes = int(length.total_seconds() // 60)
    if minutes < 90:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 72 else f"{hours // 24} d"
