"""A deployment whose posts went the whole way into a node, and whose agents were at work."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from insight.kibana.asking import Asker, cluster_search
from insight.kibana.files import Saved, load
from insight.kibana.queries import Span
from listeners.contract import Target
from outcry import demo, pipeline
from outcry.demo import AS_OF, post, stream
from outcry.importing import import_file
from outcry.settings import Settings, load_settings
from outcry.windows import window_of
from tests.servers.elasticsearch import Node
from tests.triage.store.conftest import remove_prefix
from triage import claims
from triage.contacts import Outcome, learn
from triage.publishing import publish
from triage.rules import Agent
from triage.store import Store, open_store
from triage.store.base import QueueFilter
from triage.store.elastic_client import Cluster

NOW = AS_OF + timedelta(hours=1)
OUTCOMES: tuple[Outcome, ...] = ("resolved", "not a complaint", "no answer", "already solved")


class Filled(msgspec.Struct, frozen=True):
    """A filled node and how to ask it."""

    settings: Settings
    store: Store
    prefix: str
    objects: list[Saved]
    cluster: Cluster

    @property
    def asker(self) -> Asker:
        return Asker(self.objects, cluster_search(self.cluster), self.prefix)

    def panels(self, kind: str) -> list[Saved]:
        return [one for one in self.objects if one.type == kind]


def demonstration(home: Path) -> tuple[Settings, list[dict[str, Any]]]:
    """The invented brand, with products, teams, and a target that does not answer."""
    shutil.copyfile(Path(demo.__file__).parent / "outcry.toml", home / "outcry.toml")
    settings = load_settings(home)
    teams = {"agent-a": Agent(departments=("outages and faults",)), "agent-b": Agent()}
    return msgspec.structs.replace(
        settings,
        products={"Fibre": ("fiber", "internet"), "Mobile data": ("data", "airtime", "bundle")},
        rules=msgspec.structs.replace(settings.rules, agents=teams),
        targets=(Target(source="rss", key="silent", params={"url": "http://127.0.0.1:9/feed"}),),
    ), [post(line) for line in stream()]


@contextmanager
def filled(node: Node, settings: Settings, rows: list[dict[str, Any]]) -> Iterator[Filled]:
    """Import, listen, score, triage, look for incidents, work on some cases, publish."""
    prefix = f"boards-{secrets.token_hex(4)}"
    file = settings.home / "posts.jsonl"
    broken = [{**rows[0], "native_id": "broken", "created_at": "last week"}]
    file.write_bytes(b"".join(msgspec.json.encode(row) + b"\n" for row in [*rows, *broken]))
    os.utime(file, (NOW.timestamp(), NOW.timestamp()))
    import_file(settings, file, preset="canonical", now=NOW)
    pipeline.listen(settings, window_of(AS_OF, 15), NOW)
    pipeline.score(settings)
    store = open_store(
        "elasticsearch", url=node.url, user=node.user, password=node.password, prefix=prefix
    )
    cluster = Cluster.at(node.url, user=node.user, password=node.password)
    try:
        store.setup()
        pipeline.triage(settings, store, now=NOW)
        pipeline.incidents(settings, store, now=AS_OF)
        work(settings, store)
        publish(store, settings.rules)
        store.make_vectors("length/1", lengths, lambda done, total: None)
        cluster.refresh(f"{prefix}-analysis-*", always=True)
        yield Filled(settings, store, prefix, load(), cluster)
    finally:
        cluster.close()
        store.close()
        remove_prefix(node, prefix)


def lengths(texts: Sequence[str]) -> list[list[float]]:
    """Vectors that stand for what an encoder makes."""
    return [[float(len(text) + 1), 1.0] for text in texts]


def work(settings: Settings, store: Store) -> None:
    """Agents claim, contact, resolve and dismiss; one case comes back, one stays claimed."""
    page = store.queue(QueueFilter(), size=20).tickets
    for number, entry in enumerate(page):
        name, agent = entry.ticket.ticket, ("agent-a", "agent-b", "agent-c")[number % 3]
        at = NOW + timedelta(minutes=7 * number)
        claims.act(store, name, "claim", agent, at, settings.rules)
        if number % 4 == 3:
            continue
        then = at + timedelta(minutes=3 + number)
        claims.act(store, name, "contact", agent, then, settings.rules, "called them")
        end = then + timedelta(minutes=20 + number)
        outcome = OUTCOMES[number % 4]
        ticket = claims.act(store, name, "resolve", agent, end, settings.rules, outcome)
        learn(store, ticket, outcome, agent, end)
        if number == 4:
            claims.act(store, name, "reopen", agent, end + timedelta(hours=1), settings.rules)


WHOLE = Span(datetime(2010, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC), NOW)
ONE_DAY = Span(AS_OF - timedelta(days=1), AS_OF, NOW)
