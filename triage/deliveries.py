"""A queue of what is to be sent to other systems, kept in the store: it survives everybody.

A delivery is put in once by its key. Who works the queue claims one at a time by compare-and-set
and sends it; a worker that dies leaves its claim to run out, and the delivery is sent again. So
a system gets each at least once, with the same key each time: its own idempotence, or ours (look
before you create), makes that once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from triage.store.base import Store
from triage.store.shelf import Keep, Kept

LEASE = timedelta(minutes=10)
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
GIVE_UP = 60
"""Tries, about two weeks, after which a person has to look."""


class SendLater(Exception):
    """The other system does not answer, or is busy: the delivery waits and is tried again."""

    def __init__(self, words: str, after: timedelta | None = None) -> None:
        super().__init__(words)
        self.after = after


class SendRefused(Exception):
    """The other system will never take it as it is: a person has to act."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Something to send."""

    key: str
    """What makes it that one; sent along, so that the other side can tell a repetition."""
    system: str
    about: str
    """A ticket or an incident."""
    payload: dict[str, Any]
    made_at: datetime
    state: Literal["waiting", "sent", "failed", "done"] = "waiting"
    """``done``: it came back, nobody has to ask for it any more."""
    attempts: int = 0
    next_at: datetime
    remote: str | None = None
    """The other system's name of it."""
    error: str | None = None


class Worked(msgspec.Struct, kw_only=True):
    """What one run through a queue did."""

    sent: int = 0
    waiting: int = 0
    failed: int = 0
    errors: list[str] = []
    """One line for each different reason."""


def enqueue(store: Store, deliveries: Sequence[Delivery]) -> int:
    """Put deliveries in, each once by its key; how many were new."""
    keeps = [_keep(one, None) for one in deliveries]
    return len(store.shelve("delivery", keeps).done)


def waiting(store: Store, system: str) -> Iterator[Delivery]:
    """What a system has not got yet, oldest first."""
    for kept in store.shelf("delivery", group=f"{system}/waiting"):
        yield _delivery(kept)


def sent(store: Store, system: str) -> Iterator[Delivery]:
    """What a system has got, oldest first."""
    for kept in store.shelf("delivery", group=f"{system}/sent"):
        yield _delivery(kept)


def again(store: Store, system: str, since: datetime, now: datetime) -> int:
    """Send once more what was made since then and was sent or given up; how many.

    The receiver knows a repetition by its key.
    """
    count = 0
    for state in ("sent", "failed"):
        for kept in list(store.shelf("delivery", group=f"{system}/{state}", since=since)):
            fresh = msgspec.structs.replace(
                _delivery(kept), state="waiting", attempts=0, next_at=now, error=None
            )
            count += len(store.shelve("delivery", [_keep(fresh, kept.version)]).done)
    return count


def of_system(store: Store, system: str) -> Iterator[Delivery]:
    """Everything that was put in for a system and is waiting, sent or given up, by state."""
    for state in ("waiting", "failed", "sent"):
        for kept in store.shelf("delivery", group=f"{system}/{state}"):
            yield _delivery(kept)


def finished(store: Store, one: Delivery) -> None:
    """Its outcome is known: it is not asked for again."""
    found = store.shelved("delivery", [one.key]).get(one.key)
    if found is not None:
        done = msgspec.structs.replace(one, state="done")
        store.shelve("delivery", [_keep(done, found.version)])


def work(
    store: Store, system: str, send: Callable[[Delivery], str], now: datetime, most: int = 500
) -> Worked:
    """Send what is due; ``send`` returns the other system's name of the thing.

    A system that does not answer is left alone for the rest of this run.
    """
    report = Worked()
    down = False
    for kept in list(store.shelf("delivery", group=f"{system}/waiting"))[:most]:
        one = _delivery(kept)
        if down or one.next_at > now:
            report.waiting += 1
            continue
        claimed = msgspec.structs.replace(one, attempts=one.attempts + 1, next_at=now + LEASE)
        if not store.shelve("delivery", [_keep(claimed, kept.version)]).done:
            continue  # another worker has it
        done = _try(send, claimed, now)
        down = done.state == "waiting"
        now_kept = store.shelved("delivery", [one.key]).get(one.key)
        if now_kept is None:
            continue  # whom it was about was forgotten meanwhile
        store.shelve("delivery", [_keep(done, now_kept.version)])
        setattr(report, done.state, getattr(report, done.state) + 1)
        if done.error and done.error not in report.errors:
            report.errors.append(done.error)
    return report


def _try(send: Callable[[Delivery], str], one: Delivery, now: datetime) -> Delivery:
    try:
        remote = send(one)
    except SendLater as error:
        wait = error.after or min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(one.attempts - 1, 20))
        state: Literal["waiting", "failed"] = "failed" if one.attempts >= GIVE_UP else "waiting"
        return msgspec.structs.replace(one, state=state, next_at=now + wait, error=str(error))
    except SendRefused as error:
        return msgspec.structs.replace(one, state="failed", error=str(error))
    return msgspec.structs.replace(one, state="sent", remote=remote, error=None)


def _delivery(kept: Kept) -> Delivery:
    return msgspec.json.decode(kept.body, type=Delivery)


def _keep(one: Delivery, version: str | None) -> Keep:
    group = f"{one.system}/{one.state}"
    return Keep(key=one.key, at=one.made_at, group=group, record=one, version=version)
