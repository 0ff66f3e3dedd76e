"""What is particular to Elasticsearch: crashes between two requests, bad days, versions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.servers.elasticsearch import Node, private_node
from tests.servers.front import LOST, Answer, Script, front
from tests.triage.store.conftest import client_of, elastic_store, remove_prefix
from tests.triage.store.samples import event, mention, minutes, new, ticket
from triage.errors import StoreRefused, StoreUnavailable
from triage.store import Store
from triage.store import elastic_documents as documents
from triage.store.base import QueueFilter, Write, Written
from triage.store.elastic import ElasticStore
from triage.store.elastic_client import Cluster

pytestmark = pytest.mark.elasticsearch

Through = Callable[[Script], Any]


@pytest.fixture
def store(elasticsearch: Node, prefix: str) -> Iterator[Store]:
    """The store without anything between."""
    store = elastic_store(elasticsearch, prefix)
    yield store
    store.close()


@pytest.fixture
def through(elasticsearch: Node, prefix: str) -> Through:
    """The store behind a front with a script; it does not sleep between tries."""

    @contextmanager
    def open_through(script: Script) -> Iterator[Store]:
        with front(elasticsearch.url, script) as url:
            hasty = Cluster.at(
                url,
                user=elasticsearch.user,
                password=elasticsearch.password,
                pause=lambda seconds: None,
            )
            store = ElasticStore(hasty, prefix=prefix)
            yield store
            store.close()

    return open_through


def _bulk_into(kind: str, body: bytes, path: str) -> bool:
    return path.startswith("/_bulk") and f'-{kind}"'.encode() in body.split(b"\n", 1)[0]


def _error(status: int, kind: str, reason: str) -> Answer:
    cause = {"type": kind, "reason": reason}
    return status, {"error": {"root_cause": [cause], **cause}, "status": status}


def _claim(store: Store, id: str = "T-1") -> Write:
    read = store.tickets([id])[id]
    claimed = msgspec.structs.replace(read.ticket, priority=read.ticket.priority + 1)
    entry = event(id, "claimed", str(claimed.priority), at=claimed.priority)
    return Write(ticket=claimed, version=read.version, events=(entry,))


# events are stored if and only if their change is


_KILLED = """
import sys
from tests.triage.store.samples import event, new
from triage.store import open_store
url, user, password, prefix = sys.argv[1:]
store = open_store("elasticsearch", url=url, user=user, password=password, prefix=prefix)
print(store.write_tickets([new("T-1", event("T-1"))]))
"""


def test_a_process_killed_after_the_change_has_lost_no_event(
    elasticsearch: Node, prefix: str, store: Store
) -> None:
    killed: list[subprocess.Popen[bytes]] = []

    def kill_before_events(method: str, path: str, body: bytes) -> Answer | None:
        if _bulk_into("ticket-events", body, path):
            killed[0].kill()
            return LOST[0], "the process is dead, nothing is passed on"
        return None

    with front(elasticsearch.url, kill_before_events) as url:
        words = [url, elasticsearch.user, elasticsearch.password, prefix]
        killed.append(
            subprocess.Popen(
                [sys.executable, "-c", _KILLED, *words],
                stdout=subprocess.PIPE,
                cwd=Path(__file__).parents[3],
            )
        )
        output, _ = killed[0].communicate(timeout=60)
    assert (killed[0].returncode, output) == (-9, b"")
    with client_of(elasticsearch) as client:
        client.indices.refresh(index=f"{prefix}-*")
        assert client.count(index=f"{prefix}-ticket-events")["count"] == 0
    assert store.events("T-1") == [event("T-1")]
    # The next change takes the place of the outbox, and must not lose what was in it.
    claim = _claim(store)
    assert store.write_tickets([claim]).done == ("T-1",)
    assert store.events("T-1") == [event("T-1"), *claim.events]


def test_a_change_is_made_even_if_its_events_wait_in_the_outbox(
    through: Through, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def no_events(method: str, path: str, body: bytes) -> Answer | None:
        if _bulk_into("ticket-events", body, path):
            return _error(503, "unavailable_shards_exception", "primary shard is not active")
        return None

    with through(no_events) as weak:
        assert weak.write_tickets([new("T-1", event("T-1"))]) == Written(done=("T-1",))
        assert "outboxes" in caplog.text
        assert weak.events("T-1") == [event("T-1")]
        # It must be emptied before it can be replaced: this change is refused as a whole.
        with pytest.raises(StoreUnavailable):
            weak.write_tickets([_claim(weak)])
    assert store.tickets(["T-1"])["T-1"].ticket.priority == 50
    assert store.events("T-1") == [event("T-1")]


def test_a_lost_answer_does_not_turn_our_own_write_into_a_conflict(
    through: Through, store: Store
) -> None:
    store.write_tickets([new("T-1")])
    lost: list[str] = []

    def lose_one(method: str, path: str, body: bytes) -> Answer | None:
        if _bulk_into("tickets", body, path) and not lost:
            lost.append(path)
            return LOST
        return None

    with through(lose_one) as weak:
        claim = _claim(store)
        assert weak.write_tickets([claim, new("T-1")]) == Written(done=("T-1",), conflicts=("T-1",))
    assert lost
    assert store.tickets(["T-1"])["T-1"].ticket == claim.ticket
    assert store.events("T-1") == list(claim.events)


def test_a_conflict_leaves_no_event_even_after_a_lost_answer(
    through: Through, store: Store
) -> None:
    store.write_tickets([new("T-1")])
    stale = _claim(store)
    store.write_tickets([Write(ticket=ticket("T-1", priority=7), version=stale.version)])
    with through(lambda method, path, body: None) as weak:
        assert weak.write_tickets([stale]) == Written(conflicts=("T-1",))
    assert store.events("T-1") == []


# bad days


def test_a_busy_server_is_asked_again(through: Through, store: Store) -> None:
    busy = [429, 503, 429]

    def sometimes(method: str, path: str, body: bytes) -> Answer | None:
        if path.startswith("/_bulk") and busy:
            return _error(busy.pop(), "es_rejected_execution_exception", "queue is full")
        return None

    with through(sometimes) as weak:
        assert weak.save_mentions([mention("a"), mention("b")]).new == ("a", "b")
    assert busy == []
    assert set(store.mentions(["a", "b"])) == {"a", "b"}


def test_a_busy_item_is_sent_again_alone(through: Through, store: Store) -> None:
    sent: list[int] = []

    def second_item_is_busy(method: str, path: str, body: bytes) -> Answer | None:
        if not path.startswith("/_bulk"):
            return None
        sent.append(body.count(b"\n") // 2)
        if len(sent) > 1:
            return None
        reason = {"type": "es_rejected_execution_exception", "reason": "queue is full"}
        busy = {"create": {"_id": "a", "status": 429, "error": reason}}
        return 200, {"errors": True, "items": [busy, {"create": {"_id": "b", "status": 201}}]}

    with through(second_item_is_busy) as weak:
        assert weak.save_mentions([mention("a"), mention("b")]).new == ("a", "b")
    assert sent == [2, 1]
    assert set(store.mentions(["a"])) == {"a"}


def test_a_server_that_stays_busy_is_unavailable(through: Through) -> None:
    def never(method: str, path: str, body: bytes) -> Answer | None:
        if path.startswith("/_bulk"):
            return _error(429, "es_rejected_execution_exception", "queue is full")
        return None

    with through(never) as weak, pytest.raises(StoreUnavailable, match=r"queue is full.*run again"):
        weak.save_mentions([mention("a")])


def test_a_full_disk_is_refused_in_plain_words(
    elasticsearch: Node, prefix: str, store: Store
) -> None:
    store.write_tickets([new("T-1")])
    index = f"{prefix}-tickets"
    with client_of(elasticsearch) as client:
        # What the server itself sets when a disk passes the flood-stage watermark.
        client.indices.put_settings(index=index, settings={"blocks.read_only_allow_delete": True})
        try:
            with pytest.raises(StoreRefused, match=r"disk of Elasticsearch .* is full"):
                store.write_tickets([_claim(store)])
            assert store.tickets(["T-1"])["T-1"].ticket.priority == 50
        finally:
            client.indices.put_settings(
                index=index, settings={"blocks.read_only_allow_delete": None}
            )
    assert store.write_tickets([_claim(store)]).done == ("T-1",)


def test_a_closed_index_is_no_documents_fault(
    elasticsearch: Node, prefix: str, store: Store
) -> None:
    store.write_tickets([new("T-1")])
    with client_of(elasticsearch) as client:
        client.indices.close(index=f"{prefix}-tickets")
        try:
            with pytest.raises(StoreRefused, match="closed"):
                store.write_tickets([new("T-2")])
            with pytest.raises(StoreRefused, match="closed"):
                store.queue(QueueFilter())
        finally:
            client.indices.open(index=f"{prefix}-tickets")
            client.cluster.health(index=f"{prefix}-tickets", wait_for_status="yellow")
    assert store.write_tickets([new("T-2")]).done == ("T-2",)


def test_what_the_mapping_cannot_hold_is_refused_alone(store: Store) -> None:
    rows = [mention("a"), mention("huge", likes=2**70), mention("long", thread="x" * 40_000)]
    saved = store.save_mentions([*rows, mention("b")])
    assert saved.new == ("a", "b")
    assert [bad.id for bad in saved.refused] == ["huge", "long"]
    assert "likes" in saved.refused[0].reason
    assert all("\n" not in bad.reason and len(bad.reason) <= 500 for bad in saved.refused)


def test_ten_megabytes_of_text_are_a_mention_like_any_other(store: Store) -> None:
    row = mention("big", text="waiting since noon, " * 500_000)
    assert store.save_mentions([row, mention("small")]).new == ("big", "small")
    assert store.mentions(["big"])["big"] == row


# what it does to a cluster, and what it asks of it


def test_every_mapping_is_strict(elasticsearch: Node, prefix: str, store: Store) -> None:
    store.save_mentions([mention("a", created_at=minutes(0))])
    with client_of(elasticsearch) as client:
        found = client.indices.get(index=f"{prefix}-*").body
    assert f"{prefix}-mentions-2024.03" in found
    assert {f"{prefix}-{kind}" for kind in ("tickets", "ticket-events", "identities")} < set(found)
    for index in found.values():
        assert index["mappings"]["dynamic"] == "strict"
        assert "@timestamp" in index["mappings"]["properties"]
    aliases = {name for name, index in found.items() if index["aliases"]}
    assert aliases == {name for name in found if name.startswith(f"{prefix}-mentions-")}


def test_a_claim_of_the_future_opens_no_index_of_the_future(
    elasticsearch: Node, prefix: str, store: Store
) -> None:
    ahead = mention("a", created_at=minutes(10**7), collected_at=minutes(0))
    store.save_mentions([ahead, mention("b", created_at=minutes(-(10**8)))])
    with client_of(elasticsearch) as client:
        client.indices.refresh(index=f"{prefix}-mentions")
        hits = client.search(index=f"{prefix}-mentions", query={"ids": {"values": ["a", "b"]}})
    places = {hit["_id"]: hit["_index"] for hit in hits["hits"]["hits"]}
    assert places == {"a": f"{prefix}-mentions-2024.03", "b": f"{prefix}-mentions-undated"}


def test_indices_that_were_not_set_up_are_never_made_by_guess(elasticsearch: Node) -> None:
    store = elastic_store(elasticsearch, "test-never-set-up")
    try:
        for call in (
            lambda: store.save_mentions([mention()]),
            lambda: store.write_tickets([new()]),
            lambda: store.mark("stored", ["part"]),
            lambda: store.queue(QueueFilter()),
            lambda: store.tickets(["T-1"]),
            lambda: store.check(),
        ):
            with pytest.raises(StoreRefused, match="set the store up first"):
                call()
        with client_of(elasticsearch) as client:
            assert client.indices.get(index="test-never-set-up-*").body == {}
    finally:
        store.close()


def test_two_may_set_up_the_same_prefix_at_once(elasticsearch: Node) -> None:
    stores = [elastic_store(elasticsearch, "test-at-once") for _ in range(2)]
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda store: store.setup(), stores))
        assert stores[0].save_mentions([mention("a")]).new == ("a",)
        assert stores[1].save_mentions([mention("a")]).unchanged == ("a",)
    finally:
        for store in stores:
            store.close()
        remove_prefix(elasticsearch, "test-at-once")


def test_tickets_lie_as_the_queue_reads_them(elasticsearch: Node, prefix: str) -> None:
    with client_of(elasticsearch) as client:
        found = client.indices.get_settings(index=f"{prefix}-tickets")[f"{prefix}-tickets"]
    order = found["settings"]["index"]["sort"]
    read = [field for one in documents.AS_QUEUE for field in one.items()]
    assert list(zip(order["field"], order["order"], strict=True)) == read


def test_what_one_agent_does_everybody_s_queue_shows_at_once(
    elasticsearch: Node, prefix: str
) -> None:
    mine, another = elastic_store(elasticsearch, prefix), elastic_store(elasticsearch, prefix)
    try:
        mine.write_tickets([new("T-1")])
        (before,) = another.queue(QueueFilter()).tickets
        change = _claim(mine)
        assert mine.write_tickets([change]).done == ("T-1",)
        (after,) = another.queue(QueueFilter()).tickets
        assert after.ticket == change.ticket != before.ticket
    finally:
        mine.close()
        another.close()


def test_templates_of_a_newer_version_are_left_alone(elasticsearch: Node) -> None:
    store = elastic_store(elasticsearch, "test-newer")
    with client_of(elasticsearch) as client:
        client.indices.put_index_template(
            name="test-newer-tickets", index_patterns=["test-newer-tickets"], version=99
        )
    try:
        with pytest.raises(StoreRefused, match="newer Outcry"):
            store.setup()
    finally:
        store.close()
        remove_prefix(elasticsearch, "test-newer")


def test_wrong_credentials_are_refused_without_showing_them(
    elasticsearch: Node, prefix: str
) -> None:
    wrong = Cluster.at(elasticsearch.url.replace("://", "://elastic:s3cret@"))
    store = ElasticStore(wrong, prefix=prefix)
    with pytest.raises(StoreRefused, match="credentials") as caught:
        store.check()
    assert "s3cret" not in str(caught.value)
    assert "\n" not in str(caught.value)
    store.close()


@contextmanager
def _ours_to_kill(node: Node, prefix: str) -> Iterator[Node]:
    """This node, unless it was lent to us; then one of our own, set up alike."""
    if node.killable:
        yield node
        return
    with private_node() as own:
        store = elastic_store(own, prefix)
        store.setup()
        store.close()
        yield own


def test_a_node_stopped_in_the_middle_loses_nothing(elasticsearch: Node, prefix: str) -> None:
    with _ours_to_kill(elasticsearch, prefix) as node:
        store = elastic_store(node, prefix)
        store.save_mentions([mention("a")])
        store.write_tickets([new("T-1", event("T-1"))])
        claim = _claim(store)
        node.stop_hard()
        try:
            for call in (
                lambda: store.save_mentions([mention("b")]),
                lambda: store.write_tickets([claim]),
                lambda: store.check(),
            ):
                with pytest.raises(StoreUnavailable, match=r"does not answer.*run again") as caught:
                    call()
                assert "\n" not in str(caught.value)
                assert node.password not in str(caught.value)
        finally:
            node.start_again()
        assert store.save_mentions([mention("a"), mention("b")]).new == ("b",)
        assert store.write_tickets([claim]).done == ("T-1",)
        assert store.events("T-1") == [event("T-1"), *claim.events]
        store.close()
