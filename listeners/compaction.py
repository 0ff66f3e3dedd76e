"""Makes one part of the many small ones that a target left in a window; nothing is lost or doubled.

The merged part has a number that no other part can have, so that its being there says that the
merging is done: it appears in one step, and only then do the others go. A note of what was to be
merged comes first; by it, what a killed run began is finished, or undone if the merged part is not
there. In between, the lines may be there twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from listeners.contract import Target
from listeners.erase import first_length, keep_length, length_note
from listeners.landing import RAW, Landing, Part
from listeners.state import load

FEW = 2
"""Fewer parts than that are left as they are."""
_FOLDER = "compaction"
_FAR = 100_000
"""Further than the parts of any run go: one that comes back to the window takes numbers below."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Which parts of a target's window become one."""

    source: str
    window: str
    target: str
    numbers: tuple[int, ...]
    """Of the parts that go, in order."""
    number: int
    """Of the part that comes."""
    kinds: tuple[str, ...]
    """Kinds of scored parts that all of them have."""

    @property
    def parts(self) -> list[Part]:
        """Those that go."""
        return [Part(self.source, self.window, self.target, number) for number in self.numbers]

    @property
    def merged(self) -> Part:
        """The one that comes."""
        return Part(self.source, self.window, self.target, self.number)


def plan(landing: Landing, source: str, window: str, target: str) -> Plan | None:
    """What there is to merge in a window that its target has left.

    None for few parts, or if a model has read some of them and not others.
    """
    state = load(landing, Target(source=source, key=target))
    if state is not None and state.window == window:
        return None
    parts = list(landing.parts(RAW, source=source, window=window, target=target))
    if len(parts) < FEW:
        return None
    read = {kind: [landing.has(kind, part) for part in parts] for kind in landing.scored_kinds()}
    if any(any(has) and not all(has) for has in read.values()):
        return None
    return Plan(
        source=source,
        window=window,
        target=target,
        numbers=tuple(part.number for part in parts),
        number=parts[-1].number + _FAR,
        kinds=tuple(kind for kind, has in read.items() if all(has)),
    )


def compact(landing: Landing, chosen: Plan, before: Callable[[Plan], None]) -> None:
    """Merge the parts of a plan; ``before`` is called when all is ready but the raw part.

    Raises:
        LandingError: if a part cannot be read or written.
        Busy: if another run is collecting the target.
    """
    with landing.lock(chosen.source, chosen.target):
        # Under the lock, for a run may just have added a part.
        if plan(landing, chosen.source, chosen.window, chosen.target) == chosen:
            landing.write_document(_note(chosen), msgspec.json.encode(chosen))
            _merge(landing, chosen, before)
            _remove(landing, chosen, chosen.parts)


def finish(landing: Landing) -> int:
    """Finish or undo what killed runs began; how many there were.

    Raises:
        LandingError, Busy: as `compact`.
    """
    found = sorted((landing.root / _FOLDER).rglob("*.json"))
    for path in found:
        content = landing.read_document(str(path.relative_to(landing.root)))
        if content is not None:
            chosen = msgspec.json.decode(content, type=Plan)
            with landing.lock(chosen.source, chosen.target):
                done = landing.has(RAW, chosen.merged)
                _remove(landing, chosen, chosen.parts if done else [chosen.merged])
    return len(found)


def _merge(landing: Landing, chosen: Plan, before: Callable[[Plan], None]) -> None:
    merged = chosen.merged
    if any(first_length(landing, part) is not None for part in chosen.parts):
        keep_length(landing, merged, sum(_lengths(landing, chosen.parts)))
    for kind in chosen.kinds:
        landing.write_part(kind, merged, _lines(landing, kind, chosen.parts))
    before(chosen)
    landing.write_part(RAW, merged, _lines(landing, RAW, chosen.parts))


def _remove(landing: Landing, chosen: Plan, parts: Sequence[Part]) -> None:
    """Remove parts with what belongs to them; the note goes last."""
    for part in parts:
        for kind in (RAW, *chosen.kinds):
            landing.path(kind, part).unlink(missing_ok=True)
        (landing.root / length_note(part)).unlink(missing_ok=True)
    (landing.root / _note(chosen)).unlink(missing_ok=True)


def _lengths(landing: Landing, parts: Sequence[Part]) -> Iterator[int]:
    for part in parts:
        known = first_length(landing, part)
        yield sum(1 for _ in landing.read_lines(RAW, part)) if known is None else known


def _lines(landing: Landing, kind: str, parts: Sequence[Part]) -> Iterator[bytes]:
    for part in parts:
        yield from landing.read_lines(kind, part)


def _note(chosen: Plan) -> str:
    return f"{_FOLDER}/source={chosen.source}/window={chosen.window}/target={chosen.target}.json"
