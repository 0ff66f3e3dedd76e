"""The landing zone: plain files that are the truth, replayable for ever.

    raw/source=S/window=W/target=T/part-00000.jsonl.gz              mentions and deletions
    rejects/source=S/window=W/target=T/part-00000.jsonl.gz          what was not understood
    scored/model=M/source=S/window=W/target=T/part-00000.jsonl.gz   what a model made of raw
    ledger/source=S/window=W/target=T.json                          what was asked and got
    state/source=S/target=T.json                                    where to go on
    erased/source=S/window=W/target=T/part-00000.json               what a part once held

A file appears whole or not at all (`listeners.places` says how). Readers pass over what an
interrupted writer left. The same lines give the same bytes.
"""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from listeners.contract import Reject
from listeners.errors import Busy, LandingError
from listeners.mention import Record, decode
from listeners.places import answering, damaged, is_local, listing, remove, trouble, writing

RAW = "raw"
REJECTS = "rejects"

_LEVEL = 4
"""Of gzip: twice as fast as the default for a tenth more bytes."""
_BATCH_BYTES = 64 * 1024
_SLUG = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,149}")
_WINDOW = "%Y%m%dT%H%M%SZ"
_PART = re.compile(r"part-(\d{5,})\.jsonl\.gz")
_reject_decoder = msgspec.json.Decoder(Reject)


class Part(msgspec.Struct, frozen=True, order=True):
    """One immutable file of lines; its raw and scored forms share the name."""

    source: str
    window: str
    target: str
    number: int

    @property
    def name(self) -> str:
        """The path below its kind."""
        return f"{_folder(self.source, self.window, self.target)}/part-{self.number:05}.jsonl.gz"


def window_name(start: datetime) -> str:
    """How a scheduled window is named: ``20171031T221500Z``.

    Raises:
        ValueError: if ``start`` has no time zone.
    """
    if start.tzinfo is None:
        raise ValueError(f"{start.isoformat()} has no time zone")
    return start.astimezone(UTC).strftime(_WINDOW)


def window_start(name: str) -> datetime | None:
    """When the window of this name starts; None if no schedule named it."""
    try:
        return datetime.strptime(name, _WINDOW).replace(tzinfo=UTC)
    except ValueError:
        return None


def scored(model: str) -> str:
    """The kind that holds a model's assessments; ``baseline-en/1`` becomes ``baseline-en~1``."""
    return f"scored/model={'~'.join(slug(word, 'model') for word in model.split('/'))}"


def slug(name: str, what: str) -> str:
    """``name`` itself, once it is known to be safe as part of a path.

    Raises:
        LandingError: otherwise.
    """
    if not _SLUG.fullmatch(name):
        raise LandingError(
            f"{what} {name[:160]!r} cannot name a file: "
            "use up to 150 letters, digits, '.', '_' and '-', not starting with '.'"
        )
    return name


class Landing:
    """The landing zone under one folder, which is made when first written to.

    The folder may be an object store's (see `listeners.places`). Locks need a folder of this
    machine, ``locks``: the system lets go of them when a process dies, which no store does.
    Processes of two machines do not see each other's.

    Every method raises `LandingError`, in one line, when the folder or a file in it
    cannot be used.
    """

    def __init__(self, root: Path, locks: Path | None = None) -> None:
        if locks is None and not is_local(root):
            raise LandingError(f"landing zone: {root} needs a folder of this machine for its locks")
        self.root = root
        self._locks = locks or root

    def path(self, kind: str, part: Part) -> Path:
        """Where a part of a kind (`RAW`, `REJECTS` or `scored`) lies, present or not."""
        return self.root / kind / part.name

    def has(self, kind: str, part: Part) -> bool:
        """Whether the part was written."""
        return self.path(kind, part).is_file()

    def parts(
        self,
        kind: str,
        *,
        source: str | None = None,
        window: str | None = None,
        target: str | None = None,
    ) -> Iterator[Part]:
        """The parts of a kind, sorted by source, window, target and number.

        Lists one folder at a time, so memory does not grow with the landing zone.
        """
        top = self.root / kind
        for of_source in _values(top, "source", source):
            in_source = top / f"source={of_source}"
            for of_window in _values(in_source, "window", window):
                in_window = in_source / f"window={of_window}"
                for of_target in _values(in_window, "target", target):
                    for number in _numbers(in_window / f"target={of_target}"):
                        yield Part(of_source, of_window, of_target, number)

    def named(self, folder: str, key: str, only: str | None = None) -> list[str]:
        """The values of the ``key=value`` folders in a folder below the root, sorted."""
        return _values(self.root / folder, key, only)

    def names(self, folder: str) -> list[str]:
        """What lies in a folder below the root, sorted."""
        return sorted(listing(self.root / folder))

    def scored_kinds(self) -> list[str]:
        """The kinds of scored parts that there are, one for each model."""
        return [f"scored/model={model}" for model in _values(self.root / "scored", "model", None)]

    def next_number(self, kind: str, source: str, window: str, target: str) -> int:
        """The first number that no part of the target has used in the window."""
        numbers = _numbers(self.root / kind / _folder(source, window, target))
        return numbers[-1] + 1 if numbers else 0

    def write_part(self, kind: str, part: Part, lines: Iterable[bytes]) -> int:
        """Make a part durable; returns how many lines it holds.

        Streams ``lines``, which come without line breaks. Replaces a part of that name.
        """
        count = 0
        with (
            writing(self.path(kind, part)) as file,
            gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed,
        ):
            for some in _batches(lines):
                packed.write(b"\n".join((*some, b"")))
                count += len(some)
        return count

    def read_lines(self, kind: str, part: Part) -> Iterator[bytes]:
        """The lines of a part, without line breaks, one at a time."""
        path = self.path(kind, part)
        with answering(path):
            try:
                with path.open("rb") as packed, gzip.open(packed) as file:
                    if not file.peek(1) and path.stat().st_size == 0:
                        raise EOFError("it is empty")
                    # Lines of the buffer come from C, those of the file itself do not.
                    for line in io.BufferedReader(file):
                        yield line.rstrip(b"\n")
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                raise damaged(path, error) from error

    def records(self, part: Part) -> Iterator[Record]:
        """The mentions and deletions of a raw part."""
        try:
            yield from map(decode, self.read_lines(RAW, part))
        except (msgspec.MsgspecError, ValueError) as error:
            raise damaged(self.path(RAW, part), error) from error

    def rejects(self, part: Part) -> Iterator[Reject]:
        """The rejects of a reject part."""
        try:
            yield from map(_reject_decoder.decode, self.read_lines(REJECTS, part))
        except msgspec.MsgspecError as error:
            raise damaged(self.path(REJECTS, part), error) from error

    def write_document(self, name: str, content: bytes) -> None:
        """Replace the small file ``name`` (a path below the root) in one step."""
        with writing(self.root / name) as file:
            file.write(content)

    def read_document(self, name: str) -> bytes | None:
        """The content of a small file, or None where there is none."""
        path = self.root / name
        with answering(path):
            try:
                return path.read_bytes()
            except FileNotFoundError:
                return None

    def lock_file(self, name: str) -> Path:
        """The file by which processes of this machine take turns at ``name``; its folder is there.

        Raises:
            LandingError: if there can be none.
        """
        path = self._locks / f"{name}.lock"
        with answering(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def lock(self, source: str, target: str) -> Iterator[None]:
        """Hold a target against other runs; the system lets go when the process dies.

        Raises:
            Busy: at once, if another run holds it.
        """
        path = self.lock_file(
            f"state/source={slug(source, 'source')}/target={slug(target, 'target')}"
        )
        try:
            held = FileLock(path, timeout=0)
            held.acquire()
        except Timeout as error:
            raise Busy(
                f"another run is collecting {source}/{target}: wait until it has ended"
            ) from error
        except OSError as error:
            raise trouble(error, path) from error
        try:
            yield
        finally:
            held.release()

    def sweep(self, source: str, window: str, target: str) -> None:
        """Remove what interrupted writers left; only for who holds the target's lock."""
        if not is_local(self.root):
            return  # There nothing is written under another name.
        place = _folder(source, window, target)
        for kind in (RAW, REJECTS):
            remove(self.root / kind / place, ".part-*.tmp")
        remove(self.root / f"state/source={source}", f".target={target}.json.*.tmp")
        remove(self.root / f"ledger/source={source}/window={window}", f".target={target}.*.tmp")


def _batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lines in groups of some kilobytes: the compressor likes few and large writes."""
    some: list[bytes] = []
    size = 0
    for line in lines:
        some.append(line)
        size += len(line)
        if size >= _BATCH_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


def _folder(source: str, window: str, target: str) -> str:
    return (
        f"source={slug(source, 'source')}/window={slug(window, 'window')}"
        f"/target={slug(target, 'target')}"
    )


def _values(folder: Path, key: str, only: str | None) -> list[str]:
    """The values of the ``key=value`` folders in a folder, sorted."""
    if only is not None:
        return [only] if (folder / f"{key}={slug(only, key)}").is_dir() else []
    prefix = f"{key}="
    return sorted(name.removeprefix(prefix) for name in listing(folder) if name.startswith(prefix))


def _numbers(folder: Path) -> list[int]:
    return sorted(int(m[1]) for m in map(_PART.fullmatch, listing(folder)) if m)
