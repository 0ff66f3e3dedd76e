"""The store for teams: Elasticsearch 9, any edition.

Needs no script, pipeline, life-cycle policy or cluster setting. Every write that decides
something names the sequence number that the decision was made on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec

from triage.errors import StoreRefused
from triage.store import elastic_documents as documents
from triage.store.base import Identity, Stage
from triage.store.elastic_analysis import ElasticAnalysis
from triage.store.elastic_client import Action, Cluster, Query
from triage.store.elastic_mentions import MentionIndices
from triage.store.elastic_published import PublishedIndices
from triage.store.elastic_setup import Indices
from triage.store.elastic_shelf import ElasticShelf
from triage.store.elastic_tickets import TicketIndices
from triage.store.elastic_upkeep import check_month, keep_snapshot
from triage.store.elastic_vectors import ElasticVectors
from triage.store.records import BadRecord, check_id, ledger_key
from triage.ticket import OPEN


def _now() -> datetime:
    return datetime.now(UTC)


class ElasticStore(
    MentionIndices, TicketIndices, PublishedIndices, ElasticShelf, ElasticAnalysis, ElasticVectors
):
    """`triage.store.base.Store` in one Elasticsearch cluster.

    ``clock`` dates the documents whose record has no time of its own.
    """

    name = "elasticsearch"

    def __init__(
        self, cluster: Cluster, prefix: str = "outcry", clock: Callable[[], datetime] = _now
    ) -> None:
        self._cluster = cluster
        self._indices = Indices(cluster, prefix)
        self._clock = clock

    def setup(self) -> None:
        self._indices.setup()
        self._set_up_shelf()
        self._set_up_published()

    def check(self) -> str:
        return self._indices.check()

    def prepare(self, at: datetime) -> str:
        line = check_month(self._cluster, self._indices, f"{at:%Y.%m}")
        self._indices.there(f"{self._analysis('mentions')}-{at:%Y.%m}")
        return line

    def snapshot(self, to: str, name: str, keep: int) -> None:
        keep_snapshot(self._cluster, self._indices.prefix, to, name, keep)

    def close(self) -> None:
        self._cluster.close()

    def together(self) -> AbstractContextManager[None]:
        return nullcontext()  # It has no transactions.

    def delete_mentions(self, uids: Sequence[str]) -> tuple[str, ...]:
        deleted = super().delete_mentions(uids)
        self._remove(self._unpublish("vectors", uids))
        return deleted

    # who

    def save_identities(self, identities: Sequence[Identity]) -> None:
        now = self._clock()
        self._put(
            self._indices.identities,
            [(who.customer, who) for who in identities],
            lambda who: documents.document(who, now),
        )

    def identities(self, customers: Sequence[str]) -> dict[str, Identity]:
        found = self._cluster.get(self._indices.identities, customers)
        return {id: msgspec.convert(hit["_source"], Identity) for id, hit in found.items()}

    # bookkeeping

    def save_ledger(self, rows: Sequence[Mapping[str, Any]]) -> None:
        now = self._clock()
        self._put(
            self._indices.ledger,
            [(documents.digest(*ledger_key(row)), row) for row in rows],
            lambda row: documents.row_document("ledger", row, row.get("finished_at") or now),
        )

    def save_rejects(self, rows: Sequence[Mapping[str, Any]]) -> None:
        now = self._clock()
        self._put(
            self._indices.rejects,
            [(row["id"], row) for row in rows],
            lambda row: documents.row_document("rejects", row, row.get("at") or now),
        )

    def _put(
        self, index: str, rows: Sequence[tuple[str, Any]], make: Callable[[Any], bytes]
    ) -> None:
        """Insert or replace; the good rows first, then complain of the first bad one."""
        self._indices.ready()
        good, bad = [], []
        for id, row in rows:
            try:
                check_id(id)
                good.append(Action(op="index", index=index, id=id, body=make(row)))
            except BadRecord as error:
                bad.append(f"{index}: {ascii(id)[:80]} {error}")
        for action, outcome in zip(good, self._cluster.bulk(good), strict=True):
            if outcome.state == "refused":
                bad.append(f"{index}: {action.id} {outcome.reason}")
        if bad:
            raise StoreRefused(f"{bad[0]}; the other rows are stored")

    def done(self, stage: Stage, parts: Sequence[str]) -> set[str]:
        ids = {documents.digest(stage, part): part for part in parts}
        found = self._cluster.get(self._indices.progress, ids, source=False)
        return {ids[id] for id in found}

    def mark(self, stage: Stage, parts: Sequence[str]) -> None:
        now = self._clock()
        self._put(
            self._indices.progress,
            [(documents.digest(stage, part), {"stage": stage, "part": part}) for part in parts],
            lambda row: documents.row_document("progress", row, now),
        )

    def unmark(self, parts: Sequence[str]) -> None:
        index = self._indices.progress
        self._cluster.bulk(
            [
                Action(op="delete", index=index, id=documents.digest(stage, part))
                for stage in get_args(Stage)
                for part in parts
            ]
        )

    def counts(self) -> dict[str, int]:
        indices = self._indices
        everything: Query = documents.EVERYTHING
        deleted: Query = {"term": {"deleted": True}}
        asked = {
            "mentions": (indices.mentions, {"bool": {"must_not": deleted}}),
            "deleted": (indices.mentions, deleted),
            "tickets": (indices.tickets, everything),
            "open": (indices.tickets, documents.terms("handling.status", OPEN)),
            "identities": (indices.identities, everything),
            "ledger": (indices.ledger, everything),
            "rejects": (indices.rejects, everything),
        }
        self._cluster.refresh(
            indices.every_month,
            indices.tickets,
            indices.identities,
            indices.ledger,
            indices.rejects,
        )
        return {name: self._cluster.count(index, query) for name, (index, query) in asked.items()}
