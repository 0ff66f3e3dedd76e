"""`triage.store.analysis.Analysis` in Elasticsearch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from triage.store import elastic_documents as documents
from triage.store.analysis import FACETS, PREFIX, Hit, Hits, How, SearchFilter, no_hits, terms_of
from triage.store.elastic_client import Cluster, Query
from triage.store.elastic_documents import Sort, terms
from triage.store.elastic_setup import Indices
from triage.store.records import micros
from triage.ticket import Event

BATCH = 500
_BY_TARGET: Sort = ({"source": "asc"}, {"target": "asc"}, {"window": "asc"})
_BY_ID: Sort = ({"id": "asc"},)
_MOST_VALUES = 1000
"""Values of one facet that are counted."""


class ElasticAnalysis:
    """Composed into `triage.store.elastic.ElasticStore`."""

    _cluster: Cluster
    _indices: Indices

    def all_events(self) -> Iterator[Event]:
        """See `triage.store.analysis.Analysis`.

        Of a ticket whose last writer died at once, the last change is in its outbox alone
        until the ticket changes again; those come from there.
        """
        index = self._indices.events
        self._cluster.refresh(index, self._indices.tickets)
        waiting = self._in_outboxes()
        for hit in self._cluster.hits(index, documents.EVERYTHING, documents.BY_AT):
            event = msgspec.convert(hit["_source"], Event)
            while waiting and (waiting[0].at, waiting[0].id) < (event.at, event.id):
                yield waiting.pop(0)
            yield event
        yield from waiting

    def _in_outboxes(self) -> list[Event]:
        """Events that no index of events has yet, by (at, id): there are few, if any."""
        found: list[Event] = []
        hits = self._cluster.hits(self._indices.tickets, documents.EVERYTHING, documents.BY_TICKET)
        while some := list(islice(hits, BATCH)):
            events = {event.id: event for hit in some for event in documents.outbox_of(hit)}
            known = self._cluster.get(self._indices.events, events, source=False)
            found += [event for id, event in events.items() if id not in known]
        return sorted(found, key=lambda event: (event.at, event.id))

    def ledger_rows(self) -> Iterator[Mapping[str, Any]]:
        return self._rows_in(self._indices.ledger, _BY_TARGET)

    def reject_rows(self) -> Iterator[Mapping[str, Any]]:
        return self._rows_in(self._indices.rejects, _BY_ID)

    def _rows_in(self, index: str, sort: Sort) -> Iterator[Mapping[str, Any]]:
        self._cluster.refresh(index)
        for hit in self._cluster.hits(index, documents.EVERYTHING, sort):
            row = dict(hit["_source"])
            del row["@timestamp"]
            other = row.pop("other", {})
            yield {**row, **other}

    def search(self, words: str, how: How, wanted: SearchFilter, limit: int) -> Hits:
        asked = terms_of(words)
        if not asked:
            return no_hits()
        self._cluster.refresh(self._indices.every_month)
        counts = {name: {"terms": {"field": name, "size": _MOST_VALUES}} for name in FACETS}
        missing = {f"no {name}": {"missing": {"field": name}} for name in FACETS}
        answer = self._cluster.call(
            lambda client: client.search(
                index=self._indices.mentions,
                query=_query(asked, how, wanted),
                sort=[{"_score": "desc"}, {"uid": "asc"}],
                size=limit,
                source=False,
                aggs={**counts, **missing},
                track_total_hits=True,
                allow_partial_search_results=False,
            )
        )
        found = answer["hits"]
        return Hits(
            best=tuple(Hit(uid=hit["_id"], score=hit["_score"]) for hit in found["hits"]),
            total=found["total"]["value"],
            facets={name: _counted(answer["aggregations"], name) for name in FACETS},
        )


def _query(asked: list[str], how: How, wanted: SearchFilter) -> Query:
    matching = [{"multi_match": {"query": term, **_match(how)}} for term in asked]
    filters: list[Query] = [{"term": {"deleted": False}}]
    filters += [terms(field, values) for field, values in wanted.chosen().items()]
    if wanted.since is not None:
        filters.append({"range": {"micros.created_at": {"gte": micros(wanted.since)}}})
    return {"bool": {"must": matching, "filter": filters}}


def _match(how: How) -> Mapping[str, Any]:
    fields = {"fields": ["title", "text"]}
    if how == "exact":
        return {**fields, "type": "phrase"}
    return {**fields, "fuzziness": "AUTO", "prefix_length": PREFIX, "operator": "and"}


def _counted(answer: Mapping[str, Any], name: str) -> dict[str, int]:
    found = {str(one["key"]): one["doc_count"] for one in answer[name]["buckets"]}
    missing = answer[f"no {name}"]["doc_count"]
    return {**found, "": missing} if missing else found
