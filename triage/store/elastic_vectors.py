"""Vectors of mentions in Elasticsearch: an index of analysts, searched by kNN.

Made by walking the mentions by sequence number, as `triage.store.elastic_published` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from triage import facts
from triage.errors import StoreRefused
from triage.facts import VectorFact
from triage.store import elastic_documents as documents
from triage.store.analysis import Hit, Progress, Read, SearchFilter, words_of
from triage.store.base import StoredMention
from triage.store.elastic_client import Action, Cluster, Query
from triage.store.elastic_client import Hit as Found
from triage.store.elastic_documents import terms
from triage.store.elastic_setup import Indices

MOST: Final = 10_000
"""Hits, and candidates of a search, that Elasticsearch allows."""
CANDIDATES: Final = 1_000
"""Vectors that are looked at at least: more find more of the nearest, and take longer."""


class ElasticVectors:
    """Composed into `triage.store.elastic.ElasticStore`."""

    _cluster: Cluster
    _indices: Indices

    def _analysis(self, kind: str) -> str:
        raise NotImplementedError

    def _shards(self, source: str) -> list[tuple[str, str, int]]:
        raise NotImplementedError

    def _walk(
        self,
        stage: str,
        began: str,
        source: str,
        reached: int,
        query: Query,
        take: Callable[[Sequence[Found]], int],
    ) -> int:
        raise NotImplementedError

    def mentions(self, uids: Sequence[str]) -> dict[str, StoredMention]:
        raise NotImplementedError

    def make_vectors(self, model: str, read: Read, progress: Progress) -> int:
        self._indices.ready()
        self._leave_to(model)
        total = self._cluster.count(self._indices.mentions, {"term": {"deleted": False}})
        done = 0

        def take(page: Sequence[Found]) -> int:
            nonlocal done
            made = self._make(model, read, [documents.mention_of(hit) for hit in page])
            done += made
            progress(min(done, total), total)
            return made

        ((_, target, _),) = self._shards(self._analysis("vectors"))
        for name, uuid, reached in self._shards(self._indices.every_month):
            began = f"{model} {target} {name} {uuid} "
            self._walk("vectors", began, name, reached, documents.EVERYTHING, take)
        return done

    def _leave_to(self, model: str) -> None:
        """An index without the vectors of another model: those may be longer or shorter.

        One that is made anew is filled anew, for the walk notes which one it fills.
        """
        index = self._analysis("vectors")
        self._cluster.refresh(index, always=True)
        mine = {"term": {"model": model}}
        if self._cluster.count(index, {"bool": {"must_not": mine}}) or (
            self._length(index) and not self._cluster.count(index, mine)
        ):
            self._cluster.call(lambda client: client.indices.delete(index=index))
            self._indices.create(index)

    def _length(self, index: str) -> int | None:
        """How long the vectors are; None before there is one."""
        found = self._cluster.call(lambda client: client.indices.get_mapping(index=index))
        length: int | None = found[index]["mappings"]["properties"]["vector"].get("dims")
        return length

    def _make(self, model: str, read: Read, rows: Sequence[StoredMention]) -> int:
        """Vectors of those whose words have none; counts of posts change more often than words."""
        index = self._analysis("vectors")
        wanted = {row.uid: row for row in rows if not row.deleted}
        known = self._cluster.get(index, [row.uid for row in rows])
        new = [
            row
            for uid, row in wanted.items()
            if uid not in known or not _is_of(known[uid]["_source"], model, row)
        ]
        made = zip(new, read([words_of(row) for row in new]) if new else [], strict=True)
        self._send(
            [
                Action(op="index", index=index, id=row.uid, body=_document(model, row, vector))
                for row, vector in made
                if any(vector)  # what has no direction is near to nothing
            ]
        )
        # Whoever was buried or changed meanwhile must not leave a vector behind.
        now = self.mentions([row.uid for row in new])
        gone = [row.uid for row in new if row.uid not in now or now[row.uid].deleted]
        gone += [uid for uid in known if uid not in wanted]
        self._send([Action(op="delete", index=index, id=uid) for uid in gone])
        return len(new)

    def _send(self, actions: Sequence[Action]) -> None:
        for action, outcome in zip(actions, self._cluster.bulk(actions), strict=True):
            if outcome.state == "refused":
                raise StoreRefused(f"vector of mention {action.id}: {outcome.reason}")

    def nearest(
        self, model: str, vector: Sequence[float], wanted: SearchFilter, limit: int
    ) -> tuple[Hit, ...]:
        index, most = self._analysis("vectors"), min(limit, MOST)
        self._cluster.refresh(index)
        of_model = {"term": {"model": model}}
        if not any(vector) or not self._cluster.count(index, of_model):
            return ()
        nearness = {
            "field": "vector",
            "query_vector": list(vector),
            "k": most,
            "num_candidates": min(MOST, max(CANDIDATES, most)),
            "filter": [of_model, *_filters(wanted)],
        }
        answer = self._cluster.call(
            lambda client: client.search(
                index=index,
                knn=nearness,
                size=most,
                sort=[{"_score": "desc"}, {"mention": "asc"}],
                source=False,
                track_total_hits=False,
                allow_partial_search_results=False,
            )
        )
        # Elasticsearch gives (1 + cosine) / 2.
        found = [Hit(uid=hit["_id"], score=2 * hit["_score"] - 1) for hit in answer["hits"]["hits"]]
        return tuple(hit for hit in found if hit.score > 0)


def _document(model: str, row: StoredMention, vector: Sequence[float]) -> bytes:
    fact = VectorFact(
        at=row.created_at,
        mention=row.uid,
        model=model,
        content_hash=row.content_hash,
        source=row.source,
        language=row.language,
        department=row.department,
        vector=tuple(vector),
    )
    return facts.document(fact)


def _is_of(source: dict[str, Any], model: str, row: StoredMention) -> bool:
    """Whether a document is of this model and of these words, and says where they stand."""
    given, wanted = dict(source), msgspec.json.decode(_document(model, row, ()))
    for document in (given, wanted):
        document.pop("vector", None)
    return bool(given == wanted)


def _filters(wanted: SearchFilter) -> list[Query]:
    chosen = [terms(field, values) for field, values in wanted.chosen().items()]
    if wanted.since is not None:
        chosen.append({"range": {"@timestamp": {"gte": wanted.since.isoformat()}}})
    return chosen
