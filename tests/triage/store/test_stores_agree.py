"""Any sequence of calls leaves both stores and a model of dictionaries alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.servers.elasticsearch import Node
from tests.triage.dict_store import DictStore
from tests.triage.store.conftest import elastic_store, empty_prefix
from tests.triage.store.samples import T0, event, mention, ticket
from triage.store import Store, open_store
from triage.store.base import QueueFilter, StoredMention, Write
from triage.ticket import Event, Handling, Ticket

times = st.one_of(
    st.integers(0, 5).map(lambda n: T0 + timedelta(microseconds=n)),
    st.datetimes(datetime(2023, 11, 1), datetime(2024, 2, 1), timezones=st.just(UTC)),
)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
names = st.sampled_from(["a", "b", "c", "é", "🚆"])
maybe_names = st.none() | names

mentions = st.builds(
    mention,
    names,
    text=words,
    title=st.none() | words,
    created_at=times,
    collected_at=times,
    thread=names,
    fingerprint=names,
    customer=maybe_names,
    likes=st.none() | st.integers(0, 2**40),
    rating=st.none() | st.floats(0, 5),
    complaint=st.none() | st.booleans(),
    evidence=st.lists(words, max_size=2).map(tuple),
)
statuses = st.sampled_from(["new", "claimed", "contacted", "resolved", "dismissed", "reopened"])
tickets = st.builds(
    ticket,
    names.map(lambda name: f"T-{name}"),
    priority=st.integers(0, 3),
    tier=st.sampled_from(["P1", "P2"]),
    department=maybe_names,
    sla_due=times,
    opened_at=times,
    refresh_at=st.none() | times,
    source=names,
    customer=names,
    threads=st.lists(names, max_size=3, unique=True).map(tuple),
    handling=st.builds(Handling, status=statuses, lease_until=st.none() | times),
)
filters = st.builds(
    QueueFilter,
    statuses=st.lists(statuses, max_size=3).map(tuple),
    departments=st.lists(maybe_names, max_size=2).map(tuple),
    sources=st.lists(names, max_size=2).map(tuple),
    tiers=st.sampled_from([(), ("P1",), ("P1", "P2")]),
    free_at=st.none() | times,
)
saves = st.tuples(st.just("save"), st.lists(mentions, min_size=1, max_size=6))
deletes = st.tuples(st.just("delete"), st.lists(names, min_size=1, max_size=2, unique=True))
moves = st.tuples(st.just("move"), st.dictionaries(names, names, min_size=1, max_size=3))
changes = st.tuples(st.just("write"), st.tuples(tickets, st.booleans(), st.integers(0, 9)))
steps = st.lists(saves | deletes | moves | changes, min_size=1, max_size=12)


def _apply(store: Store, step: str, given: object) -> object:
    """What the store answers, less what may differ between stores."""
    if step == "save":
        return store.save_mentions(msgspec.convert(given, list[StoredMention]))
    if step == "delete":
        return store.delete_mentions(msgspec.convert(given, list[str]))
    if step == "move":
        store.set_threads(msgspec.convert(given, dict[str, str]))
        return None
    wanted, up_to_date, key = msgspec.convert(given, tuple[Ticket, bool, int])
    known = store.tickets([wanted.ticket]).get(wanted.ticket)
    version = known.version if known and up_to_date else None
    entry: Event = event(wanted.ticket, "noted", str(key), at=key)
    return store.write_tickets([Write(ticket=wanted, version=version, events=(entry,))])


def _everything(store: Store, wanted: QueueFilter, now: datetime) -> dict[str, object]:
    keys = ["a", "b", "c", "é", "🚆"]
    pages, after = [], None
    while True:
        page = store.queue(wanted, after, size=2)
        pages.append([one.ticket for one in page.tickets])
        after = page.next
        if after is None:
            break
    return {
        "mentions": store.mentions(keys),
        "members": store.members(keys, limit=2),
        "copies": store.copies(keys),
        "posts": store.posts_of_customers(keys, limit=1),
        "pages": pages,
        "due": [one.ticket for one in store.due_for_refresh(now, size=3)],
        "of threads": [one.ticket for one in store.tickets_of_threads(keys[:2])],
        "of customers": [one.ticket for one in store.tickets_of_customers(keys[2:])],
        "starting": [one.ticket for one in store.tickets_starting("T-", limit=3)],
        "all": list(store.all_tickets()),
        "events": [store.events(f"T-{key}") for key in keys],
    }


def _run(store: Store, calls: list[tuple[str, object]], wanted: QueueFilter, now: datetime) -> None:
    model = DictStore()
    for step, argument in calls:
        assert _apply(store, step, argument) == _apply(model, step, argument)
    assert _everything(store, wanted, now) == _everything(model, wanted, now)


@settings(max_examples=60, deadline=None)
@given(calls=steps, wanted=filters, now=times)
def test_sqlite_answers_like_the_model(
    tmp_path_factory: pytest.TempPathFactory,
    calls: list[tuple[str, object]],
    wanted: QueueFilter,
    now: datetime,
) -> None:
    path: Path = tmp_path_factory.mktemp("agree") / "outcry.db"
    store = open_store("sqlite", path=path)
    store.setup()
    try:
        _run(store, calls, wanted, now)
    finally:
        store.close()


@pytest.mark.elasticsearch
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(calls=steps, wanted=filters, now=times)
def test_elasticsearch_answers_like_the_model(
    elasticsearch: Node,
    prefix: str,
    calls: list[tuple[str, object]],
    wanted: QueueFilter,
    now: datetime,
) -> None:
    empty_prefix(elasticsearch, prefix)
    store = elastic_store(elasticsearch, prefix)
    try:
        _run(store, calls, wanted, now)
    finally:
        store.close()
