"""requests within reach, for networks' clients that are built on it.

Imported by such sources only: requests comes with their clients.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from listeners.errors import Transient
from listeners.reach import Reach, host_and_port


def guarded_session(reach: Reach) -> requests.Session:
    """A session that connects to permitted addresses only, after redirects too.

    A refusal is raised as `BadTarget` from within the request. Nothing is read from the
    environment.
    """
    session = requests.Session()
    session.trust_env = False
    if reach.proxy is not None:
        session.proxies = {"http": reach.proxy, "https": reach.proxy}
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(reach))
    return session


class _Adapter(HTTPAdapter):
    """Connects to the address that was checked; the host's name stays for TLS and the server."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> Any:
        """The answer to a request."""
        address = self._direct(str(request.url))
        if address is not None:
            request.headers.setdefault("Host", urlsplit(str(request.url)).netloc.rpartition("@")[2])
            more["proxies"] = {}
        return super().send(request, *args, **more)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Where to connect to, and as whom to expect the other side."""
        place, options = super().build_connection_pool_key_attributes(request, verify, cert)
        address = self._direct(str(request.url))
        if address is None:
            return dict(place), dict(options)
        named = {"server_hostname": place["host"], "assert_hostname": place["host"]}
        extra = named if place["scheme"] == "https" else {}
        return {**place, "host": address}, {**options, **extra}

    def _direct(self, url: str) -> str | None:
        """The address to connect to, or None where the proxy does."""
        host, port = host_and_port(url)
        try:
            addresses = self._reach.addresses(host, port)
        except Transient:
            if self._reach.proxy is None:
                raise
            return None
        if self._reach.proxy is not None:
            return next(filter(self._reach.allows, addresses), None)
        return addresses[0]
