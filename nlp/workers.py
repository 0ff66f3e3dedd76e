"""Assessing in several processes, since what is not an encoder's work needs Python's one lock."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import Self

from nlp.assess import Assessor
from nlp.assessment import Assessment, Passage
from nlp.errors import WorkerLost

Build = Callable[[], Assessor]

FEW = 8_192
"""So many passages are done before other processes would be of use."""
_CHUNK = 512
_assessor: Assessor | None = None


class Workers:
    """As an `Assessor`, in several processes; the same assessments in the same order.

    The first `FEW` passages are assessed in this process; others are started for what comes
    after them, and ended by `close`. A few thousand passages are held at a time.

    Args:
        own: assesses here.
        build: makes the assessor of a process, with one thread; it must be picklable.
        processes: how many; 0 is one a core, 1 is this one alone.
    """

    def __init__(self, own: Assessor, build: Build, processes: int = 0) -> None:
        self._own, self._build = own, build
        wanted = processes or len(os.sched_getaffinity(0))
        # A daemon of multiprocessing may not have children.
        self._processes = 1 if multiprocessing.current_process().daemon else wanted
        self._left = FEW
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the processes; what they had not begun is dropped."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    @property
    def model(self) -> str:
        """As `Assessor.model`."""
        return self._own.model

    def assess(self, passages: Sequence[Passage]) -> list[Assessment]:
        """As `Assessor.assess`.

        Raises:
            WorkerLost: if a process was ended from outside.
        """
        return list(self.stream(passages))

    def stream(self, passages: Iterable[Passage]) -> Iterator[Assessment]:
        """As `Assessor.stream`.

        Raises:
            WorkerLost: if a process was ended from outside.
        """
        remaining = iter(passages)
        if self._processes == 1:
            yield from self._own.stream(remaining)
            return
        for found in self._own.stream(islice(remaining, self._left)):
            self._left -= 1
            yield found
        try:
            yield from self._by_processes(remaining)
        except BrokenProcessPool as error:
            self.close()
            raise WorkerLost(
                "a process that assessed texts was ended, perhaps for want of memory; run it "
                "again, or set processes = 1 under [nlp]"
            ) from error

    def _by_processes(self, passages: Iterator[Passage]) -> Iterator[Assessment]:
        waiting: deque[Future[list[Assessment]]] = deque()
        while chunk := list(islice(passages, _CHUNK)):
            waiting.append(self._started().submit(_work, chunk))
            if len(waiting) > 2 * self._processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            # Not forked: a lock that another thread holds now would stay locked in the copy.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, context, _begin, (self._build,))
        return self._pool


def _begin(build: Build) -> None:
    global _assessor
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _assessor = build()


def _end_with_parent() -> None:
    """A parent that is killed can end nobody, and a pool's process would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(passages: list[Passage]) -> list[Assessment]:
    if _assessor is None:
        raise RuntimeError("a process was given work before its assessor")
    return _assessor.assess(passages)
