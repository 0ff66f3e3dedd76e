"""The faults, by name: each puts a source through something and asks what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from listeners.contract import Replays
from tests.listeners.conformance.desk import MANY, Desk
from tests.listeners.fakes import rejected

LASTING = 12
"""Requests that a bad day lasts: more than any client tries."""

MEANINGS: Mapping[str, str] = {
    "401": "AuthFailed",
    "403": "AuthFailed",
    "404": "TargetGone",
    "429": "RateLimited",
    "5xx": "Transient",
    "timeout": "Transient",
    "cut off": "Transient",
    "HTML": "SchemaChanged",
}
"""Class of the error that a lasting fault ends in, unless a station says otherwise."""


def page_cap(desk: Desk) -> None:
    """Runs of one page each get to the end of several."""
    desk.world.write(11)
    desk.settle(pages=1)
    desk.complete()


def crash(desk: Desk) -> None:
    """Whichever step of writing a run dies at, the next ones make it good."""
    desk.world.write(3)
    desk.world.write(malformed=True)
    desk.world.write(3)
    step, root = 0, desk.landing.root
    while Desk.dies_at(desk, step):
        desk.settle()
        desk.complete()
        step += 1
        desk.landing = type(desk.landing)(root / f"after-{step}")
    assert step > 5


def lasting(fault: str, desk: Desk) -> None:
    """It is said by its class, what came before it is kept, and what comes after is all."""
    meaning = desk.station.meanings.get(fault, MEANINGS[fault])
    desk.world.write(2)
    desk.settle()
    desk.world.write(6)
    for first_page in (True, False):
        desk.world.reset_at = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=3)
        desk.world.script = [*([] if first_page else [None]), *[fault] * LASTING]
        row = desk.listen()
        if not first_page and not desk.world.script:
            continue
        if row.error_class is None:
            unharmed = not first_page and len(desk.world.script) == LASTING
            assert unharmed or meaning == "ok", row
            assert unharmed or row.got, "an empty success"
        else:
            assert row.error_class == meaning, row
            assert row.error is not None
            assert len(row.error) < 400
            if meaning == "RateLimited":
                assert row.outcome == "partial"
                assert row.retry_at is not None
                exact = abs(row.retry_at - desk.world.reset_at) <= timedelta(seconds=3)
                assert exact or not desk.station.names_time, row
    desk.settle()
    desk.complete()


def passing(fault: str, desk: Desk) -> None:
    """As `lasting`; and one that passes costs nothing, or the run at most."""
    desk.world.write(6)
    desk.world.script = [fault]
    row = desk.listen()
    if fault == "401":
        assert (row.error_class is None) == desk.station.renews, row
    desk.settle()
    desk.complete()
    lasting(fault, desk)


def blocked(desk: Desk) -> None:
    """An empty page that means "blocked" is an error, or the source says that it cannot tell."""
    desk.world.write(3)
    desk.settle()
    desk.world.write(3)
    desk.world.script = ["blocked"] * LASTING
    row = desk.listen()
    assert row.error_class is not None or desk.station.listener().traits.silent_empty, row
    desk.settle()
    desk.complete()


def malformed(desk: Desk) -> None:
    """One malformed item costs itself only, once, and is kept as it came."""
    desk.world.write(3)
    desk.world.write(malformed=True)
    desk.world.write(3)
    desk.settle()
    desk.complete()
    (reject,) = rejected(desk.landing)
    assert reject.raw
    assert reject.error
    listener = desk.station.listener()
    assert isinstance(listener, Replays)
    with pytest.raises(ValueError):
        listener.remap(reject, desk.station.target(), desk.world.now)


def duplicates(desk: Desk) -> None:
    """Pages that overlap, and posts that push others on to the next page."""
    desk.world.repeats = True
    desk.world.write(10)
    late = iter(range(3))
    desk.world.after_page = lambda: desk.world.write() if next(late, None) is not None else None
    desk.settle()
    desk.complete()


def deleted(desk: Desk) -> None:
    """Posts vanish between two pages, before and after the border; no other is missed."""
    desk.world.write(11)
    doomed = [desk.world.posts[at] for at in (0, 5, 10)]
    desk.world.after_page = lambda: desk.world.delete(doomed.pop()) if doomed else None
    desk.settle()
    desk.complete()


def edited(desk: Desk) -> None:
    """Another version of a stored post is a change, where the network tells."""
    desk.world.write(3)
    desk.settle()
    desk.world.edit(desk.world.posts[-1], "Post 3: the tram came, after all")
    desk.settle()
    desk.complete()
    told = desk.station.listener().traits.has_edits
    assert any("after all" in mention.text for mention in desk.mentions()) or not told


def same_time(desk: Desk) -> None:
    """Posts of one second on both sides of a page's border are all kept."""
    desk.world.write(11, at=desk.world.now)
    desk.settle(pages=1)
    desk.complete()


def clock_ahead(desk: Desk) -> None:
    """A post from years ahead hides none of those after it."""
    desk.world.write(2)
    desk.world.write(at=desk.world.now + timedelta(days=1100))
    desk.settle()
    for _ in range(2):
        desk.world.write(2)
        desk.settle()
    desk.complete()


def none_yet(desk: Desk) -> None:
    """Nothing there is no error, and the first post after it is heard."""
    for _ in range(2):
        row = desk.listen()
        assert (row.error_class, row.new) == (desk.station.meanings.get("0 items"), 0), row
    desk.world.write(2)
    desk.settle()
    desk.complete()


def only_one(desk: Desk) -> None:
    """One is a listing too."""
    desk.world.write(1)
    desk.settle()
    desk.complete()


def overflow(desk: Desk) -> None:
    """More than a run may take: the next runs go on, while more arrive."""
    desk.world.write(2)
    desk.settle()
    desk.world.write(15)
    for _ in range(MANY):
        row = desk.listen(pages=2)
        assert row.error is None, row
        if not row.cut_off:
            break
        if len(desk.world.posts) < 20:
            desk.world.write()
    desk.settle()
    desk.complete()


Check = Callable[[Desk], None]

FAULTS: Mapping[str, Check] = {
    "page cap": page_cap,
    "crash": crash,
    "401": partial(passing, "401"),
    "403": partial(lasting, "403"),
    "404": partial(lasting, "404"),
    "429": partial(lasting, "429"),
    "5xx": partial(passing, "5xx"),
    "timeout": partial(passing, "timeout"),
    "cut off": partial(passing, "cut off"),
    "HTML": partial(lasting, "HTML"),
    "blocked": blocked,
    "malformed": malformed,
    "duplicates": duplicates,
    "deleted": deleted,
    "edited": edited,
    "same time": same_time,
    "clock ahead": clock_ahead,
    "0 items": none_yet,
    "1 item": only_one,
    "overflow": overflow,
}
"""By the name that the matrix shows."""
