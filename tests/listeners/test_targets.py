"""A target's settings, and what is said about wrong ones."""

from __future__ import annotations

import msgspec
import pytest

from listeners.contract import Target
from listeners.errors import BadTarget
from listeners.targets import settings, web_address

TARGET = Target(source="fake", key="one", params={"query": "tram"})


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody's settings."""

    query: str


def test_settings_are_the_record_of_the_source() -> None:
    assert settings(TARGET, Search) == Search("tram")
    with pytest.raises(BadTarget, match=r"fake target one: .*`size`"):
        settings(msgspec.structs.replace(TARGET, params={"query": "x", "size": 3}), Search)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("lemmy.example", "https://lemmy.example"),
        ("http://127.0.0.1:80/", "http://127.0.0.1:80"),
        ("https://api.example/2.3", "https://api.example/2.3"),
    ],
)
def test_a_bare_host_means_https(given: str, address: str) -> None:
    assert web_address(TARGET, "server", given) == address


@pytest.mark.parametrize("given", ["", "ftp://x.example", "https://", "file:///etc/passwd"])
def test_what_is_no_address_of_the_web_is_named(given: str) -> None:
    with pytest.raises(BadTarget, match="fake target one: server"):
        web_address(TARGET, "server", given)
