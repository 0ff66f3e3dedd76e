"""What requests to the desk cost, apart from how long they wait for others.

A request's cost is the store's own time and the server's own work. The store's time is what
Elasticsearch says that it `took`, in whole milliseconds and one more, since it rounds down; of
calls whose answers do not say it (refresh, get), how long they were under way. The work is the
processor time of the request's steps in the event loop and of its calls in threads. How long it
took by the clock is kept beside it.
"""

from __future__ import annotations

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import anyio.to_thread
import elastic_transport

HEADER = b"x-click"


class Cost:
    """Of one request, in seconds."""

    def __init__(self) -> None:
        self.store = 0.0
        self.work = 0.0
        self.clock = 0.0


_of_this_request: ContextVar[Cost | None] = ContextVar("cost", default=None)


class Costs:
    """ASGI middleware that notes what each click cost, by the name in its header ``x-click``."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.costs: dict[str, list[Cost]] = defaultdict(list)
        self.statuses: dict[str, int] = defaultdict(int)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        click = dict(scope.get("headers", ())).get(HEADER, b"").decode()
        if not click:
            await self._app(scope, receive, send)
            return

        async def sending(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.statuses[f"{click} {message['status']}"] += 1
            await send(message)

        cost = Cost()
        _of_this_request.set(cost)
        begin = time.perf_counter()
        await _Stepping(self._app(scope, receive, sending), cost)
        cost.clock = time.perf_counter() - begin
        self.costs[click].append(cost)


class _Stepping:
    """A coroutine whose steps are added to a cost."""

    def __init__(self, coroutine: Any, cost: Cost) -> None:
        self._coroutine = coroutine
        self._cost = cost

    def __await__(self) -> Generator[Any, Any, Any]:
        step = functools.partial(self._coroutine.send, None)
        while True:
            begin = time.thread_time()
            try:
                waits_for = step()
            except StopIteration as end:
                return end.value
            finally:
                self._cost.work += time.thread_time() - begin
            try:
                value = yield waits_for
                step = functools.partial(self._coroutine.send, value)
            except BaseException as error:  # noqa: BLE001 - passed on as it came
                step = functools.partial(self._coroutine.throw, error)


@contextmanager
def watched() -> Iterator[None]:
    """Within, what threads work and Elasticsearch takes for a request is added to its cost."""
    in_thread = anyio.to_thread.run_sync
    perform = elastic_transport.Transport.perform_request

    async def worked(call: Callable[..., Any], *words: Any, **how: Any) -> Any:
        cost = _of_this_request.get()

        def run(*given: Any) -> Any:
            begin = time.thread_time()
            try:
                return call(*given)
            finally:
                if cost is not None:
                    cost.work += time.thread_time() - begin

        return await in_thread(run, *words, **how)

    @functools.wraps(perform)
    def asked(self: Any, *words: Any, **how: Any) -> Any:
        begin = time.perf_counter()
        answer = perform(self, *words, **how)
        seconds = time.perf_counter() - begin
        cost = _of_this_request.get()
        if cost is not None:
            took = answer.body.get("took") if isinstance(answer.body, dict) else None
            cost.store += seconds if took is None else min(seconds, (took + 1) / 1000)
        return answer

    anyio.to_thread.run_sync = worked  # type: ignore[assignment]
    elastic_transport.Transport.perform_request = asked  # type: ignore[method-assign]
    try:
        yield
    finally:
        anyio.to_thread.run_sync = in_thread
        elastic_transport.Transport.perform_request = perform  # type: ignore[method-assign]
