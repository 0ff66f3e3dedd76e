"""The incident: many complaints, one cause; and its states as pure code.

    open ──confirm──► confirmed ──fix──► fixed ──close──► closed
      └────dismiss──────┴──► dismissed         (fix and dismiss also from open)

Like a ticket it has two halves: what is derived from the posts, and what people decided, which
no replay overwrites. A planned change is an incident that people open: it begins as confirmed.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Literal

import msgspec

from triage.errors import IllegalMove

State = Literal["open", "confirmed", "fixed", "closed", "dismissed"]
Severity = Literal["minor", "major", "critical"]
IncidentAction = Literal["confirm", "fix", "close", "dismiss", "own", "note"]

LIVE: tuple[State, ...] = ("open", "confirmed")
"""New posts still join."""

_MOVES: dict[State, dict[IncidentAction, State]] = {
    "open": {"confirm": "confirmed", "fix": "fixed", "dismiss": "dismissed"},
    "confirmed": {"fix": "fixed", "dismiss": "dismissed"},
    "fixed": {"close": "closed", "confirm": "confirmed"},
    "closed": {},
    "dismissed": {"confirm": "confirmed"},
}


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A quarter of an hour of the curve."""

    at: datetime
    posts: int


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """A word or pair of words that sets the incident apart."""

    word: str
    score: float
    """Dunning's log-likelihood ratio against the other complaints; above 10.8 is no chance."""
    posts: int


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did."""

    action: str
    at: datetime
    by: str
    words: str = ""


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """One cause. Times are aware and UTC."""

    incident: str
    """See `make_incident_id`."""
    kind: Literal["burst", "planned"] = "burst"
    title: str
    series: tuple[str, ...]
    """What it was noticed by, the least likely first."""
    first_at: datetime
    detected_at: datetime
    """Event time at which the reports were enough."""
    last_at: datetime
    peak_at: datetime
    peak: int
    """Posts in the fullest quarter of an hour."""
    expected: float
    """Reports that the past would have had in the stretch in which it was noticed."""
    reports: int
    """Independent reports in that stretch."""
    chance: float
    """How likely so many were."""
    curve: tuple[Point, ...] = ()
    words: tuple[Word, ...] = ()
    posts: tuple[str, ...] = ()
    """Uids of the complaints, oldest first, at most 5,000."""
    customers: int = 0
    sources: tuple[str, ...] = ()
    tickets: tuple[str, ...] = ()
    department: str | None = None
    severity: Severity = "minor"

    state: State = "open"
    owner: str | None = None
    note: str | None = None
    fixed_at: datetime | None = None
    steps: tuple[Step, ...] = ()


def make_incident_id(first: str, began: datetime) -> str:
    """``I-`` and 12 characters of base 32: a digest of the earliest report and its time."""
    key = f"incident\x1f{first}\x1f{began.astimezone(UTC).isoformat()}"
    return "I-" + base64.b32encode(hashlib.sha256(key.encode()).digest())[:12].decode().lower()


def move(
    incident: Incident, action: IncidentAction, by: str, now: datetime, words: str = ""
) -> Incident:
    """The incident after somebody did something with it.

    Raises:
        IllegalMove: if its state does not allow that.
    """
    step = Step(action=action, at=now, by=by, words=words)
    incident = msgspec.structs.replace(incident, steps=(*incident.steps, step))
    if action == "own":
        return msgspec.structs.replace(incident, owner=words or by)
    if action == "note":
        return msgspec.structs.replace(incident, note=words)
    following = _MOVES[incident.state].get(action)
    if following is None:
        possible = ", ".join((*_MOVES[incident.state], "own", "note"))
        raise IllegalMove(
            f"{incident.incident} is {incident.state}: cannot {action} it; possible: {possible}"
        )
    fixed = now if following == "fixed" else incident.fixed_at
    return msgspec.structs.replace(
        incident,
        state=following,
        owner=incident.owner or by,
        note=words or incident.note,
        fixed_at=None if following == "confirmed" else fixed,
    )
