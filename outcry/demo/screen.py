"""The demonstration on one screen, or as lines of JSON."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import which
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from outcry.case import as_object
from outcry.demo import Demo
from outcry.screen import queue_table, short
from triage.folds import OPENED
from triage.incident import Incident
from triage.priority import explain

SHOWN = 15
_ORDER = "The list goes by priority, then by the nearest deadline."


def show(demo: Demo, console: Console) -> None:
    """The list, why its first is first, what was folded or left out, what to type next."""
    first = demo.cases[demo.queue[0]["ticket"]].ticket
    for line in _headline(demo):
        console.print(Text(line, "bold"))
    console.print(queue_table(demo.queue[:SHOWN], demo.as_of))
    _section(console, f"Why {short(first.ticket)} is first", [*explain(first), _ORDER])
    _section(console, "One cause, many customers", map(_incident, demo.incidents))
    _section(console, "Folded into one case, so that nobody is called twice", _folds(demo))
    _section(console, "Masked before anybody reads it", _masked(demo))
    _section(console, "Left out", _left_out(demo))
    _section(console, "Type next", commands(demo), "cyan", soft_wrap=True)


def as_objects(demo: Demo) -> Iterator[dict[str, Any]]:
    """One object a line: a summary, tickets best first, the first case, incidents, the rest."""
    yield {
        "show": "summary",
        "home": str(demo.home),
        "as_of": demo.as_of.isoformat(),
        "posts": demo.posts,
        "sources": demo.sources,
        "tickets": len(demo.queue),
        "folded": demo.folded,
        "left_out": demo.left_out,
        "next": list(commands(demo)),
    }
    for row in demo.queue:
        yield {"show": "ticket", **row}
    yield {"show": "first", **as_object(demo.cases[demo.queue[0]["ticket"]])}
    for one in demo.incidents:
        yield {"show": "incident", **msgspec.to_builtins(one)}
    for silent in demo.silent:
        yield {
            "show": "left out",
            "source": silent.source,
            "about": silent.about,
            "reason": silent.reason,
            "excerpt": silent.excerpt,
        }


def commands(demo: Demo) -> Iterator[str]:
    """Four commands that work as they stand."""
    start, at = f"{_program()} --home {demo.home}", demo.as_of.strftime("%Y-%m-%dT%H:%MZ")
    yield f"{start} show {short(demo.queue[0]['ticket'])}"
    yield f"{start} next --agent you --as-of {at}"
    yield f"{start} queue --department 'outages and faults' --as-of {at}"
    for one in demo.incidents[:1]:
        yield f"{start} incident {short(one.incident)}"


def _program() -> str:
    """How to call this command from where the reader is."""
    if which("outcry"):
        return "outcry"
    program = Path(sys.executable).with_name("outcry")  # as `make demo` leaves it
    return str(program.relative_to(Path.cwd()) if program.is_relative_to(Path.cwd()) else program)


def _headline(demo: Demo) -> Iterator[str]:
    yield (
        f"Kestrelline, a network that we made up, {demo.as_of:%d %B %Y, %H:%M} UTC: "
        f"{demo.posts} posts on {demo.sources} networks"
    )
    more = len(demo.queue) - SHOWN
    rest = f", here the first {SHOWN}" if more > 0 else ""
    yield f"became {len(demo.queue)} people to reach out to{rest}."


def _folds(demo: Demo) -> Iterator[str]:
    """Each case of more than one mention, most mentions first."""
    many = [found.ticket for found in demo.cases.values() if len(found.ticket.mentions) > 1]
    for ticket in sorted(many, key=lambda one: (-len(one.mentions), one.ticket)):
        reasons = Counter(fold.reason for fold in ticket.mentions if fold.reason != OPENED)
        words = "; ".join(f"{count} × {reason}" for reason, count in reasons.items())
        yield f"{short(ticket.ticket)}  {words}  ({ticket.excerpt[:40]}…)"


def _incident(one: Incident) -> str:
    noticed = int((one.detected_at - one.first_at).total_seconds() // 60)
    return (
        f"{short(one.incident)}  {one.title}: {one.customers} customers on {len(one.sources)} "
        f"networks, noticed after {noticed} minutes"
    )


def _masked(demo: Demo) -> Iterator[str]:
    for row in demo.queue:
        for post in demo.cases[row["ticket"]].posts:
            if post.personal_data:
                yield f"{short(row['ticket'])}  {' '.join(post.text.split())}"


def _left_out(demo: Demo) -> Iterator[str]:
    for silent in demo.silent:
        mark = " (missed: it is sarcasm)" if _is_missed(silent.about, silent.reason) else ""
        yield f"{silent.reason}{mark}: {silent.excerpt}"


def _is_missed(about: str, reason: str) -> bool:
    """A complaint in the clothes of praise that the model took at its word."""
    return about == "sarcasm" and reason == "not a complaint"


def _section(
    console: Console, title: str, lines: Iterable[str], style: str = "", soft_wrap: bool = False
) -> None:
    console.print()
    console.print(Text(title, "bold"))
    for line in lines:
        if soft_wrap:  # A command that is cut off cannot be typed.
            console.print(Text(f"  {line}", style), soft_wrap=True)
        else:
            console.print(Text(f"  {line}", style), no_wrap=True, overflow="ellipsis")
