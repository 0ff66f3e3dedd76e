"""What a network has deleted leaves the landing zone: text and author go, a tombstone stays.

A part that holds a deleted mention is written anew, with the `Deletion` in the mention's
place, so that a part keeps its number of records; then the scored parts beside it, without
the assessment. Each file is replaced in one step, and the same deletions give the same
bytes, so it may be killed anywhere and run again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from listeners.landing import RAW, Landing, Part
from listeners.mention import Deletion, Record, encode

_DONE = "purge/done.json"
_MARK = b'"deletion"'


class Purged(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did."""

    deletions: int = 0
    """Deletions that had not been worked through before."""
    mentions: int = 0
    """Mentions that became tombstones, in raw parts."""
    parts: int = 0
    """Raw parts written anew."""


class _Uid(msgspec.Struct):
    uid: str


_uid_of = msgspec.json.Decoder(_Uid)


def purge(landing: Landing) -> Purged:
    """Work through the deletions that no run has worked through yet.

    A mention that was collected after its deletion was seen is public again and stays.

    Raises:
        LandingError: if a part cannot be read or written.
        Busy: if another run is collecting a target in question; run it again later.
    """
    content = landing.read_document(_DONE)
    done: dict[str, datetime] = (
        msgspec.json.decode(content, type=dict[str, datetime]) if content else {}
    )
    gone = {d.uid: d for d in _deletions(landing) if d.seen_at > done.get(d.uid, _NEVER)}
    if not gone:
        return Purged()
    total = Purged(deletions=len(gone))
    for part in landing.parts(RAW):
        total = _add(total, _purge_part(landing, part, gone))
    worked = {uid: deletion.seen_at for uid, deletion in gone.items()}
    landing.write_document(_DONE, msgspec.json.encode({**done, **worked}, order="sorted"))
    return total


_NEVER = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


def _deletions(landing: Landing) -> Iterator[Deletion]:
    """The latest of each item; they may have come another way than the mention."""
    found: dict[str, Deletion] = {}
    for part in landing.parts(RAW):
        if not any(_MARK in line for line in landing.read_lines(RAW, part)):
            continue
        for record in landing.records(part):
            if isinstance(record, Deletion):
                known = found.get(record.uid)
                if known is None or known.seen_at < record.seen_at:
                    found[record.uid] = record
    yield from found.values()


def _purge_part(landing: Landing, part: Part, gone: dict[str, Deletion]) -> Purged:
    if not any(record.uid in gone for record in landing.records(part)):
        return Purged()
    with landing.lock(part.source, part.target):
        before = list(landing.records(part))
        after = [_tombstone(record, gone) or record for record in before]
        doomed = sum(new is not old for new, old in zip(after, before, strict=True))
        if doomed:
            landing.write_part(RAW, part, map(encode, after))
        left = {record.uid for record in after if not isinstance(record, Deletion)}
        for kind in landing.scored_kinds():
            if landing.has(kind, part):
                _purge_scored(landing, kind, part, gone.keys() - left)
    return Purged(mentions=doomed, parts=1 if doomed else 0)


def _purge_scored(landing: Landing, kind: str, part: Part, gone: set[str]) -> None:
    """Drop the assessments of mentions that are gone, those that an earlier death left too."""
    lines = list(landing.read_lines(kind, part))
    kept = [line for line in lines if _uid_of.decode(line).uid not in gone]
    if len(kept) < len(lines):
        landing.write_part(kind, part, kept)


def _tombstone(record: Record, gone: dict[str, Deletion]) -> Deletion | None:
    """What takes the place of a record, or None if it stays."""
    if isinstance(record, Deletion):
        return None
    deletion = gone.get(record.uid)
    return deletion if deletion is not None and record.collected_at <= deletion.seen_at else None


def _add(one: Purged, other: Purged) -> Purged:
    return Purged(
        deletions=one.deletions + other.deletions,
        mentions=one.mentions + other.mentions,
        parts=one.parts + other.parts,
    )
