"""Records for the stores' tests, with as few words as a test needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from triage.store.base import StoredMention, Write
from triage.ticket import Event, EventKind, Fold, Handling, Part, Ticket, make_event_id

T0 = datetime(2024, 3, 1, 12, tzinfo=UTC)


def minutes(number: float) -> datetime:
    return T0 + timedelta(minutes=number)


def mention(uid: str = "m1", **fields: Any) -> StoredMention:
    given: dict[str, Any] = {
        "uid": uid,
        "source": "rss",
        "native_id": f"native-{uid}",
        "kind": "post",
        "text": "The train stood still for an hour.",
        "created_at": T0,
        "collected_at": T0 + timedelta(hours=1),
        "content_hash": "c0ffee",
        "thread": uid,
        "fingerprint": f"print-{uid}",
    }
    return StoredMention(**(given | fields))


def ticket(id: str = "T-1", **fields: Any) -> Ticket:
    given: dict[str, Any] = {
        "ticket": id,
        "priority": 50,
        "tier": "P2",
        "parts": (Part(name="severity", points=12.5, words="an accusation"),),
        "department": "billing",
        "opened_at": T0,
        "last_at": T0,
        "sla_due": minutes(60),
        "source": "rss",
        "excerpt": "Charged twice.",
        "language": "en",
        "customer": "c1",
        "threads": (f"thread-{id}",),
        "mentions": (Fold(uid="m1", reason="opened the case"),),
        "posts": 1,
        "voices": 1,
    }
    if "status" in fields:
        given["handling"] = Handling(status=fields.pop("status"))
    return Ticket(**(given | fields))


def event(id: str = "T-1", kind: EventKind = "opened", key: str = "", at: float = 0) -> Event:
    return Event(id=make_event_id(id, kind, key), ticket=id, kind=kind, at=minutes(at), by="triage")


def new(id: str = "T-1", *events: Event, **fields: Any) -> Write:
    return Write(ticket=ticket(id, **fields), version=None, events=events)
