"""The client's errors in the room's own words, without a node: fronts that only answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.front import Answer, front
from triage.errors import StoreRefused, StoreUnavailable
from triage.store.elastic import ElasticStore
from triage.store.elastic_client import Cluster


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://user:s3cret@127.0.0.1:{held.getsockname()[1]}"


def _said(answer: Answer) -> str:
    with front("http://127.0.0.1:1", lambda method, path, body: answer) as url:
        cluster = Cluster.at(url, pause=lambda seconds: None)
        try:
            with pytest.raises((StoreRefused, StoreUnavailable)) as caught:
                ElasticStore(cluster).check()
        finally:
            cluster.close()
    assert "\n" not in str(caught.value)
    return f"{type(caught.value).__name__}: {caught.value}"


def test_an_address_where_nothing_listens_is_unavailable(nobody: str) -> None:
    cluster = Cluster.at(nobody, pause=lambda seconds: None)
    with pytest.raises(StoreUnavailable, match=r"Connection refused.*start it") as caught:
        ElasticStore(cluster).setup()
    assert "s3cret" not in str(caught.value)
    cluster.close()


def test_a_server_that_never_answers_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        cluster = Cluster.at(url, timeout_s=0.2)
        with pytest.raises(StoreUnavailable, match="too long"):
            ElasticStore(cluster).setup()
        cluster.close()


def test_an_older_server_is_refused_by_name() -> None:
    kind = "media_type_header_exception"
    reason = "Invalid media-type value on headers [Accept]"
    old = {"error": {"type": kind, "reason": reason}, "status": 400}
    assert "StoreRefused" in _said((400, old))
    assert "version 9" in _said((400, old))


def test_a_privilege_that_is_missing_is_named() -> None:
    reason = "action [indices:admin/refresh] is unauthorized for user [desk]"
    said = _said((403, {"error": {"type": "security_exception", "reason": reason}}))
    assert "StoreRefused" in said
    assert "indices:admin/refresh" in said


def test_an_answer_without_an_explanation_still_makes_one_line() -> None:
    assert "StoreUnavailable" in _said((502, None))
    assert "StoreRefused" in _said((418, {"error": "teapot\nshort and stout"}))


@pytest.mark.parametrize("url", ["", "localhost", "ftp://host:1", "http://", "http://host:port"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(StoreRefused, match="https://host:9200"):
        Cluster.at(url)


def test_an_authoritys_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="no certificate"):
        Cluster.at("https://host", ca=tmp_path / "ca.crt")


def test_a_prefix_that_no_index_can_have_is_refused(nobody: str) -> None:
    cluster = Cluster.at(nobody)
    for prefix in ("", "Outcry", "-x", "a*", "a,b", "x" * 101):
        with pytest.raises(StoreRefused, match="prefix"):
            ElasticStore(cluster, prefix=prefix)
    cluster.close()
