"""Makes mentions and assessments for tests, with as few words as the test needs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from listeners.mention import Author, Mention
from nlp.assessment import Assessment, Cue, CueKind
from triage.casework import FoldReport, fold_cases
from triage.intake import Pair, store_records
from triage.rules import Rules
from triage.store.base import Store
from triage.ticket import Ticket

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
NOW = START + timedelta(days=30)
RULES = Rules()

_CUES: dict[str, CueKind] = {kind: kind for kind in get_args(CueKind)}


def heard(
    native_id: str,
    text: str = "the kettle I bought leaks all over",
    by: str | None = "ann",
    hours: float = 0,
    *,
    source: str = "mastodon",
    complaint: bool | None = True,
    cues: tuple[str, ...] = (),
    language: str = "en",
    severity: int | None = None,
    probability: float | None = None,
    **fields: Any,
) -> Pair:
    """A mention ``hours`` after `START`, and what a model would make of it."""
    at = START + timedelta(hours=hours)
    author = fields.pop("author", Author(id=by, handle=by) if by else Author())
    mention = Mention(
        source=source,
        native_id=native_id,
        text=text,
        created_at=at,
        collected_at=fields.pop("collected_at", at),
        listener="test/1",
        author=author,
        **fields,
    )
    if probability is None and complaint is not None:
        probability = 0.9 if complaint else 0.1
    assessment = Assessment(
        uid=mention.uid,
        model="test/1",
        language=language,
        sentiment=None if complaint is None else "negative" if complaint else "neutral",
        complaint=complaint,
        complaint_probability=probability,
        severity=severity,
        cues=tuple(Cue(kind=_CUES[kind], text=kind, start=0, end=0) for kind in cues),
    )
    return mention, assessment


def brand(native_id: str, hours: float = 0, **fields: Any) -> Pair:
    """A post by the brand."""
    author = Author(id="acme", handle="acme", is_owner=True)
    text = fields.pop("text", "we are sorry, please send us a message")
    return heard(native_id, text, None, hours, complaint=False, author=author, **fields)


def triage(
    store: Store, pairs: list[Pair], rules: Rules = RULES, now: datetime = NOW
) -> FoldReport:
    """Store these records, then fold them."""
    stored = store_records(store, pairs, rules)
    return fold_cases(store, stored.uids, rules, now)


def only_ticket(store: Store) -> Ticket:
    """The store's one ticket."""
    (ticket,) = store.all_tickets()
    return ticket
