"""The mentions' half of the Elasticsearch store: monthly indices behind one alias."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from triage.errors import StoreRefused, StoreUnavailable
from triage.likeness import Sketch
from triage.store import elastic_documents as documents
from triage.store.base import MOST_OF_KEY, Refusal, Saved, StoredMention
from triage.store.elastic_client import Action, Cluster, Hit
from triage.store.elastic_documents import Sort, terms
from triage.store.elastic_setup import Indices
from triage.store.records import (
    BadRecord,
    batches,
    bury,
    isolate,
    mention_json,
    merge,
    move,
    refusal,
)

T = TypeVar("T")
BATCH = 500
PAGE = 1000
ROUNDS = 5
"""How often a decision about a mention is made again because others changed it meanwhile."""


class MentionIndices:
    """The methods of `triage.store.base.Store` about mentions."""

    def __init__(self, cluster: Cluster, indices: Indices, clock: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._indices = indices
        self._clock = clock

    def save_mentions(self, rows: Sequence[StoredMention]) -> Saved:
        return self._change({row.uid: row for row in rows}, merge)

    def delete_mentions(self, uids: Sequence[str]) -> tuple[str, ...]:
        wanted = {uid: uid for uid in uids}
        changed = self._change(wanted, bury)
        return tuple(uid for uid in wanted if uid in {*changed.new, *changed.changed})

    def set_threads(self, threads: Mapping[str, str]) -> None:
        refused = self._change(threads, move).refused
        if refused:
            raise StoreRefused(f"thread of mention {refused[0].id}: {refused[0].reason}")

    def set_alone(self, uids: Sequence[str], alone: bool) -> None:
        self._change(dict.fromkeys(uids, alone), isolate)

    def _change(
        self,
        wanted: Mapping[str, T],
        decide: Callable[[StoredMention | None, T], StoredMention | None],
    ) -> Saved:
        """Read, decide, write if nobody came between; else again."""
        became: dict[str, str | Refusal] = {}
        self._indices.ready()
        self._cluster.refresh(self._indices.every_month, always=True)
        for uids in batches(list(wanted), BATCH):
            left = list(uids)
            for _ in range(ROUNDS):
                left = self._change_once({uid: wanted[uid] for uid in left}, decide, became)
                if not left:
                    break
                self._cluster.refresh(self._indices.every_month, always=True)
            else:
                raise StoreUnavailable(
                    f"mention {left[0]} is changed by others all the time: run again later"
                )
        return Saved(
            new=tuple(uid for uid in wanted if became[uid] == "new"),
            changed=tuple(uid for uid in wanted if became[uid] == "changed"),
            unchanged=tuple(uid for uid in wanted if became[uid] == "unchanged"),
            refused=tuple(one for uid in wanted if isinstance(one := became[uid], Refusal)),
        )

    def _change_once(
        self,
        wanted: Mapping[str, T],
        decide: Callable[[StoredMention | None, T], StoredMention | None],
        became: dict[str, str | Refusal],
    ) -> list[str]:
        """Those to decide again."""
        known = self._find(list(wanted))
        actions = []
        for uid, given in wanted.items():
            hit = known.get(uid)
            row = decide(documents.mention_of(hit) if hit else None, given)
            if row is None:
                became[uid] = "unchanged"
                continue
            try:
                actions.append(self._mention_action(row, hit))
            except BadRecord as error:
                became[uid] = refusal(uid, error)
        again = []
        for action, outcome in zip(actions, self._cluster.bulk(actions), strict=True):
            if outcome.state == "conflict":
                again.append(action.id)
            elif outcome.state == "refused":
                became[action.id] = refusal(action.id, outcome.reason)
            else:
                became[action.id] = "new" if action.op == "create" else "changed"
        return again

    def _mention_action(self, row: StoredMention, hit: Hit | None) -> Action:
        body = documents.mention_document(row, mention_json(row))
        if hit is None:
            index = self._indices.month(documents.month_of(row))
            return Action(op="create", index=index, id=row.uid, body=body)
        # It stays in its index even if the month that it claims has changed.
        version = (hit["_seq_no"], hit["_primary_term"])
        return Action(op="index", index=hit["_index"], id=row.uid, body=body, seen=version)

    def _find(self, uids: Sequence[str]) -> dict[str, Hit]:
        """Where each known mention is; a tombstone counts most, should there be two."""
        found: dict[str, Hit] = {}
        hits = self._cluster.hits(self._indices.mentions, terms("uid", uids), documents.BY_CREATED)
        for hit in hits:
            if (uid := hit["_id"]) not in found or hit["_source"]["deleted"]:
                found[uid] = hit
        return found

    def mentions(self, uids: Sequence[str]) -> dict[str, StoredMention]:
        self._cluster.refresh(self._indices.every_month)
        return {
            uid: documents.mention_of(hit)
            for some in batches(list(dict.fromkeys(uids)), BATCH)
            for uid, hit in self._find(some).items()
        }

    def members(self, threads: Sequence[str], limit: int = 5000) -> list[StoredMention]:
        return self._some_of_each("thread", threads, limit, documents.BY_CREATED)

    def copies(self, fingerprints: Sequence[str], limit: int = 20_000) -> list[StoredMention]:
        return self._some_of_each("fingerprint", fingerprints, limit, documents.BY_CREATED)

    def posts_of_customers(self, customers: Sequence[str], limit: int = 500) -> list[StoredMention]:
        last_first = documents.BY_CREATED_LAST_FIRST
        return self._some_of_each("customer", customers, limit, last_first)

    def families(self, keys: Sequence[str]) -> list[Sketch]:
        index = self._indices.families
        self._cluster.refresh(index)
        found = {
            one.fingerprint: one
            for one in self._first_of_each(
                (index, "keys", documents.BY_FINGERPRINT),
                keys,
                MOST_OF_KEY,
                documents.sketch_of,
                lambda one: one.keys,
            )
        }
        return [found[name] for name in sorted(found)]

    def save_families(self, founded: Sequence[Sketch]) -> None:
        self._indices.ready()
        now = self._clock()
        actions = [
            Action(
                op="create",
                index=self._indices.families,
                id=one.fingerprint,
                body=documents.document(one, now),
            )
            for one in founded
        ]
        for action, outcome in zip(actions, self._cluster.bulk(actions), strict=True):
            if outcome.state == "refused":
                raise StoreRefused(f"family {action.id} is refused: {outcome.reason}")

    def drop_families(self, fingerprints: Sequence[str]) -> None:
        index = self._indices.families
        actions = [Action(op="delete", index=index, id=one) for one in fingerprints]
        for action, outcome in zip(actions, self._cluster.bulk(actions), strict=True):
            if outcome.state == "refused":
                raise StoreRefused(f"family {action.id} could not be removed: {outcome.reason}")

    def _some_of_each(
        self, field: str, keys: Sequence[str], limit: int, sort: Sort
    ) -> list[StoredMention]:
        """The first ``limit`` mentions of each key by ``sort``, all of them by time and uid."""
        self._cluster.refresh(self._indices.every_month)
        where = self._indices.mentions, field, sort
        found = self._first_of_each(
            where, keys, limit, documents.mention_of, lambda row: (getattr(row, field),)
        )
        return sorted(found, key=lambda row: (row.created_at, row.uid))

    def _first_of_each(
        self,
        where: tuple[str, str, Sort],
        keys: Sequence[str],
        limit: int,
        read: Callable[[Hit], T],
        keys_of: Callable[[T], Iterable[str]],
    ) -> Iterator[T]:
        """What has any of the keys; of a key, no more than ``limit`` are asked for.

        Args:
            where: an index, its field of keys, and an order that is total.
        """
        index, field, sort = where
        for some in batches(sorted(set(keys)), BATCH):
            left = {key: limit for key in some if limit > 0}
            after: Sequence[Any] | None = None
            while left:
                page = self._cluster.page(index, terms(field, list(left)), sort, PAGE, after)
                for one in map(read, page):
                    asked = [key for key in keys_of(one) if left.get(key, 0) > 0]
                    for key in asked:
                        left[key] -= 1
                    if asked:
                        yield one
                if len(page) < PAGE:
                    break
                after = page[-1]["sort"]
                left = {key: more for key, more in left.items() if more > 0}
