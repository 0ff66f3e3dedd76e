from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from datetime import timedelta

import pytest

from tests.triage.build import START
from tests.triage.dict_store import DictStore
from triage.errors import Busy, StoreUnavailable
from triage.store.shelf import Keep, Kept, Kind
from triage.turns import LEASE, Holder, Turn


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> object:
        return self.now


def held(store: DictStore, host: str, process: int) -> None:
    record = Holder(host=host, process=process, since=START, until=START + LEASE)
    store.shelve("turn", [Keep(key="triage", at=START, record=record)])


def test_who_comes_second_is_told_who_is_first_and_until_when() -> None:
    store, clock = DictStore(), Clock()
    with Turn(store, "triage", clock):  # type: ignore[arg-type]
        with pytest.raises(Busy, match=r"already running on .* over at 08:05 UTC"):
            Turn(store, "triage", clock).__enter__()  # type: ignore[arg-type]
        with Turn(store, "another", clock):  # type: ignore[arg-type]
            pass
    with Turn(store, "triage", clock):  # type: ignore[arg-type]
        pass


def test_a_turn_is_over_when_its_lease_is_or_its_process_here_is_gone() -> None:
    store, clock = DictStore(), Clock()
    held(store, "elsewhere", 1)
    with pytest.raises(Busy):
        Turn(store, "triage", clock).__enter__()  # type: ignore[arg-type]
    clock.now = START + LEASE
    with Turn(store, "triage", clock):  # type: ignore[arg-type]
        pass
    gone = os.fork()
    if not gone:
        os._exit(0)
    os.waitpid(gone, 0)
    clock.now = START
    held(store, socket.gethostname(), gone)
    with Turn(store, "triage", clock):  # type: ignore[arg-type]
        pass


class Failing(DictStore):
    """A store that stops answering."""

    gone = False

    def shelved(self, kind: Kind, keys: Sequence[str]) -> dict[str, Kept]:
        if self.gone:
            raise StoreUnavailable("the store does not answer: try again")
        return super().shelved(kind, keys)


def test_a_process_that_lost_its_store_says_so_and_stands_in_nobodys_way_when_it_is_back() -> None:
    store, clock = Failing(), Clock()

    def lose() -> None:
        with Turn(store, "triage", clock):  # type: ignore[arg-type]
            store.gone = True
            raise StoreUnavailable("first")

    with pytest.raises(StoreUnavailable, match="first"):
        lose()
    store.gone = False
    with Turn(store, "triage", clock):  # type: ignore[arg-type]
        pass


def test_who_has_to_wait_learns_until_when_as_do_schedulers() -> None:
    store, clock = DictStore(), Clock()
    held(store, "elsewhere", 1)
    with pytest.raises(Busy) as busy:
        Turn(store, "triage", clock).__enter__()  # type: ignore[arg-type]
    assert busy.value.retry_at == START + LEASE


def test_long_work_keeps_its_turn_and_a_lost_one_is_noticed() -> None:
    store, clock = DictStore(), Clock()
    turn = Turn(store, "triage", clock)  # type: ignore[arg-type]
    turn.__enter__()
    clock.now += LEASE - timedelta(seconds=1)
    turn.keep()
    clock.now += timedelta(minutes=1)
    other = Turn(store, "triage", clock)  # type: ignore[arg-type]
    with pytest.raises(Busy, match="already running"):
        other.__enter__()
    clock.now += LEASE
    other.__enter__()
    clock.now += LEASE
    with pytest.raises(Busy, match="has begun"):
        turn.keep()
