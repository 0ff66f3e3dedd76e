"""Where listeners may connect to: the public internet, and what the operator allows.

Operators, feeds and redirects name addresses; none of them may lead us to a machine of
the house. A name is looked up once, and the connection goes to an address that was
checked, so that a second look-up cannot change it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from listeners.errors import BadTarget, Transient

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PORTS = {"http": 80, "https": 443}


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What may be connected to. The default is any public address and nothing else."""

    allow: tuple[str, ...] = ()
    """Networks that are allowed though they are not public, as ``10.0.0.0/8`` or ``::1``."""
    proxy: str | None = None
    """The address of a proxy that connects in our place to all but what is in ``allow``."""

    def __post_init__(self) -> None:
        for network in self.allow:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError(f"{network!r} is no network: write it like 10.0.0.0/8") from error

    def permits(self, address: str) -> bool:
        """Whether a numeric address may be connected to."""
        if self.allows(address):
            return True
        found = ipaddress.ip_address(address.partition("%")[0])
        return all(one.is_global and not one.is_multicast for one in _meant(found))

    def allows(self, address: str) -> bool:
        """Whether a numeric address lies in one of the networks of ``allow``."""
        found = ipaddress.ip_address(address.partition("%")[0])
        return any(found in ipaddress.ip_network(network) for network in self.allow)

    def addresses(self, host: str, port: int) -> list[str]:
        """The numeric addresses of a host that may be connected to, in the resolver's order.

        Raises:
            BadTarget: if it has addresses, and none is permitted.
            Transient: if its name cannot be looked up.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Transient(
                f"{host} cannot be looked up ({error}): tried again next time"
            ) from error
        numbers = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        permitted = [number for number in numbers if self.permits(number)]
        if not permitted:
            raise BadTarget(
                f"{host} is at {numbers[0]}, which is no public address: correct the target, or "
                "add its network to allow_networks under [listen]"
            )
        return permitted

    def check(self, url: str) -> None:
        """Return if a client may be given ``url``, as far as can be told before it connects.

        Raises:
            BadTarget: if it is no address of the web, or no permitted one.
            Transient: if its name cannot be looked up.
        """
        host, port = host_and_port(url)
        try:
            self.addresses(host, port)
        except Transient:
            if self.proxy is None:
                raise


def host_and_port(url: str) -> tuple[str, int]:
    """Whom an address of the web speaks to.

    Raises:
        BadTarget: if the scheme is neither http nor https, or there is no host.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise BadTarget(f"{shown(url)} is not an address: correct it") from error
    if not parts.hostname or parts.scheme not in _PORTS:
        raise BadTarget(f"{shown(url)} is not an address of the web: give http:// or https://")
    return parts.hostname, port


def shown(url: str) -> str:
    """An address for messages: without user, password and query, which may be secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the address"
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?…' if parts.query else ''}"[:200]


def _meant(address: Address) -> Iterator[Address]:
    """The address, and those that it stands for in an older or newer form."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    yield from (one for one in inner if one is not None)
