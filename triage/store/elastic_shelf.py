"""`triage.store.shelf.Shelf` in Elasticsearch: three indices beside those of the tickets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from triage.errors import StoreRefused
from triage.store import elastic_documents as documents
from triage.store.base import Refusal, Saved, StoredMention, Written
from triage.store.elastic_client import Action, Cluster, Hit
from triage.store.elastic_documents import Sort, terms
from triage.store.elastic_setup import Indices, mapping
from triage.store.records import EPOCH, BadRecord, batches, micros, plain_json, refusal
from triage.store.shelf import SHELVES, Keep, Kept, Kind
from triage.store.shelf_records import bare, checked_body

VERSION = 1
"""Of ``mappings/shelf.json``."""
BATCH = 500
PUBLISHED: dict[Kind, str] = {"incident": "incidents", "label": "outcomes"}
"""What analysts read of a kind: see `triage.store.elastic_published`."""
BY_AT: Sort = ({"micros.at": "asc"}, {"id": "asc"})


class ElasticShelf:
    """Composed into `triage.store.elastic.ElasticStore`."""

    _cluster: Cluster
    _indices: Indices

    def _set_up_shelf(self) -> None:
        names = sorted({self._shelf_index(kind) for kind in SHELVES})
        found = self._cluster.call(lambda client: client.indices.exists(index=names))
        if found:
            return
        for name in names:
            self._put_shelf_template(name)
            self._indices.create(name)

    def _put_shelf_template(self, name: str) -> None:
        template = {
            "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1"},
            "mappings": mapping("shelf"),
        }
        self._cluster.call(
            lambda client: client.indices.put_index_template(
                name=name,
                index_patterns=[name],
                template=template,
                priority=300,
                version=VERSION,
                meta={"description": "Outcry: records beside the tickets"},
            )
        )

    def _shelf_index(self, kind: Kind) -> str:
        return f"{self._indices.prefix}-{SHELVES[kind]}"

    def shelve(self, kind: Kind, keeps: Sequence[Keep]) -> Written:
        self._indices.ready()
        became: list[str | Refusal] = ["conflict"] * len(keeps)
        last_of_key: dict[str, int] = {}
        actions: dict[int, Action] = {}
        for position, keep in enumerate(keeps):
            if keep.key in last_of_key:
                continue  # of two of one key in one call the second has lost already
            last_of_key[keep.key] = position
            try:
                action = self._shelf_action(kind, keep)
            except BadRecord as error:
                became[position] = refusal(keep.key, error)
                continue
            if action is not None:
                actions[position] = action
        outcomes = self._cluster.bulk(list(actions.values()))
        for (position, action), outcome in zip(actions.items(), outcomes, strict=True):
            if outcome.state == "refused":
                became[position] = refusal(keeps[position].key, outcome.reason)
            elif outcome.state == "done" or (outcome.repeated and self._cluster.holds(action)):
                became[position] = "done"
        keys = [keep.key for keep in keeps]
        return Written(
            done=tuple(k for k, state in zip(keys, became, strict=True) if state == "done"),
            conflicts=tuple(
                k for k, state in zip(keys, became, strict=True) if state == "conflict"
            ),
            refused=tuple(state for state in became if isinstance(state, Refusal)),
        )

    def _shelf_action(self, kind: Kind, keep: Keep) -> Action | None:
        body = checked_body(keep)
        document = plain_json(
            {
                "@timestamp": keep.at,
                "id": f"{kind}/{keep.key}",
                "kind": kind,
                "key": keep.key,
                "group": keep.group,
                "micros": {"at": micros(keep.at)},
                "record": msgspec.Raw(body),
            }
        )
        index, id = self._shelf_index(kind), f"{kind}/{keep.key}"
        if keep.version is None:
            return Action(op="create", index=index, id=id, body=document)
        seen = documents.seen(keep.version)
        return seen and Action(op="index", index=index, id=id, body=document, seen=seen)

    def shelved(self, kind: Kind, keys: Sequence[str]) -> dict[str, Kept]:
        ids = [f"{kind}/{key}" for key in keys]
        found = self._cluster.get(self._shelf_index(kind), ids)
        kept = map(_kept, found.values())
        return {one.key: one for one in kept}

    def shelf(
        self, kind: Kind, group: str | None = None, since: datetime | None = None
    ) -> Iterator[Kept]:
        index = self._shelf_index(kind)
        filters: list[Any] = [terms("kind", [kind])]
        if group is not None:
            filters.append(terms("group", [group]))
        if since is not None:
            filters.append({"range": {"micros.at": {"gte": micros(since)}}})
        self._cluster.refresh(index)
        yield from map(_kept, self._cluster.hits(index, {"bool": {"filter": filters}}, BY_AT))

    def unshelve(self, kind: Kind, keys: Sequence[str]) -> None:
        index, ids = self._shelf_index(kind), [f"{kind}/{key}" for key in keys]
        self._remove([Action(op="delete", index=index, id=id) for id in ids])
        if kind in PUBLISHED:
            self._remove(self._unpublish(PUBLISHED[kind], ids))

    def _remove(self, actions: Sequence[Action]) -> None:
        for action, outcome in zip(actions, self._cluster.bulk(list(actions)), strict=True):
            if outcome.state == "refused":
                raise StoreRefused(f"{action.id} could not be removed: {outcome.reason}")

    def mentions_between(self, start: datetime, end: datetime) -> Iterator[StoredMention]:
        within = {"range": {"micros.created_at": {"gte": micros(start), "lt": micros(end)}}}
        self._cluster.refresh(self._indices.every_month)
        hits = self._cluster.hits(self._indices.mentions, within, documents.BY_CREATED)
        yield from map(documents.mention_of, hits)

    # forgetting

    def _unpublish(self, kind: str, ids: Sequence[str]) -> list[Action]:
        raise NotImplementedError

    def _change(self, wanted: Any, decide: Any) -> Saved:
        raise NotImplementedError

    def erase(self, uids: Sequence[str], tickets: Sequence[str], customers: Sequence[str]) -> None:
        indices = self._indices
        self._change({uid: uid for uid in uids}, bare)
        self._cluster.refresh(indices.events, always=True)
        for some in batches(tickets, BATCH):
            hits = self._cluster.hits(indices.events, terms("ticket", some), documents.BY_AT)
            found = [hit["_id"] for hit in hits]
            self._remove([Action(op="delete", index=indices.events, id=id) for id in found])
            self._remove([Action(op="delete", index=indices.tickets, id=id) for id in some])
            self._remove(self._unpublish("ticket-events", some))
            self._remove(self._unpublish("tickets", some))
        for some in batches(uids, BATCH):
            self._remove(self._unpublish("mentions", some))
            self._remove(self._unpublish("vectors", some))
        self._remove(
            [Action(op="delete", index=indices.identities, id=customer) for customer in customers]
        )

    def every_document(self) -> Iterator[tuple[str, str, bytes]]:
        everything = f"{self._indices.prefix}-*"
        self._cluster.refresh(everything, always=True)
        point = self._cluster.call(
            lambda client: client.open_point_in_time(index=everything, keep_alive="5m")
        )["id"]
        after: Sequence[Any] | None = None
        try:
            while True:
                page = self._page_at(point, after)
                for hit in page:
                    yield hit["_index"], hit["_id"], msgspec.json.encode(hit["_source"])
                if len(page) < BATCH:
                    return
                after = page[-1]["sort"]
        finally:
            self._cluster.call(lambda client: client.close_point_in_time(id=point))

    def _page_at(self, point: str, after: Sequence[Any] | None) -> list[Hit]:
        answer = self._cluster.call(
            lambda client: client.search(
                pit={"id": point, "keep_alive": "5m"},
                sort=[{"_shard_doc": "asc"}],
                size=BATCH,
                search_after=after,
                track_total_hits=False,
                allow_partial_search_results=False,
            )
        )
        found: list[Hit] = answer["hits"]["hits"]
        return found

    def scrub(self) -> None:
        """Merge each index into one segment, which leaves removed documents behind."""
        everything = f"{self._indices.prefix}-*"
        self._cluster.call(lambda client: client.indices.flush(index=everything))
        self._cluster.call(
            lambda client: client.indices.forcemerge(index=everything, max_num_segments=1)
        )


def _kept(hit: Hit) -> Kept:
    source = hit["_source"]
    return Kept(
        key=source["key"],
        group=source["group"],
        at=EPOCH + timedelta(microseconds=source["micros"]["at"]),
        version=f"{hit['_seq_no']}.{hit['_primary_term']}",
        body=msgspec.json.encode(source["record"]),
    )
