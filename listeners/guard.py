"""httpx within reach: a transport that connects to addresses that were checked."""

from __future__ import annotations

import ssl
from functools import cache

import httpx

from listeners.errors import Transient
from listeners.reach import Reach, host_and_port


class Guarded(httpx.BaseTransport):
    """Connects to the address that was checked; the host's name stays for TLS and the server."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._direct: dict[str, httpx.HTTPTransport] = {}
        proxy = reach.proxy
        self._proxy = httpx.HTTPTransport(verify=_trusted(), proxy=proxy) if proxy else None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of the first permitted address that can be connected to."""
        host, port = host_and_port(str(request.url))
        addresses = self._addresses(host, port)
        if self._proxy is not None and not any(map(self._reach.allows, addresses)):
            return self._proxy.handle_request(request)
        problem: httpx.TransportError | None = None
        for address in addresses:
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},
            )
            try:
                return self._to(host).handle_request(pinned)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                problem = error
        raise problem or httpx.ConnectError("no address")

    def close(self) -> None:
        """Close its connections."""
        for transport in self._direct.values():
            transport.close()
        if self._proxy is not None:
            self._proxy.close()

    def _to(self, host: str) -> httpx.HTTPTransport:
        """The connections to a host; one that has proved to be this host is lent to no other."""
        if host not in self._direct:
            self._direct[host] = httpx.HTTPTransport(verify=_trusted())
        return self._direct[host]

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            return self._reach.addresses(host, port)
        except Transient:
            if self._proxy is None:
                raise
            return []  # Behind a proxy, only the proxy may know the names of the world.


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that we trust; reading them takes longer than most requests."""
    return httpx.create_ssl_context()
