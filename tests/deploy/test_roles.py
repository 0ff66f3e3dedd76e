"""The shipped roles on a real node: the pipeline can work, analysts cannot see who somebody is."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import AuthenticationException, AuthorizationException, Elasticsearch

from desk.accounts import add_user, users
from tests.servers.elasticsearch import Node
from tests.servers.elasticsearch_machines import Process
from tests.triage.store.conftest import remove_prefix
from tests.triage.store.samples import event, mention, ticket
from triage.claims import claim_next
from triage.dossier import dossier
from triage.rules import Rules
from triage.store import open_store
from triage.store.base import Identity, Write

pytestmark = pytest.mark.elasticsearch

ROLES = Path(__file__).parents[2] / "deploy" / "roles"
PASSWORD = "for-this-test-only"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def shipped(role: str, prefix: str) -> dict[str, Any]:
    """A role of ours, for indices that begin with ``prefix`` instead of ``outcry``."""
    descriptor: dict[str, Any] = json.loads((ROLES / f"{role}.json").read_text())
    for group in descriptor["indices"]:
        group["names"] = [pattern.replace("outcry-", f"{prefix}-") for pattern in group["names"]]
    return descriptor


def client(node: Node, user: str, password: str = PASSWORD) -> Elasticsearch:
    return Elasticsearch(node.url, basic_auth=(user, password))


def introduce(node: Node, name: str, descriptor: dict[str, Any]) -> None:
    """Create a user with a role of the same name; returns when the node knows them.

    A node without a security index (`Process`) takes both from files, which it watches.
    """
    machine = node._machine
    if isinstance(machine, Process):
        salt = secrets.token_bytes(32)
        digest = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, 1000, 32)
        words = "$".join(base64.b64encode(part).decode() for part in (salt, digest))
        for file, line in (
            ("roles.yml", f"{name}: {json.dumps(descriptor)}"),
            ("users", f"{name}:{{PBKDF2}}1000${words}"),
            ("users_roles", f"{name}:{name}"),
        ):
            with (machine.folder / "config" / file).open("a") as lines:
                lines.write(f"{line}\n")
    else:
        with client(node, node.user, node.password) as admin:
            admin.security.put_role(name=name, **descriptor)
            admin.security.put_user(username=name, password=PASSWORD, roles=[name])
    end = time.monotonic() + 30
    with client(node, name) as known:
        while time.monotonic() < end:
            try:
                if (
                    known.security.authenticate()["roles"] == [name]
                    and known.security.has_privileges(
                        index=[{"names": descriptor["indices"][0]["names"], "privileges": ["read"]}]
                    )["has_all_requested"]
                ):
                    return
            except AuthenticationException:
                pass
            time.sleep(0.5)
    pytest.fail(f"{name} is not known after 30 s")


@pytest.fixture
def prefix(elasticsearch: Node) -> Iterator[str]:
    name = f"roles-{secrets.token_hex(4)}"
    yield name
    remove_prefix(elasticsearch, name)


def test_the_pipeline_can_work_and_analysts_read_all_but_the_vault(
    elasticsearch: Node, prefix: str
) -> None:
    pipeline, analyst = f"{prefix}-pipeline", f"{prefix}-analyst"
    introduce(elasticsearch, pipeline, shipped("outcry_pipeline", prefix))
    introduce(elasticsearch, analyst, shipped("outcry_analyst", prefix))

    store = open_store(
        "elasticsearch", url=elasticsearch.url, user=pipeline, password=PASSWORD, prefix=prefix
    )
    with closing(store):
        store.setup()
        store.check()
        store.save_mentions([mention()])
        store.save_identities([Identity(customer="c1", source="rss", handle="mira")])
        store.write_tickets([Write(ticket=ticket(), version=None, events=(event(),))])
        store.save_ledger([])
        store.mark("folded", ["a-part"])
        assert store.counts()["tickets"] == 1
        assert store.publish({}) == 3
        assert store.make_vectors("m/1", lambda texts: [[1.0, 0.0]], lambda done, total: None) == 1

    with client(elasticsearch, elasticsearch.user, elasticsearch.password) as admin:
        admin.indices.refresh(index=f"{prefix}-analysis-*")
    with client(elasticsearch, analyst) as reader:
        found = reader.search(index=f"{prefix}-*", size=100)["hits"]["hits"]
        assert sorted(hit["_index"].removeprefix(f"{prefix}-analysis-") for hit in found) == [
            "mentions-2024.03",
            "ticket-events",
            "tickets",
            "vectors",
        ]
        nearest = {"field": "vector", "query_vector": [1.0, 0.1], "k": 5, "num_candidates": 5}
        (near,) = reader.search(index=f"{prefix}-analysis-vectors", knn=nearest)["hits"]["hits"]
        assert near["_source"]["mention"] == mention().uid
        for kind in ("identities", "vault", "mentions", "tickets", "outreach"):
            with pytest.raises(AuthorizationException):
                reader.search(index=f"{prefix}-{kind}")
        with pytest.raises(AuthorizationException):
            reader.index(index=f"{prefix}-analysis-tickets", document={})
    with client(elasticsearch, pipeline) as worker, pytest.raises(AuthorizationException):
        worker.search(index="somebody-elses")


def test_the_desk_can_serve_agents_and_neither_make_nor_remove_an_index(
    elasticsearch: Node, prefix: str
) -> None:
    desk = f"{prefix}-desk"
    introduce(elasticsearch, desk, shipped("outcry_desk", prefix))
    with closing(
        open_store(
            "elasticsearch",
            url=elasticsearch.url,
            user=elasticsearch.user,
            password=elasticsearch.password,
            prefix=prefix,
        )
    ) as store:
        store.setup()
        store.save_mentions([mention()])
        store.write_tickets([Write(ticket=ticket(), version=None, events=(event(),))])

    with closing(
        open_store(
            "elasticsearch", url=elasticsearch.url, user=desk, password=PASSWORD, prefix=prefix
        )
    ) as store:
        store.setup()
        store.check()
        add_user(store, "lindiwe", ("agent",), "a long enough password", NOW)
        assert [one.name for one in users(store)] == ["lindiwe"]
        claimed = claim_next(store, "lindiwe", NOW, Rules())
        assert claimed is not None
        told = dossier(store, claimed)
        assert [event.kind for event in told.events][-1] == "claimed"
        assert len(told.posts) == 1
        store.erase([one.uid for one in told.posts], [claimed.ticket], [])
        assert store.tickets([claimed.ticket]) == {}
    with client(elasticsearch, desk) as raw:
        with pytest.raises(AuthorizationException):
            raw.indices.create(index=f"{prefix}-more")
        with pytest.raises(AuthorizationException):
            raw.indices.delete(index=f"{prefix}-tickets")
        with pytest.raises(AuthorizationException):
            raw.search(index="another-product")
