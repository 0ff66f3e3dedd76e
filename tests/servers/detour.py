"""Leads a client that knows its hosts by heart to a server of ours; nothing else is changed."""

from __future__ import annotations

import httpx

from listeners.guard import Guarded
from listeners.reach import Reach


class Detour(httpx.BaseTransport):
    """Connects to one address; paths, queries, headers (the host's too) stay as they are."""

    def __init__(self, reach: Reach, address: str) -> None:
        self._address = httpx.URL(address)
        self._inner = Guarded(reach)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Our server's answer."""
        there = self._address
        url = request.url.copy_with(scheme=there.scheme, host=there.host, port=there.port)
        led = httpx.Request(
            request.method,
            url,
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return self._inner.handle_request(led)

    def close(self) -> None:
        """Close its connections."""
        self._inner.close()
