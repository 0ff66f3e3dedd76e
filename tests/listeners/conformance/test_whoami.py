"""Every credential can be tried: it works, it is refused, or nobody answers; nothing is posted."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from listeners.allowance import Credential
from listeners.contract import Budget, Identifies, Target
from listeners.errors import AuthFailed, ListenerError, Transient
from listeners.landing import Landing
from listeners.registry import SOURCES, names
from listeners.secrets import secrets_in
from tests.listeners.conformance.desk import station_of
from tests.listeners.fakes import LOOPBACK
from tests.servers.station import BaseStation, HttpStation

PRICED = ("x",)
"""Each call has a price, so that their credentials are not tried."""
KEYED = [name for name in names() if SOURCES[name].secrets and name not in PRICED]
SIGNING_IN = ("/token", "/api/v1/access_token", "/xrpc/com.atproto.server.createSession")


def asked(station: BaseStation, target: Target, root: Path) -> str:
    """What a try of the credential says; what it used is counted below ``root``."""
    listener = station.listener()
    assert isinstance(listener, Identifies)
    allowance = Credential(Landing(root), "it", listener.traits.rates)
    now = datetime.now(UTC)
    said = listener.whoami(
        target, Budget(max_pages=1, now=now, reach=LOOPBACK, allowance=allowance)
    )
    assert "\n" not in said
    return said


@pytest.mark.parametrize("source", KEYED)
def test_a_credential_that_works_says_what_it_may_do(source: str, in_memory: Path) -> None:
    station = station_of(source)
    with station.open():
        station.world.write(2)
        target = station.keyed()
        said = asked(station, target, in_memory)
    assert re.search(r"\bmay\b", said), said
    assert not [secret for secret in secrets_in(target) if secret in said]
    (used,) = Credential(Landing(in_memory), "it").account().days.values()
    assert 1 <= used["calls"] <= 3
    requests = station.requests if isinstance(station, HttpStation) else []
    assert [r for r in requests if r.method != "GET" and r.path not in SIGNING_IN] == []


@pytest.mark.parametrize("source", KEYED)
def test_a_credential_that_is_refused_is_said_to_be(source: str, in_memory: Path) -> None:
    station = station_of(source)
    with station.open(), pytest.raises(AuthFailed) as caught:
        asked(station, station.forged(), in_memory)
    _is_discreet(caught.value, station.forged())


@pytest.mark.parametrize("source", KEYED)
def test_a_network_that_is_down_says_nothing_of_a_credential(source: str, in_memory: Path) -> None:
    station = station_of(source)
    with station.open():
        target = station.keyed()
    with pytest.raises(Transient) as caught:
        asked(station, target, in_memory)
    _is_discreet(caught.value, target)


@pytest.mark.parametrize(
    ("source", "params"),
    [
        ("app_store", {"interface": "public", "country": "za"}),
        ("google_play", {"interface": "public"}),
        ("hellopeter", {"door": "public", "accept_public_terms": True}),
        ("email", {"path": "a.mbox", "host": None}),
    ],
)
def test_a_target_that_makes_no_use_of_it_does_not_try_it(
    source: str, params: dict[str, object], in_memory: Path
) -> None:
    station = station_of(source)
    with station.open():
        keyed = station.keyed()
    target = msgspec.structs.replace(keyed, params={**keyed.params, **params})
    assert asked(station, target, in_memory) == ""


@pytest.mark.parametrize("source", PRICED)
def test_one_whose_every_call_has_a_price_is_not_tried(source: str) -> None:
    assert not isinstance(station_of(source).listener(), Identifies)


def _is_discreet(error: ListenerError, target: Target) -> None:
    assert "\n" not in str(error)
    assert not [secret for secret in secrets_in(target) if secret in str(error)]
