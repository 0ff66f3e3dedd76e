"""The shelf of `triage.store.shelf` in a dictionary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from triage.store.base import Written
from triage.store.shelf import Keep, Kept, Kind


class DictShelf:
    """Mixed into `tests.triage.dict_store.DictStore`."""

    def __init__(self) -> None:
        self.kept_records: dict[tuple[str, str], Kept] = {}

    def shelve(self, kind: Kind, keeps: Sequence[Keep]) -> Written:
        done, conflicts = [], []
        for keep in keeps:
            known = self.kept_records.get((kind, keep.key))
            if (known.version if known else None) != keep.version:
                conflicts.append(keep.key)
                continue
            self._write()
            self.kept_records[kind, keep.key] = Kept(
                key=keep.key,
                group=keep.group,
                at=keep.at,
                version=str(int(known.version) + 1 if known else 1),
                body=msgspec.json.encode(keep.record),
            )
            done.append(keep.key)
        return Written(done=tuple(done), conflicts=tuple(conflicts))

    def shelved(self, kind: Kind, keys: Sequence[str]) -> dict[str, Kept]:
        found = {key: self.kept_records.get((kind, key)) for key in keys}
        return {key: kept for key, kept in found.items() if kept is not None}

    def shelf(
        self, kind: Kind, group: str | None = None, since: datetime | None = None
    ) -> Iterator[Kept]:
        kept = [one for (name, _), one in self.kept_records.items() if name == kind]
        return iter(
            sorted(
                (
                    one
                    for one in kept
                    if group in (None, one.group) and (since is None or one.at >= since)
                ),
                key=lambda one: (one.at, one.key),
            )
        )

    def unshelve(self, kind: Kind, keys: Sequence[str]) -> None:
        for key in keys:
            self.kept_records.pop((kind, key), None)

    def _write(self) -> None:
        raise NotImplementedError
