"""What both stores do alike, as pure functions: encode, decide, order."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from triage.errors import StoreRefused
from triage.store.base import Refusal, Seen, StoredMention, Write
from triage.ticket import Event, Ticket

T = TypeVar("T")

MOST_SEEN = 12
"""Earlier counts that are kept of a post."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MAX_ID_BYTES = 512
"""Elasticsearch takes no longer id, and would refuse the good documents beside it."""

_encoder = msgspec.json.Encoder()
_decode_mention = msgspec.json.Decoder(StoredMention).decode
_decode_ticket = msgspec.json.Decoder(Ticket).decode
_decode_event = msgspec.json.Decoder(Event).decode


class BadRecord(ValueError):
    """A record that no store can keep as it is; one line says why."""


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """``items`` in order, cut into pieces of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def micros(at: datetime) -> int:
    """Microseconds since 1970: what both stores sort and compare times by."""
    return (at - EPOCH) // timedelta(microseconds=1)


def outdated(name: str, known: Iterable[str], keep: int) -> list[str]:
    """The snapshots that go: of the line of ``name`` (``prefix-20261120``) all but the newest."""
    line = re.compile(re.escape(name.rstrip("0123456789")) + r"\d{8}")
    return sorted(one for one in known if line.fullmatch(one))[:-keep]


def is_text(value: Any) -> bool:
    """False for a string with half a surrogate pair, which no store can hold."""
    try:
        str(value).encode()
    except UnicodeEncodeError:
        return False
    return True


def check_id(id: str) -> None:
    """Raise `BadRecord` for an id that a store would not take."""
    if not 0 < len(id.encode(errors="replace")) <= MAX_ID_BYTES:
        raise BadRecord(f"the id must have 1 to {MAX_ID_BYTES} bytes")


def possible_id(id: str) -> bool:
    """Whether any document can have this id."""
    return is_text(id) and 0 < len(id.encode()) <= MAX_ID_BYTES


def plain_json(record: Any) -> bytes:
    """JSON of a record or a mapping.

    Raises:
        BadRecord: if it cannot be written as JSON.
    """
    try:
        return _encoder.encode(record)
    except (UnicodeEncodeError, TypeError, ValueError, OverflowError) as error:
        raise BadRecord(f"cannot be written as JSON: {_line(error)}") from None


def mention_json(row: StoredMention) -> bytes:
    """JSON of a mention that reads back as the same mention.

    Raises:
        BadRecord: if there is none: half a surrogate, a time without zone, not a number.
    """
    check_id(row.uid)
    _check_zones(row.created_at, row.collected_at, row.edited_at)
    return _checked(row, plain_json(row), _decode_mention)


def ticket_json(write: Write) -> tuple[bytes, list[bytes]]:
    """JSON of a ticket and of its events; raises `BadRecord` as `mention_json` does."""
    ticket, handling = write.ticket, write.ticket.handling
    check_id(ticket.ticket)
    if abs(ticket.priority) >= 2**31:
        raise BadRecord(f"the priority {ticket.priority} is out of range")
    _check_zones(
        ticket.opened_at,
        ticket.last_at,
        ticket.sla_due,
        ticket.refresh_at,
        handling.lease_until,
        handling.snoozed_until,
        ticket.rest_until,
    )
    events = []
    for event in write.events:
        check_id(event.id)
        _check_zones(event.at)
        if event.ticket != ticket.ticket:
            raise BadRecord(f"event {event.id} belongs to ticket {event.ticket}")
        events.append(_checked(event, plain_json(event), _decode_event))
    return _checked(ticket, plain_json(ticket), _decode_ticket), events


def _checked(record: Any, body: bytes, decode: Any) -> bytes:
    try:
        same = decode(body) == record
    except msgspec.ValidationError as error:
        raise BadRecord(f"would not read back: {_line(error)}") from None
    if not same:
        raise BadRecord("would not read back as it is: a value has the wrong type")
    return body


def _check_zones(*times: datetime | None) -> None:
    for at in times:
        if at is not None and at.tzinfo is None:
            raise BadRecord(f"the time {at.isoformat()} has no zone")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def refusal(id: str, error: Exception | str) -> Refusal:
    """The refusal of one document, its reason in one short line."""
    return Refusal(id=id, reason=" ".join(str(error).split())[:500])


def ledger_key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """What tells one ledger row from another."""
    return row["source"], row["target"], row["window"]


# decisions about mentions: (stored, wanted) -> what to store, None to leave it alone


def merge(stored: StoredMention | None, row: StoredMention) -> StoredMention | None:
    """See `triage.store.base.Store.save_mentions`."""
    if stored is None:
        return row
    if stored.deleted or stored.collected_at > row.collected_at:
        return None
    row = msgspec.structs.replace(row, thread=stored.thread, alone=stored.alone)
    if row.content_hash == stored.content_hash and row.fingerprint and stored.fingerprint:
        row = msgspec.structs.replace(row, fingerprint=stored.fingerprint, likeness=stored.likeness)
    row = msgspec.structs.replace(row, seen=_seen(stored, row))
    return None if row == stored else row


def _seen(stored: StoredMention, row: StoredMention) -> tuple[Seen, ...]:
    """The history of counts, with those that this collection replaces."""
    before = Seen(
        at=stored.collected_at,
        views=stored.views,
        shares=stored.shares,
        likes=stored.likes,
        replies=stored.replies,
    )
    newer = row.collected_at > stored.collected_at
    counts = (row.views, row.shares, row.likes, row.replies)
    same = counts == (stored.views, stored.shares, stored.likes, stored.replies)
    if not newer or same:
        return stored.seen
    return (*stored.seen, before)[-MOST_SEEN:]


def bury(stored: StoredMention | None, uid: str) -> StoredMention | None:
    """See `triage.store.base.Store.delete_mentions`."""
    if stored is None:
        return StoredMention(
            uid=uid,
            source="",
            native_id="",
            kind="post",
            text="",
            created_at=EPOCH,
            collected_at=EPOCH,
            content_hash="",
            thread=uid,
            fingerprint="",
            deleted=True,
        )
    if stored.deleted:
        return None
    return msgspec.structs.replace(
        stored,
        text="",
        title=None,
        url=None,
        customer=None,
        followers=None,
        evidence=(),
        deleted=True,
    )


def move(stored: StoredMention | None, thread: str) -> StoredMention | None:
    """See `triage.store.base.Store.set_threads`."""
    if stored is None or stored.thread == thread:
        return None
    return msgspec.structs.replace(stored, thread=thread)


def isolate(stored: StoredMention | None, alone: bool) -> StoredMention | None:
    """See `triage.store.base.Store.set_alone`."""
    if stored is None or stored.alone == alone:
        return None
    return msgspec.structs.replace(stored, alone=alone)


# the queue's order and its cursor

QueueKey = tuple[int, int, str]
_decode_key = msgspec.json.Decoder(QueueKey).decode


def cursor(ticket: Ticket) -> str:
    """Where the page after this ticket starts; the same in both stores."""
    key = (ticket.priority, micros(ticket.sla_due), ticket.ticket)
    return base64.urlsafe_b64encode(_encoder.encode(key)).decode()


def queue_key(after: str) -> QueueKey:
    """Priority, deadline in microseconds and id of a cursor.

    Raises:
        StoreRefused: if it is none.
    """
    try:
        key: QueueKey = _decode_key(base64.urlsafe_b64decode(after))
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise StoreRefused(
            "this is no cursor of a queue page: start again from the first page"
        ) from None
    return key
