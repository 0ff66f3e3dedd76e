"""What a cluster needs from time to time: a snapshot a night, and an index for the next month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from triage.errors import StoreRefused
from triage.store import elastic_documents as documents
from triage.store.base import StoredMention
from triage.store.elastic_client import Action, Cluster
from triage.store.elastic_setup import Indices
from triage.store.records import bury, mention_json, outdated

SNAPSHOT_S = 3600
"""How long a snapshot may take."""
PROBE = "outcry-probe"
"""Uid of the tombstone that is written and removed to see that a month can be written."""


def keep_snapshot(cluster: Cluster, prefix: str, repository: str, name: str, keep: int) -> None:
    """See `triage.store.base.Store.snapshot`; returns when it is done."""
    known = _snapshots(cluster, repository, f"{prefix}-*")
    if name not in known:
        made = cluster.call(
            lambda client: client.options(request_timeout=SNAPSHOT_S).snapshot.create(
                repository=repository,
                snapshot=name,
                indices=f"{prefix}-*",
                include_global_state=False,
                wait_for_completion=True,
            )
        )["snapshot"]
        known[name] = made["state"]
    if known[name] not in ("SUCCESS", "IN_PROGRESS"):
        raise StoreRefused(
            f"the snapshot {name} in {repository} is {known[name].lower()}: remove it, see to the "
            "node's log, and run again"
        )
    # Those that failed are of no use, but say that somebody has to look: they stay.
    good = [one for one, state in known.items() if state == "SUCCESS"]
    for old in outdated(name, good, keep):
        _remove_snapshot(cluster, repository, old)


def _remove_snapshot(cluster: Cluster, repository: str, name: str) -> None:
    cluster.call(
        lambda client: client.options(request_timeout=SNAPSHOT_S).snapshot.delete(
            repository=repository, snapshot=name
        )
    )


def _snapshots(cluster: Cluster, repository: str, names: str) -> dict[str, str]:
    """State by name."""
    found = cluster.call(
        lambda client: client.snapshot.get(
            repository=repository, snapshot=names, ignore_unavailable=True, verbose=True
        )
    )["snapshots"]
    return {one["snapshot"]: one["state"] for one in found}


def check_month(cluster: Cluster, indices: Indices, month: str) -> str:
    """See `triage.store.base.Store.prepare`; ``month`` is ``2026.12``.

    Raises:
        StoreRefused: if its index was not made by our template, or takes nothing.
    """
    index = indices.month(month)
    made = cluster.call(lambda client: client.indices.get(index=index))[index]
    for fault in _faults(index, indices.mentions, made):
        raise StoreRefused(
            f"the index {index} {fault}, as something else has made it: remove it while it is "
            "empty, or index what it holds anew, and run again"
        )
    tombstone = bury(None, PROBE)
    if tombstone is not None:
        _write_probe(cluster, index, tombstone)
    return f"{index} is behind {indices.mentions} and can be written"


def _faults(index: str, alias: str, made: Mapping[str, Any]) -> list[str]:
    found = []
    if alias not in made["aliases"]:
        found.append(f"is not behind the alias {alias}")
    if made["mappings"].get("dynamic") != "strict":
        found.append("lacks the mapping of our template")
    return found


def _write_probe(cluster: Cluster, index: str, tombstone: StoredMention) -> None:
    row = msgspec.structs.replace(tombstone, source="probe")
    body = documents.mention_document(row, mention_json(row))
    for op in ("index", "delete"):
        action = Action(op=op, index=index, id=PROBE, body=body)
        (outcome,) = cluster.bulk([action])
        if outcome.state != "done":
            raise StoreRefused(
                f"{index} cannot be written ({outcome.reason or outcome.state}): look at the "
                "node's log, and run again"
            )
