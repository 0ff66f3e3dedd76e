"""What both stores do alike with the records of `triage.store.shelf`."""

from __future__ import annotations

from triage.store.base import StoredMention
from triage.store.records import BadRecord, bury, check_id, plain_json
from triage.store.shelf import Keep


def checked_body(keep: Keep) -> bytes:
    """The record's JSON.

    Raises:
        BadRecord: for a key that no store takes, a time without zone, a value that is no JSON.
    """
    check_id(keep.key)
    if keep.at.tzinfo is None:
        raise BadRecord(f"the time {keep.at.isoformat()} has no zone")
    return plain_json(keep.record)


def bare(stored: StoredMention | None, uid: str) -> StoredMention | None:
    """A tombstone with nothing on it but the uid; None if that is what is stored."""
    tombstone = bury(None, uid)
    return None if stored == tombstone else tombstone
