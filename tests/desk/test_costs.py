"""What `bench.costs` counts as a request's cost, and what it leaves to the clock."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.concurrency import run_in_threadpool

from bench.costs import HEADER, Cost, Costs, watched


def _run(work: Coroutine[Any, Any, None]) -> None:
    """In a thread of its own: a browser of another test keeps a loop running in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


def _worked(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def _page(scope: Any, receive: Any, send: Any) -> None:
    _worked(0.02)
    await asyncio.sleep(0.1)
    await run_in_threadpool(_worked, 0.03)
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def _fails(scope: Any, receive: Any, send: Any) -> None:
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0)


def _cost(app: Costs, *, click: bytes = b"queue") -> list[Cost]:
    async def nothing(*_: Any) -> None:
        """Neither sent nor received."""

    with watched():
        _run(app({"type": "http", "headers": [(HEADER, click)]}, nothing, nothing))
    return app.costs["queue"]


def test_work_in_the_loop_and_in_threads_is_counted_and_waiting_is_not() -> None:
    app = Costs(_page)
    (cost,) = _cost(app)
    assert 0.05 <= cost.work < 0.1 <= cost.clock
    assert cost.store == 0
    assert app.statuses == {"queue 200": 1}


def test_what_is_no_click_costs_nothing() -> None:
    assert _cost(Costs(_page), click=b"") == []


def test_a_request_that_is_broken_off_ends_as_it_would_without_being_watched() -> None:
    async def cut_off() -> None:
        scope = {"type": "http", "headers": [(HEADER, b"queue")]}
        await asyncio.wait_for(Costs(_fails)(scope, None, None), timeout=0.05)

    with pytest.raises(TimeoutError):
        _run(cut_off())
