"""A server between a client and a real server, for what the real one does only on a bad day.

It passes requests on, unless its script answers in the real server's place, loses the
answer, or does something of its own first. The answers that tests give it are shaped from
the real server's documentation.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Answer = tuple[int, Any]
LOST: Answer = (0, None)
"""The real server does what it is asked; the client never hears of it."""

Script = Callable[[str, str, bytes], Answer | None]
"""Method, path and body of a request; None passes it on."""


@contextmanager
def front(real: str, script: Script) -> Iterator[str]:
    """The address of a front before the server at ``real``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(real, script))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(real: str, script: Script) -> type[BaseHTTPRequestHandler]:
    host = urlsplit(real).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = script(self.command, self.path, body)
            if answer is None:
                self._send(*self._passed_on(body))
            elif answer == LOST:
                self._passed_on(body)
                self.close_connection = True
            else:
                headers = {"Content-Type": "application/vnd.elasticsearch+json"}
                headers["X-Elastic-Product"] = "Elasticsearch"
                self._send(answer[0], headers, json.dumps(answer[1]).encode())

        def _passed_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
            connection = http.client.HTTPConnection(host, timeout=30)
            try:
                names = ("Content-Type", "Accept", "Authorization")
                headers = {name: self.headers[name] for name in names if self.headers[name]}
                connection.request(self.command, self.path, body or None, headers)
                got = connection.getresponse()
                kept = {name: got.headers[name] for name in ("Content-Type", "X-Elastic-Product")}
                return got.status, {k: v for k, v in kept.items() if v}, got.read()
            finally:
                connection.close()

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            """Tests are quiet."""

    return Handler
