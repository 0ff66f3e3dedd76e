"""A proxy that ends TLS itself: for clients whose hosts are fixed, run as they are.

It answers for every host, with certificates of an authority that is made for the test and
thrown away. A client finds it by the usual variables of the environment.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import trustme

from tests.servers.web import Answer, Request


@contextmanager
def terminating(answer: Callable[[Request], Answer], folder: Path) -> Iterator[dict[str, str]]:
    """The environment that leads a client here, until the block ends."""
    authority = trustme.CA()
    bundle = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer, authority))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    proxy = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield {
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": "",
            "no_proxy": "",
            "REQUESTS_CA_BUNDLE": str(bundle),
            "SSL_CERT_FILE": str(bundle),
        }
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(
    answer: Callable[[Request], Answer], authority: trustme.CA
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert(self.path.partition(":")[0]).configure_cert(context)
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb", -1)
            self.wfile = self.connection.makefile("wb", 0)
            self.close_connection = False

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            said = answer(Request(parts.path, dict(parse_qsl(parts.query)), headers))
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)
            self.close_connection = True

        def finish(self) -> None:
            """Hang up."""
            super().finish()
            self.connection.close()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
