"""Nobody is led into the house: neither by an address, nor a name, nor a redirect."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from listeners.contract import Budget
from listeners.errors import BadTarget, Transient
from listeners.guarded_requests import guarded_session
from listeners.http import Fetcher
from listeners.reach import Reach, shown
from tests.listeners.fakes import LOOPBACK, NOW, budget
from tests.servers.web import Answer, Request, serving


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_an_address_of_the_house_is_not_permitted(address: str) -> None:
    assert not Reach().permits(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_a_public_address_is(address: str) -> None:
    assert Reach().permits(address)


def test_a_network_can_be_allowed_and_only_that() -> None:
    reach = Reach(allow=("10.0.0.0/8",))
    assert reach.permits("10.9.9.9")
    assert not reach.permits("127.0.0.1")
    with pytest.raises(ValueError, match=r"write it like 10\.0\.0\.0/8"):
        Reach(allow=("10.0.0.0/99",))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]
)
def test_no_spelling_of_this_machine_is_connected_to(host: str) -> None:
    asked: list[Request] = []
    with serving(lambda request: asked.append(request) or Answer(b"{}")) as url:
        there = url.replace("127.0.0.1", host)
        with pytest.raises(BadTarget, match="allow_networks"):
            Fetcher().get(there, budget=Budget(max_pages=1, now=NOW))
    assert asked == []


def test_a_redirect_into_the_house_is_refused() -> None:
    asked: list[str] = []
    with serving(lambda r: asked.append(r.path) or Answer(status=302, headers=to)) as url:
        to = {"Location": url.replace("127.0.0.1", "[::1]")}
        only_four = Budget(max_pages=1, now=NOW, reach=Reach(allow=("127.0.0.0/8",)))
        with pytest.raises(BadTarget, match="no public address"):
            Fetcher().get(f"{url}/a", budget=only_four)
    assert asked == ["/a"]


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def changing(host: Any, *args: Any, **more: Any) -> Any:
        """Another answer each time for one name: here first, then somewhere else."""
        if host != "rebinding.example":
            return real(host, *args, **more)
        looked_up.append(host)
        return real("127.0.0.1" if len(looked_up) == 1 else "127.0.0.2", *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    hosts: list[str] = []
    with serving(lambda r: hosts.append(r.headers["host"]) or Answer(b"ok")) as url:
        there = url.replace("127.0.0.1", "rebinding.example")
        assert Fetcher().get(there, budget=budget()).body == b"ok"
    assert (len(looked_up), hosts) == (1, [there.removeprefix("http://")])


def test_a_name_that_nobody_has_may_be_found_later() -> None:
    with pytest.raises(Transient, match="cannot be looked up"):
        LOOPBACK.addresses("nobody.invalid", 80)


@pytest.mark.parametrize(
    "url", ["file:///etc/hostname", "ftp://a.example", "gopher://a", "http://"]
)
def test_only_the_web_is_spoken_to(url: str) -> None:
    with pytest.raises(BadTarget, match="http:// or https://"):
        LOOPBACK.check(url)


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert shown("https://me:pw@a.example:8/feed?token=x#y") == "https://a.example:8/feed?…"


def test_clients_built_on_requests_keep_to_it_too() -> None:
    asked: list[str] = []
    with serving(lambda r: asked.append(r.headers["host"]) or Answer(b"ok")) as url:
        session = guarded_session(LOOPBACK)
        assert session.get(f"{url}/a").content == b"ok"
        with pytest.raises(BadTarget, match="allow_networks"):
            guarded_session(Reach()).get(url)
    assert asked == [url.removeprefix("http://")]


def test_a_redirect_of_such_a_client_is_checked_as_well() -> None:
    with serving(lambda r: Answer(status=302, headers=to)) as url:
        to = {"Location": url.replace("127.0.0.1", "[::1]")}
        session = guarded_session(Reach(allow=("127.0.0.0/8",)))
        with pytest.raises(BadTarget, match="no public address"):
            session.get(url)


@pytest.mark.parametrize(("name", "trusted"), [("localhost", True), ("else.example", False)])
def test_a_certificate_is_checked_against_the_name_not_the_address(
    name: str, trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(server)
    ours = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    monkeypatch.setattr("listeners.guard._trusted", lambda: ours)
    session = guarded_session(LOOPBACK)
    session.verify = str(tmp_path / "ca.pem")
    with serving(lambda r: Answer(b"ok"), tls=server) as url:
        there = url.replace("127.0.0.1", "localhost")
        asks: list[Callable[[], bytes]] = [
            lambda: Fetcher(sleep=lambda seconds: None).get(there, budget=budget()).body,
            lambda: bytes(session.get(there).content),
        ]
        for ask in asks:
            if trusted:
                assert ask() == b"ok"
            else:
                with pytest.raises((Transient, requests.exceptions.SSLError)):
                    ask()


def _by_fetcher(url: str, reach: Reach) -> bytes:
    granted = Budget(max_pages=1, now=NOW, reach=reach)
    return Fetcher(sleep=lambda seconds: None).get(url, budget=granted).body


def _by_requests(url: str, reach: Reach) -> bytes:
    return bytes(guarded_session(reach).get(url).content)


@pytest.mark.parametrize("ask", [_by_fetcher, _by_requests])
def test_a_proxy_connects_to_all_but_our_own_networks(ask: Callable[[str, Reach], bytes]) -> None:
    hosts: list[str] = []
    with (
        serving(lambda r: hosts.append(r.headers["host"]) or Answer(b"by proxy")) as proxy,
        serving(lambda r: Answer(b"direct")) as inside,
    ):
        reach = Reach(allow=("127.0.0.0/8",), proxy=proxy)
        assert ask("http://far.invalid/x", reach) == b"by proxy"
        assert ask(inside, reach) == b"direct"
        with pytest.raises(BadTarget, match="no public address"):
            ask("http://10.0.0.1/x", reach)
    assert hosts == ["far.invalid"]
