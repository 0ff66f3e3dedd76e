"""Searches everything that a deployment holds for what should not be there any more."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import msgspec

from listeners.places import files_of, is_local
from outcry.settings import Settings
from triage.erasure import Needles
from triage.store.base import Store


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One place that was searched."""

    place: str
    searched: int
    """Files or documents."""
    found: int
    """Bytes of the person."""
    note: str = ""


def proof(settings: Settings, store: Store, needles: Needles) -> Iterator[Place]:
    """Search every file of the home and every document of the store."""
    landing = settings.landing.root
    files = found = 0
    for path in files_of(landing):
        files += 1
        found += _found_in_file(path, needles)
    yield Place(place="landing zone", searched=files, found=found)
    counts: dict[str, list[int]] = {}
    for place, key, body in store.every_document():
        count = counts.setdefault(place, [0, 0])
        count[0] += 1
        count[1] += needles.found_in(body[body.find(b"{") :] if b"{" in body else body)
        count[1] += needles.found_raw(key.encode(errors="replace"))
    for place, (searched, bytes_found) in sorted(counts.items()):
        yield Place(place=f"store: {place}", searched=searched, found=bytes_found)
    for path in sorted(settings.home.glob("outcry.db*")):
        yield Place(
            place=f"file {path.name}", searched=1, found=needles.found_raw(path.read_bytes())
        )
    others = [
        path
        for path in files_of(settings.home)
        if not (is_local(landing) and path.is_relative_to(landing))
        and not path.name.startswith("outcry.")
    ]
    for path in others:
        count_here = _found_in_file(path, needles)
        if count_here:
            yield Place(
                place=f"file {path.relative_to(settings.home)}",
                searched=1,
                found=count_here,
                note="not ours to change: remove them there, or the whole file",
            )
    if others:
        yield Place(place="other files of the home", searched=len(others), found=0)


def _found_in_file(path: Path, needles: Needles) -> int:
    if path.suffix != ".gz":
        return needles.found_raw(path.read_bytes())
    with path.open("rb") as packed, gzip.open(packed) as lines:
        return sum(needles.found_in(line) for line in lines)
