"""A store of each kind, empty at the start of each test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from tests.servers.elasticsearch import Node
from triage.store import Store, open_store

KINDS = ["sqlite", pytest.param("elasticsearch", marks=pytest.mark.elasticsearch)]


def client_of(node: Node) -> Elasticsearch:
    return Elasticsearch(node.url, basic_auth=(node.user, node.password), request_timeout=60)


def remove_prefix(node: Node, prefix: str) -> None:
    """Every index and template of the prefix."""
    with client_of(node) as client:
        # Never by wildcard: a server may forbid it, and a test's typing error is too dear.
        for index in client.indices.get(index=f"{prefix}-*", allow_no_indices=True).body:
            client.indices.delete(index=index)
        for found in client.indices.get_index_template(name=f"{prefix}-*")["index_templates"]:
            client.indices.delete_index_template(name=found["name"])


def empty_prefix(node: Node, prefix: str) -> None:
    """Every document of the prefix; the indices stay, because making them takes seconds."""
    with client_of(node) as client:
        client.indices.refresh(index=f"{prefix}-*")
        while True:
            found = client.search(index=f"{prefix}-*", size=5000, source=False)["hits"]["hits"]
            if not found:
                return
            operations = [{"delete": {"_index": hit["_index"], "_id": hit["_id"]}} for hit in found]
            client.bulk(operations=operations, refresh=True)


@pytest.fixture(scope="session")
def prefixes() -> Iterator[dict[str, tuple[Node, str]]]:
    """The prefix that this session uses on each node, by address; removed at the end."""
    used: dict[str, tuple[Node, str]] = {}
    yield used
    for node, prefix in used.values():
        remove_prefix(node, prefix)


@pytest.fixture
def prefix(elasticsearch: Node, prefixes: dict[str, tuple[Node, str]]) -> str:
    """A prefix that is set up and without a document."""
    if elasticsearch.url not in prefixes:
        name = f"test-{secrets.token_hex(4)}"
        prefixes[elasticsearch.url] = (elasticsearch, name)
        store = elastic_store(elasticsearch, name)
        store.setup()
        store.close()
    name = prefixes[elasticsearch.url][1]
    empty_prefix(elasticsearch, name)
    return name


def elastic_store(node: Node, prefix: str, url: str | None = None) -> Store:
    return open_store(
        "elasticsearch",
        url=url or node.url,
        user=node.user,
        password=node.password,
        prefix=prefix,
    )


Opener = Callable[[], Store]


@pytest.fixture(params=KINDS)
def opener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the same empty store again and again, as several processes would."""
    opened: list[Store] = []
    make: Any
    if request.param == "sqlite":
        made = open_store("sqlite", path=tmp_path / "outcry.db")
        made.setup()
        made.close()

        def make() -> Store:
            return open_store("sqlite", path=tmp_path / "outcry.db")
    else:
        node, prefix = (request.getfixturevalue(name) for name in ("elasticsearch", "prefix"))

        def make() -> Store:
            return elastic_store(node, prefix)

    def remembering() -> Store:
        opened.append(make())
        return opened[-1]

    yield remembering
    for store in opened:
        store.close()


@pytest.fixture
def store(opener: Opener) -> Store:
    return opener()
