"""Templates and indices of one prefix: strict mappings, one template for each kind."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

from elasticsearch import BadRequestError, NotFoundError

from triage.errors import StoreRefused, StoreUnavailable
from triage.store.elastic_client import Cluster
from triage.store.elastic_errors import wrong_server

VERSION = 4
"""Of the templates; raised whenever `SETTINGS` or a file in ``mappings`` changes."""

KINDS = (
    "mentions",
    "families",
    "identities",
    "tickets",
    "ticket-events",
    "ledger",
    "rejects",
    "progress",
)
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "tickets": {
        "sort.field": ["priority", "micros.sla_due", "ticket"],
        "sort.order": ["desc", "asc", "asc"],
    }
}
"""Of indices: tickets lie as the queue reads them, so that a page ends where it is full.

An index that is older keeps the order that it has: the queue is the same, and slower.
"""
UNDATED = "undated"
"""The mentions' index for what has no believable time."""


class Indices:
    """Names of the indices of one prefix, and how they come to be."""

    def __init__(self, cluster: Cluster, prefix: str) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,99}", prefix):
            raise StoreRefused(
                f"the index prefix {prefix!r} must be of lower-case letters, digits, - and _"
            )
        self._cluster = cluster
        self.prefix = prefix
        self._known: set[str] = set()
        self.mentions = f"{prefix}-mentions"
        """The alias over every month."""
        self.every_month = f"{prefix}-mentions-*"
        self.families = f"{prefix}-families"
        self.identities = f"{prefix}-identities"
        self.tickets = f"{prefix}-tickets"
        self.events = f"{prefix}-ticket-events"
        self.ledger = f"{prefix}-ledger"
        self.rejects = f"{prefix}-rejects"
        self.progress = f"{prefix}-progress"

    def setup(self) -> None:
        """Templates, then indices; what is there already is brought up to date."""
        indices = {
            kind: f"{self.prefix}-{kind}-{UNDATED}"
            if kind == "mentions"
            else f"{self.prefix}-{kind}"
            for kind in KINDS
        }
        if not (self._stored_version() == VERSION and self._exist(list(indices.values()))):
            for kind in KINDS:
                self._put_template(kind)
            for kind, index in indices.items():
                self.create(index)
                self._update_mapping(kind)
        self._known.add("")

    def ready(self) -> None:
        """Make sure that they were set up: a write must never create an index by guess.

        Raises:
            StoreRefused: if they were not, or by another version of Outcry.
        """
        if "" in self._known:
            return
        if self._stored_version() != VERSION:
            raise StoreRefused(
                f"the indices {self.prefix}-* at {self._cluster.address} are missing or not up "
                "to date: set the store up first"
            )
        self._known.add("")

    def month(self, name: str) -> str:
        """The mentions' index of a month, created if it is new."""
        return self.there(f"{self.mentions}-{name}")

    def there(self, index: str) -> str:
        """An index by its template, created if it is new; its name."""
        if index not in self._known:
            self.create(index)
            self._known.add(index)
        return index

    def check(self) -> str:
        """One line about a cluster that can serve these indices."""
        health = self._cluster.call(
            lambda client: client.cluster.health(index=f"{self.prefix}-*", timeout="5s")
        )
        nodes = self._cluster.call(
            lambda client: client.nodes.info(metric="os", filter_path="nodes.*.version")
        )
        versions = sorted(node["version"] for node in nodes["nodes"].values())
        if any(int(version.split(".")[0]) < 9 for version in versions):
            raise wrong_server(self._cluster.address, f"a node has version {versions[0]}")
        if health["status"] == "red":
            raise StoreUnavailable(
                f"indices {self.prefix}-* of Elasticsearch at {self._cluster.address} lack a "
                "primary shard (red): look at the cluster, then run again"
            )
        self.ready()
        return (
            f"elasticsearch {versions[0]} at {self._cluster.address}, "
            f"indices {self.prefix}-*, {health['status']}"
        )

    def _stored_version(self) -> int:
        """Version of the stored templates; 0 if any of them is missing."""
        try:
            found = self._cluster.call(
                lambda client: client.indices.get_index_template(name=f"{self.prefix}-*")
            )
        except StoreRefused as error:
            if isinstance(error.__cause__, NotFoundError):
                return 0
            raise
        stored = {one["name"]: one["index_template"] for one in found["index_templates"]}
        versions = [
            int(stored.get(f"{self.prefix}-{kind}", {}).get("version", 0)) for kind in KINDS
        ]
        if max(versions) > VERSION:
            raise StoreRefused(
                f"the indices {self.prefix}-* at {self._cluster.address} were made by a newer "
                "Outcry: upgrade this one"
            )
        return min(versions)

    def _put_template(self, kind: str) -> None:
        name = f"{self.prefix}-{kind}"
        aliases: Mapping[str, Any] = {name: {}} if kind == "mentions" else {}
        self.put_template(
            name, kind, mapping(kind), f"Outcry: {kind}", VERSION, aliases, SETTINGS.get(kind)
        )

    def put_template(
        self,
        name: str,
        kind: str,
        mappings: Mapping[str, Any],
        description: str,
        version: int,
        aliases: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the template of an index; mentions have an index a month."""
        template: dict[str, Any] = {
            "settings": {
                "number_of_shards": 1,
                "auto_expand_replicas": "0-1",
                **(settings or {}),
            },
            "mappings": mappings,
        }
        if aliases:
            template["aliases"] = aliases
        self._cluster.call(
            lambda client: client.indices.put_index_template(
                name=name,
                index_patterns=[f"{name}-*" if kind == "mentions" else name],
                template=template,
                priority=300,
                version=version,
                meta={"description": description},
            )
        )

    def create(self, index: str) -> None:
        """Create an index by its template; another process may have been faster."""
        try:
            self._cluster.call(lambda client: client.indices.create(index=index))
        except StoreRefused as error:
            cause = error.__cause__
            if not (
                isinstance(cause, BadRequestError)
                and cause.error == "resource_already_exists_exception"
            ):
                raise

    def _exist(self, indices: list[str]) -> bool:
        found: bool = self._cluster.call(lambda client: client.indices.exists(index=indices))
        return found

    def _update_mapping(self, kind: str) -> None:
        """New fields for indices that are older than they; nothing changes for the others."""
        fields = mapping(kind)
        self._cluster.call(
            lambda client: client.indices.put_mapping(
                index=f"{self.prefix}-{kind}",
                dynamic=fields["dynamic"],
                properties=fields["properties"],
            )
        )


def mapping(kind: str) -> dict[str, Any]:
    """The strict mapping of one kind of document."""
    file = resources.files("triage.store") / "mappings" / f"{kind}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
