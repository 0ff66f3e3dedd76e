"""Import of files: CSV and JSON Lines, packed with gzip or not.

Every network that has no open door can be exported to a file, so this listener speaks
for all of them. What a row means is said by a preset, by a field map, or by the usual
names of its columns. ``collected_at`` is the file's modification time, the moment of the
export, so that the same file gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Page, Reject, State, Target, Traits
from listeners.errors import BadTarget
from listeners.mapping import MALFORMED, map_again, one_line
from listeners.mention import Deletion, Mention
from listeners.sources.import_file.opening import Opened, faults_named, first_keys, opened
from listeners.sources.import_file.options import Options, RowMapper, mapper_of, options_of
from listeners.sources.import_file.presets import CANONICAL, PRESETS
from listeners.sources.import_file.reader import Row

__all__ = ["PRESETS", "ImportFile", "Options", "target_for", "target_for_rows", "window_for"]

_PAGE_ROWS = 1000
_PAGE_BYTES = 4 * 1024 * 1024
_DIGITS = 12


def target_for(path: Path, **options: Any) -> Target:
    """The target that a file and the way to read it (see `Options`) are.

    The same bytes read the same way are the same target wherever the file lies, so that
    a file sent again changes nothing; read in another way they are another target.
    Reads the whole file once.

    Raises:
        TargetGone: if there is no such file.
        BadTarget: if it cannot be read, is empty or a folder, or an option is wrong.
    """
    with faults_named(path), path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    if size == 0:
        raise BadTarget(f"{path} is empty: export it again")
    given = {name: value for name, value in options.items() if value is not None}
    way = msgspec.json.encode([sha256, given], order="deterministic")
    target = Target(
        source=ImportFile.name,
        key=f"file-{hashlib.sha256(way).hexdigest()[:_DIGITS]}",
        params={"path": str(path.absolute()), "sha256": sha256, "size": size, **given},
    )
    options_of(target)
    return target


def target_for_rows(key: str, origin: str, **options: Any) -> Target:
    """The target for rows that come without a file, from ``origin`` in words.

    Raises:
        BadTarget: if an option is wrong.
    """
    given = {name: value for name, value in options.items() if value is not None}
    params = {"path": origin, "sha256": "", "size": 0, **given}
    target = Target(source=ImportFile.name, key=key, params=params)
    mapper_of(options_of(target), "")
    return target


def window_for(target: Target) -> str:
    """The window that a file is: ``file-`` and the first digits of its content's digest."""
    return f"file-{options_of(target).sha256[:_DIGITS]}"


class ImportFile:
    """One file; its state is the place of the next row."""

    name: ClassVar[str] = "import"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(order="file", strict_pages=False)

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        options_of(target)

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield the rows in the file's order, a thousand a page.

        A row that cannot be understood is a reject whose ``where`` is its line. A file
        that was read to its end gives one empty page.

        Raises:
            TargetGone: if the file is not there.
            BadTarget: if it cannot be read as a whole, or lacks a column that is needed.
        """
        options = options_of(target)
        place = _Place(**(state or {}))
        if place.done:
            yield Page(state=msgspec.to_builtins(place), done=True)
            return
        with opened(options, place.offset, place.line) as file:
            mapper = self._mapper(options, file)
            pages = _Pages(mapper, target, self._signed, _modified(options))
            while not place.done:
                page = pages.next(file)
                place = _Place(
                    offset=file.lines.offset,
                    line=file.lines.line,
                    row=place.row + page.raw_count,
                    done=page.done,
                )
                yield msgspec.structs.replace(page, state=msgspec.to_builtins(place))

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The record of a rejected row, read the way that ``target`` says now.

        Raises:
            ValueError: if it still cannot be understood, or was not a row at all.
            BadTarget: if the target's settings are wrong.
        """
        if not isinstance(reject.raw, dict):
            raise ValueError(f"{reject.error}: mend the file and import it again")
        mapper = mapper_of(options_of(target), self._signed)
        return map_again(reject.raw, lambda row: mapper(row, now))

    @property
    def _signed(self) -> str:
        return f"{self.name}/{self.version}"

    def _mapper(self, options: Options, file: Opened) -> RowMapper:
        if file.columns is None and options.preset != CANONICAL:
            _check_keys(options)
        return mapper_of(options, self._signed, file.columns)


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go on: offsets are bytes of the unpacked file."""

    offset: int = 0
    line: int = 1
    row: int = 0
    done: bool = False


class _Pages:
    """Cuts rows into pages and maps them."""

    def __init__(self, mapper: RowMapper, target: Target, listener: str, at: datetime) -> None:
        self._mapper = mapper
        self._target = target
        self._listener = listener
        self._at = at

    def next(self, file: Opened) -> Page:
        """The next page, of which ``done`` says that the file ends with it."""
        items: list[Mention | Deletion] = []
        rejects: list[Reject] = []
        size = count = 0
        for row in file.rows:
            if row.value is None:
                rejects.append(self._reject(row, "decode", row.error or "", row.raw))
            else:
                try:
                    items.append(self._mapper(row.value, self._at))
                except MALFORMED as error:
                    rejects.append(self._reject(row, "map", one_line(error), row.value))
            count += 1
            size += row.size
            if count == _PAGE_ROWS or size >= _PAGE_BYTES:
                return Page(items=items, rejects=rejects, state={}, raw_count=count)
        return Page(items=items, rejects=rejects, state={}, raw_count=count, done=True)

    def _reject(self, row: Row, stage: Any, error: str, raw: Any) -> Reject:
        return Reject(
            source=self._target.source,
            target=self._target.key,
            stage=stage,
            error=error,
            raw=raw,
            at=self._at,
            where=f"line {row.line}",
            listener=self._listener,
        )


def _modified(options: Options) -> datetime:
    path = Path(options.path)
    with faults_named(path):
        return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)


def _check_keys(options: Options) -> None:
    """Refuse a JSON file whose first objects all lack a text or a time, as CSV would be."""
    objects = first_keys(options)
    keys = list(dict.fromkeys(name for value in objects for name in _names(value)))
    if keys:
        mapper_of(options, "", keys, lenient=True)


def _names(value: dict[str, object], prefix: str = "") -> Iterator[str]:
    for name, inner in value.items():
        yield prefix + name
        if isinstance(inner, dict):
            yield from _names(inner, f"{prefix}{name}.")
