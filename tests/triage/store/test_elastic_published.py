"""The indices of analysts follow those of the store, whatever happens in between."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.servers.elasticsearch import Node
from tests.triage.store.conftest import client_of, elastic_store
from tests.triage.store.samples import event, mention, minutes, ticket
from triage.store import Store
from triage.store.base import Identity, Write
from triage.store.shelf import Keep

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def store(elasticsearch: Node, prefix: str) -> Any:
    found = elastic_store(elasticsearch, prefix)
    yield found
    found.close()


def published(node: Node, prefix: str, kind: str) -> dict[str, dict[str, Any]]:
    with client_of(node) as client:
        name = f"{prefix}-analysis-{kind}*"
        client.indices.refresh(index=name)
        hits = client.search(index=name, size=100)["hits"]["hits"]
    return {hit["_id"]: hit["_source"] for hit in hits}


def test_what_changed_is_published_and_nothing_twice(
    elasticsearch: Node, prefix: str, store: Store
) -> None:
    store.publish({})
    store.save_mentions([mention("a"), mention("b")])
    store.write_tickets([Write(ticket=ticket(), version=None, events=(event(),))])
    assert store.publish({}) == 4
    assert store.publish({}) == 0
    store.save_mentions([mention("b", text="changed", collected_at=minutes(99))])
    assert store.publish({}) == 1
    assert published(elasticsearch, prefix, "mentions")["b"]["text"] == "changed"


def test_a_deleted_mention_goes_and_an_erased_case_goes_at_once(
    elasticsearch: Node, prefix: str, store: Store
) -> None:
    store.save_mentions([mention("a"), mention("b"), mention("c")])
    store.save_identities([Identity(customer="c1", source="rss", handle="mira")])
    store.write_tickets([Write(ticket=ticket(), version=None, events=(event(),))])
    store.publish({})
    store.delete_mentions(["a"])
    store.publish({})
    assert published(elasticsearch, prefix, "mentions").keys() == {"b", "c"}
    store.erase(["b"], [ticket().ticket], ["c1"])
    assert published(elasticsearch, prefix, "mentions").keys() == {"c"}
    assert published(elasticsearch, prefix, "tickets") == {}
    assert published(elasticsearch, prefix, "ticket-events") == {}
    store.publish({})
    assert published(elasticsearch, prefix, "mentions").keys() == {"c"}


def test_what_was_lost_is_made_again_from_the_store(
    elasticsearch: Node, prefix: str, store: Store
) -> None:
    store.save_mentions([mention("a")])
    store.publish({})
    with client_of(elasticsearch) as client:
        client.indices.refresh(index=f"{prefix}-progress")
        marks = client.search(
            index=f"{prefix}-progress", query={"term": {"stage": "published"}}, size=20
        )["hits"]["hits"]
        assert marks
        for hit in marks:
            client.delete(index=hit["_index"], id=hit["_id"])
    assert store.publish({}) == 1


def test_an_outcome_that_is_taken_back_is_no_longer_published(
    elasticsearch: Node, prefix: str, store: Store
) -> None:
    label = {
        "ticket": "T-1",
        "uid": "a",
        "outcome": "resolved",
        "at": minutes(1),
        "by": "ann",
        "text": "her words",
        "language": "en",
        "source": "rss",
        "complaint": True,
        "said": 0.7,
        "department": None,
    }
    keep = Keep(key="T-1", at=minutes(1), group="c1", record=msgspec.to_builtins(label))
    store.shelve("label", [keep])
    store.publish({})
    (found,) = published(elasticsearch, prefix, "outcomes").values()
    assert (found["truth"], found["customer"], found["department"]) == (
        "complaint",
        "c1",
        "by hand",
    )
    assert "her words" not in str(found)
    assert "ann" not in str(found)
    store.unshelve("label", ["T-1"])
    assert published(elasticsearch, prefix, "outcomes") == {}
