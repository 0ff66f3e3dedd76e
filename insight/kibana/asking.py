"""What the panels ask, asked of a deployment's Elasticsearch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from insight.kibana.errors import KibanaError, KibanaRefused, KibanaUnavailable
from insight.kibana.files import Saved, indices_of, urls_of
from insight.kibana.kql import elastic, parse
from insight.kibana.queries import Rows, Span, ask, read
from triage.errors import StoreError, StoreUnavailable
from triage.store.elastic_client import Cluster

Search = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""Puts a search to the indices of a pattern; gives Elasticsearch's answer."""


class Asker:
    """The panels of a set of objects, and a way to put their questions."""

    def __init__(self, objects: Sequence[Saved], search: Search, prefix: str = "outcry") -> None:
        self._views = {one.id: one for one in objects if one.type == "index-pattern"}
        self._search = search
        self._prefix = prefix

    def index(self, panel: Saved) -> str:
        """The indices that a Lens panel or a search looks at."""
        return indices_of(self._views[panel.references[0]["id"]], self._prefix)

    def lens(self, panel: Saved, span: Span) -> Rows:
        """The rows of a Lens panel.

        Raises:
            KibanaError: with the panel's title, if Elasticsearch refuses the question.
        """
        asked = ask(panel, span)
        return read(panel, [(by, self._put(panel, self.index(panel), body)) for by, body in asked])

    def hits(self, panel: Saved, span: Span, size: int = 50) -> list[dict[str, Any]]:
        """The newest documents of a Discover session, with the columns that it shows."""
        source = panel.attributes["kibanaSavedObjectMeta"]["searchSourceJSON"]
        body = {
            "size": size,
            "query": _within(span, elastic(parse(source["query"]["query"]), span.now)),
            "sort": [{name: direction} for name, direction in panel.attributes["sort"]],
            "_source": panel.attributes["columns"],
        }
        answer = self._put(panel, self.index(panel), body)
        return [hit["_source"] for hit in answer["hits"]["hits"]]

    def vega(self, panel: Saved, span: Span) -> list[Mapping[str, Any]]:
        """The answers to each question of a Vega panel, in their order."""
        answers = []
        for url in urls_of(panel):
            index = url["index"].replace("outcry-", f"{self._prefix}-", 1)
            body = {**json.loads(json.dumps(url["body"])), "query": _within(span)}
            answers.append(self._put(panel, index, body))
        return answers

    def anything(self, panel: Saved, span: Span) -> int:
        """How many rows the panel would show, whatever kind it is."""
        if panel.type == "lens":
            return len(self.lens(panel, span))
        if panel.type == "search":
            return len(self.hits(panel, span))
        return len(self.vega(panel, span))

    def _put(self, panel: Saved, index: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return self._search(index, body)
        except KibanaError as error:
            raise type(error)(f"{panel.title}: {error}") from None


def _within(span: Span, *more: Mapping[str, Any]) -> dict[str, Any]:
    within = {"gte": span.start.isoformat(), "lt": span.end.isoformat()}
    return {"bool": {"filter": [{"range": {"@timestamp": within}}, *more]}}


def last_days(days: float, now: datetime | None = None) -> Span:
    """The stretch that ends now."""
    end = now or datetime.now(UTC)
    return Span(end - timedelta(days=days), end)


def cluster_search(cluster: Cluster) -> Search:
    """Puts searches to a cluster; each is worked out, no answer is remembered."""

    def search(index: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            answer = cluster.call(
                lambda client: client.search(
                    index=index,
                    body=dict(body),
                    allow_partial_search_results=False,
                    request_cache=False,
                )
            )
        except StoreUnavailable as error:
            raise KibanaUnavailable(str(error)) from error
        except StoreError as error:
            raise KibanaRefused(str(error)) from error
        found: Mapping[str, Any] = answer
        return found

    return search


def live_problems(
    objects: Sequence[Saved], cluster: Cluster, prefix: str, days: float = 7
) -> list[str]:
    """What a deployment's Elasticsearch says against any panel, each with its title in front."""
    asker = Asker(objects, cluster_search(cluster), prefix)
    span = last_days(days)
    found = []
    for one in objects:
        try:
            if one.type == "index-pattern":
                index = indices_of(one, prefix)
                known = cluster.call(lambda client: client.field_caps(index=index, fields="*"))  # noqa: B023
                missing = sorted(set(one.attributes["fieldAttrs"]) - set(known["fields"]))
                if missing:
                    found.append(
                        f"{one.title}: {index} lacks {', '.join(missing)}; run 'outcry triage' once"
                    )
            elif one.type != "dashboard":
                asker.anything(one, span)
        except (KibanaError, StoreError) as error:
            found.append(f"{one.title}: {error}".replace(f"{one.title}: {one.title}", one.title))
    return found
