"""Small makers of records, listeners and crashes for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from listeners.contract import Budget, Page, Reject, State, Target, Traits
from listeners.landing import RAW, REJECTS, Landing
from listeners.mention import Deletion, Mention, Record
from listeners.reach import Reach

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where thousands of flushes to a disk would be most of a test's time."""
TARGET = Target(source="fake", key="one")


LOOPBACK = Reach(allow=("127.0.0.0/8", "::1"))
"""Where the far ends of our tests are."""


def budget(pages: int = 100, *, now: datetime = NOW, deadline: datetime | None = None) -> Budget:
    """A budget of so many pages, for servers on this machine."""
    return Budget(max_pages=pages, now=now, deadline=deadline, reach=LOOPBACK)


def mention(native_id: str, text: str = "It does not work", **fields: Any) -> Mention:
    """A mention that differs from others in what the test is about."""
    given: dict[str, Any] = {
        "source": "fake",
        "created_at": NOW,
        "collected_at": NOW,
        "listener": "fake/1",
        **fields,
    }
    return Mention(native_id=native_id, text=text, **given)


def reject(raw: Any, error: str = "it has no text", at: datetime = NOW) -> Reject:
    """A reject of the fake source."""
    return Reject(source="fake", target="one", stage="map", error=error, raw=raw, at=at)


class FakeListener:
    """Yields what a function makes of the state."""

    name: ClassVar[str] = "fake"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(order="oldest_first")

    def __init__(self, pages: Callable[[Any], Iterable[Page]]) -> None:
        self._pages = pages

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """The pages, one after the other."""
        yield from self._pages(state)


class CrashError(BaseException):
    """The process dies here; nothing may catch it."""


class CrashingLanding(Landing):
    """Dies at a step of writing: before a file, in its middle, or after it."""

    def __init__(
        self, root: Path, steps_left: int | None = None, locks: Path | None = None
    ) -> None:
        super().__init__(root, locks)
        self.steps_left = steps_left

    def write_part(self, kind: str, part: Any, lines: Iterable[bytes]) -> int:
        """As it says, with steps before, at each line, and after."""
        self._step()
        count = super().write_part(kind, part, self._stepping(lines))
        self._step()
        return count

    def write_document(self, name: str, content: bytes) -> None:
        """As it says, with steps before and after."""
        self._step()
        super().write_document(name, content)
        self._step()

    def _stepping(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            self._step()
            yield line

    def _step(self) -> None:
        if self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left < 0:
                raise CrashError


def stored(landing: Landing, window: str | None = None) -> list[Record]:
    """All records in the landing zone, in its order."""
    return [r for part in landing.parts(RAW, window=window) for r in landing.records(part)]


def stored_texts(landing: Landing) -> list[str]:
    """The texts of all mentions, or the word deleted."""
    return ["deleted" if isinstance(r, Deletion) else r.text for r in stored(landing)]


def rejected(landing: Landing, window: str | None = None) -> list[Reject]:
    """All rejects in the landing zone, in its order."""
    return [r for part in landing.parts(REJECTS, window=window) for r in landing.rejects(part)]


def snapshot(root: Path, *, without: tuple[str, ...] = (".lock",)) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.endswith(without)
    }
