"""A local web server that answers what a test tells it to."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """What the server was asked."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    method: str = "GET"
    body: bytes = b""
    query_string: str = ""
    """As it was sent; ``query`` has the last of several with one name."""

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form that was posted."""
        return dict(parse_qsl(self.body.decode()))


@dataclass(frozen=True)
class Answer:
    """What it says to that."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None
    """A content length that is not the body's: the connection breaks before its end."""
    delay: float = 0.0
    """Seconds of silence before it."""


@contextmanager
def serving(
    answer: Callable[[Request], Answer],
    *,
    tls: ssl.SSLContext | None = None,
    kept: list[object] | None = None,
    idle: float = 5.0,
) -> Iterator[str]:
    """The address of a server that runs until the block ends; with https if it has a context.

    It closes a connection after each answer, unless there is a list of those that are ``kept``
    until they were ``idle`` for so many seconds.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.0" if kept is None else "HTTP/1.1"
        timeout = None if kept is None else idle

        def setup(self) -> None:
            super().setup()
            if kept is not None:
                kept.append(self.client_address)

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length") or 0))
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            said = answer(Request(parts.path, query, headers, self.command, body, parts.query))
            if said.delay:
                time.sleep(said.delay)
            with suppress(BrokenPipeError, ConnectionResetError):  # it did not wait for us
                self._say(said)

        def _say(self, said: Answer) -> None:
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            length = len(said.body) if said.promised is None else said.promised
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(said.body)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
