"""A real Elasticsearch 9 node for the tests.

    python -m tests.servers.elasticsearch start|stop|status

In this order: the address in ``OUTCRY_TEST_ELASTICSEARCH``
(``http://user:password@host:9200``), a node that was started by hand with ``start``, a
Docker engine that answers, Elastic's test distribution by Maven. A node that a test
session starts for itself is removed with all its data when the session ends.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tests.servers.elasticsearch_java import NodeUnavailable, cache
from tests.servers.elasticsearch_machines import Container, Machine, Process, find, healthy

__all__ = ["Node", "NodeUnavailable", "private_node", "running_node"]

BY_HAND = "by-hand"


class Node:
    """A node that answers, and the credentials of its superuser."""

    def __init__(self, url: str, user: str, password: str, machine: Machine | None = None) -> None:
        self.url = url
        self.user = user
        self.password = password
        self._machine = machine

    @property
    def killable(self) -> bool:
        """Whether it is ours to stop: we run it, it was not handed to us by address."""
        return self._machine is not None

    def stop_hard(self) -> None:
        """Kill it without warning, as a power cut would."""
        self._ours().kill()

    def start_again(self) -> None:
        """Start it at the same address on the data that it has; returns when it is ready."""
        self._ours().start()

    def _ours(self) -> Machine:
        if self._machine is None:
            raise NodeUnavailable(f"{self.url} is not ours to stop: use private_node()")
        return self._machine


def _of(machine: Machine) -> Node:
    return Node(machine.url, "elastic", machine.state["password"], machine)


def _nodes() -> Path:
    folder = cache() / "nodes"
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder


def _given(address: str) -> Node:
    parts = urlsplit(address)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    url = f"{parts.scheme}://{parts.hostname}:{parts.port or 9200}"
    if not healthy(url, user, password):
        raise NodeUnavailable(f"no Elasticsearch answers at {url} (OUTCRY_TEST_ELASTICSEARCH)")
    return Node(url, user, password)


def _start(name: str) -> Machine:
    reasons = []
    for kind in (Container, Process) if Container.possible() else (Process,):
        machine = kind(_nodes() / name)
        try:
            machine.prepare(secrets.token_hex(12))
            machine.start()
        except NodeUnavailable as reason:
            machine.remove()
            reasons.append(str(reason))
        except BaseException:
            machine.remove()
            raise
        else:
            return machine
    raise NodeUnavailable("; ".join(reasons))


def _remove_orphans() -> None:
    """Nodes of test sessions that were killed before they could clean up."""
    for folder in sorted(_nodes().glob("session-*-*/")):
        try:
            os.kill(int(folder.name.split("-")[1]), 0)
        except ProcessLookupError:
            (find(folder) or Machine(folder)).remove()
        except PermissionError:
            continue


@contextlib.contextmanager
def private_node() -> Iterator[Node]:
    """A node of the caller's own, removed afterwards: one that may be killed.

    Raises:
        NodeUnavailable: if none can be started here; one line says what to install.
    """
    _remove_orphans()
    machine = _start(f"session-{os.getpid()}-{secrets.token_hex(3)}")
    try:
        yield _of(machine)
    finally:
        machine.remove()


@contextlib.contextmanager
def running_node() -> Iterator[Node]:
    """The node at hand, else one of the session's own; see the module's docstring.

    Raises:
        NodeUnavailable: if there is none and none can be started.
    """
    address = os.environ.get("OUTCRY_TEST_ELASTICSEARCH")
    if address:
        yield _given(address)
        return
    started = find(_nodes() / BY_HAND)
    if started is not None and started.healthy():
        yield _of(started)
        return
    with private_node() as node:
        yield node


def main(words: list[str]) -> int:
    """Start, stop or show the node of this checkout; returns the exit code."""
    if words not in (["start"], ["stop"], ["status"]):
        print("usage: python -m tests.servers.elasticsearch start|stop|status", file=sys.stderr)
        return 2
    started = find(_nodes() / BY_HAND)
    running = started is not None and started.healthy()
    if words == ["stop"]:
        if started is not None:
            started.remove()
        print("stopped" if started is not None else "was not running")
        return 0
    if words == ["start"] and not running:
        if started is not None:
            started.remove()
        started, running = _start(BY_HAND), True
    if started is None or not running:
        print("not running")
        return 1
    print(
        f"running at {started.url.replace('://', '://elastic:' + started.state['password'] + '@')}"
    )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except NodeUnavailable as missing:
        print(missing, file=sys.stderr)
        sys.exit(1)
