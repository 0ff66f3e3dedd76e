"""Rewrites the landing zone so that somebody, or what is too old, is no longer in it.

Each file is replaced in one step under the lock of its target, and the same question gives the
same bytes, so it may be killed anywhere and run again. A raw line that goes takes its line in
every scored part along, so that the two keep their order.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from listeners.landing import RAW, REJECTS, Landing, Part
from listeners.mention import Record, decode
from listeners.places import files_of

Doomed = Callable[[Record], bool]
"""Whether a mention or deletion has to go."""
Clean = Callable[[bytes], bytes]
"""A line or small file without what must go; the same object if nothing must."""


class Erased(msgspec.Struct, kw_only=True):
    """What a run did."""

    records: int = 0
    """Mentions and deletions that are gone."""
    cleaned: int = 0
    """Lines and small files of others, in which something was replaced."""
    rejects: int = 0
    files: int = 0
    """Files written anew, or removed because nothing was left in them."""


class _Uid(msgspec.Struct):
    uid: str


class _Length(msgspec.Struct):
    lines: int
    """Of a raw part, before anything was erased from it."""


_uid_of = msgspec.json.Decoder(_Uid)
_length_of = msgspec.json.Decoder(_Length)


def erase(landing: Landing, doomed: Doomed, clean: Clean, window: str | None = None) -> Erased:
    """Remove every doomed record, and what `clean` takes out of all other lines.

    A reject that `clean` would change goes as a whole: nobody knows what it means.

    Raises:
        LandingError: if a part cannot be read or written.
        Busy: if another run is collecting a target in question; run it again later.
    """
    done = Erased()
    for part in list(landing.parts(RAW, window=window)):
        with landing.lock(part.source, part.target):
            _erase_raw(landing, part, doomed, clean, done)
    for part in list(landing.parts(REJECTS, window=window)):
        with landing.lock(part.source, part.target):
            lines = list(landing.read_lines(REJECTS, part))
            kept = [line for line in lines if clean(line) is line]
            if len(kept) < len(lines):
                landing.write_part(REJECTS, part, kept)
                done.rejects += len(lines) - len(kept)
                done.files += 1
    for folder in ("state", "ledger", "targets"):
        _clean_documents(landing, folder, clean, done)
    return done


def forget_again(landing: Landing, part: Part, uids: frozenset[str]) -> int:
    """Remove these mentions from a raw part and its scored ones; how many records went."""
    done = Erased()
    with landing.lock(part.source, part.target):
        _erase_raw(landing, part, lambda record: record.uid in uids, lambda line: line, done)
    return done.records


def _erase_raw(landing: Landing, part: Part, doomed: Doomed, clean: Clean, done: Erased) -> None:
    lines = list(landing.read_lines(RAW, part))
    records = [decode(line) for line in lines]
    gone = {record.uid for record in records if doomed(record)}
    cleaned = [
        clean(line) for line, record in zip(lines, records, strict=True) if not doomed(record)
    ]
    before = [line for line, record in zip(lines, records, strict=True) if not doomed(record)]
    changed = sum(new is not old for new, old in zip(cleaned, before, strict=True))
    if len(cleaned) < len(lines):
        _note_length(landing, part, len(lines))
    if len(cleaned) < len(lines) or changed:
        landing.write_part(RAW, part, cleaned)
        done.records += len(lines) - len(cleaned)
        done.cleaned += changed
        done.files += 1
    # A run that died after the raw part left assessments of what is not there any more.
    left = {record.uid for record in records} - gone
    for kind in landing.scored_kinds():
        if landing.has(kind, part):
            old = list(landing.read_lines(kind, part))
            new = [clean(line) for line in old if _uid_of.decode(line).uid in left]
            if len(new) < len(old) or any(a is not b for a, b in zip(new, old, strict=True)):
                landing.write_part(kind, part, new)
                done.files += 1


def first_length(landing: Landing, part: Part) -> int | None:
    """How many records a raw part had before any was erased; None if none was."""
    known = landing.read_document(length_note(part))
    return None if known is None else _length_of.decode(known).lines


def _note_length(landing: Landing, part: Part, lines: int) -> None:
    """Keep how many lines a part had at first, so that its books can still be checked."""
    if first_length(landing, part) is None:
        keep_length(landing, part, lines)


def keep_length(landing: Landing, part: Part, lines: int) -> None:
    """Note how many records a part had at first."""
    landing.write_document(length_note(part), msgspec.json.encode(_Length(lines)))


def length_note(part: Part) -> str:
    """Where it is kept how long a part was at first."""
    return f"erased/{part.name.removesuffix('.jsonl.gz')}.json"


def _clean_documents(landing: Landing, folder: str, clean: Clean, done: Erased) -> None:
    for path in files_of(landing.root / folder, "*.json"):
        name = path.relative_to(landing.root).as_posix()
        content = landing.read_document(name)
        if content is not None and (cleaned := clean(content)) is not content:
            landing.write_document(name, cleaned)
            done.cleaned += 1
            done.files += 1
