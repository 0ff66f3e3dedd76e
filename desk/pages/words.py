"""Values in the words that pages use. Pure: a value and a time in, words out."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

STATUSES = {
    "new": "new",
    "claimed": "claimed",
    "contacted": "contacted",
    "waiting": "waiting for the customer",
    "resolved": "resolved",
    "dismissed": "dismissed",
    "reopened": "reopened",
}
CLOCKS = {
    "ok": "on time",
    "breaching soon": "due soon",
    "overdue": "overdue",
    "kept": "answered in time",
    "breached": "answered late",
}
"""What a clock's state is called on pages."""
DONE = {
    "claim": "The case is yours.",
    "extend": "The case stays yours.",
    "release": "The case is back in the queue.",
    "transfer": "The case is handed over.",
    "send": "The case is with the other department.",
    "snooze": "The case is put off; it comes back by itself.",
    "wait": "It is the customer's turn now; the case comes back by itself.",
    "contact": "Written down: the customer was contacted.",
    "reopen": "The case is open again.",
    "dismiss": "The case is dismissed.",
    "note": "The note is kept.",
    "finish": "The outcome is written down.",
    "split": "The posts are cases of their own now.",
    "merge": "The other case is a part of this one now.",
    "unmerge": "The merge is undone.",
    "wish": "The wish is written down.",
    "incident": "Written down.",
    "propose": "The list is up to date.",
    "approve": "The notices are approved.",
    "told": "Written down who was told.",
    "join": "The accounts are one person now.",
    "part": "The accounts are two people now; what was merged is given back.",
    "none": "Nobody is waiting: the queue has no free case for you.",
}
"""What a page says after something was done, by the address's ``done``."""
OUTCOMES = (
    ("resolved", "Resolved", "the customer is helped"),
    ("no answer", "No answer", "contacted, nothing came back"),
    ("wrong person", "Wrong person", "not the one who complained"),
    ("not a complaint", "Not a complaint", "nothing to do"),
    ("already solved", "Already solved", "solved before we came"),
)
"""(outcome, label, what it means), in the order of the keys 1 to 5."""


def span(length: timedelta) -> str:
    """A length of time, roughly: ``25 min``, ``3 h``, ``4 d``."""
    minutes = int(abs(length).total_seconds() // 60)
    if minutes < 90:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 72 else f"{hours // 24} d"


def due(at: datetime, now: datetime) -> str:
    """How far a deadline is: ``25 min left``, ``3 h late``."""
    return f"{span(at - now)} {'late' if at <= now else 'left'}"


def ago(at: datetime, now: datetime) -> str:
    """How long ago something was; ``in 3 h`` for what is to come."""
    if at > now + timedelta(minutes=1):
        return f"in {span(at - now)}"
    words = span(now - at)
    return "just now" if words == "0 min" else f"{words} ago"


def clock(at: datetime, zone: tzinfo, now: datetime | None = None) -> str:
    """A time by the desk's clock: ``10:24`` today, ``20 Nov 10:24`` else."""
    local = at.astimezone(zone)
    if now is not None and now.astimezone(zone).date() == local.date():
        return f"{local:%H:%M}"
    form = "%d %b %H:%M" if now is None or now.astimezone(zone).year == local.year else "%d %b %Y"
    return f"{local:{form}}".lstrip("0")


def plural(count: int, one: str, many: str | None = None) -> str:
    """``1 post``, ``2 posts``, ``12,000 posts``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def short(name: str) -> str:
    """The beginning of an id or pseudonym, long enough for people."""
    return name[:8]
