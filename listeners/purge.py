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
    doomed = sum(_tombstone(record, gone) is not None for record in landing.records(part))
    kinds = [kind for kind in landing.scored_kinds() if landing.has(kind, part)]
    stale = [kind for kind in kinds if _is_stale(landing, kind, part, gone)]
    if not doomed and not stale:
        return Purged()
    with landing.lock(part.source, part.target):
        # Read again: the part may have been written anew while we waited.
        records = [_tombstone(record, gone) or record for record in landing.records(part)]
        if doomed:
            landing.write_part(RAW, part, map(encode, records))
        left = {record.uid for record in records if not isinstance(record, Deletion)}
        for kind in kinds:
            lines = [
                line
                for line in landing.read_lines(kind, part)
                if (uid := _uid_of.decode(line).uid) in left or uid not in gone
            ]
            landing.write_part(kind, part, lines)
    return Purged(mentions=doomed, parts=1 if doomed else 0)


def _tombstone(record: Record, gone: dict[str, Deletion]) -> Deletion | None:
    """What takes the place of a record, or None if it stays."""
    if isinstance(record, Deletion):
        return None
    deletion = gone.get(record.uid)
    return deletion if deletion is not None and record.collected_at <= deletion.seen_at else None


def _is_stale(landing: Landing, kind: str, part: Part, gone: dict[str, Deletion]) -> bool:
    """Whether a run died between a raw part and its scored one."""
    heard = {record.uid for record in landing.records(part) if not isinstance(record, Deletion)}
    uids = (_uid_of.decode(line).uid for line in landing.read_lines(kind, part))
    return any(uid in gone and uid not in heard for uid in uids)


def _add(one: Purged, other: Purged) -> Purged:
    return Purged(
        deletions=one.deletions + other.deletions,
        mentions=one.mentions + other.mentions,
        parts=one.parts + other.parts,
    )
