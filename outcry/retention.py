"""Removes what a source may no longer keep."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from listeners.erase import Erased, erase
from listeners.mention import Mention, Record
from outcry.settings import Settings
from triage.casework import fold_cases
from triage.publishing import publish
from triage.store.base import Store
from triage.store.records import EPOCH, batches

BATCH = 500


class Retained(msgspec.Struct, kw_only=True):
    """What retention removed."""

    records: int = 0
    files: int = 0
    mentions: int = 0
    identities: int = 0


def retain(settings: Settings, store: Store, now: datetime) -> Retained:
    """Remove what was said longer ago than its source may be kept; idempotent.

    Raw, scored and rejected lines go from the landing zone; the store's mentions become
    tombstones, their cases are folded again, and who has nothing left there leaves the vault.
    What people decided about a ticket stays.
    """
    done = Retained()
    if not settings.retention:
        return done

    def over(source: str, at: datetime) -> bool:
        days = settings.retention.get(source, settings.retention.get("*"))
        return days is not None and at < now - timedelta(days=days)

    def doomed(record: Record) -> bool:
        at = record.created_at if isinstance(record, Mention) else record.seen_at
        return over(record.source, at)

    erased: Erased = erase(settings.landing, doomed, lambda line: line)
    done.records, done.files = erased.records, erased.files
    longest = min(settings.retention.values())
    uids: list[str] = []
    customers: set[str] = set()
    for row in store.mentions_between(EPOCH, now - timedelta(days=longest)):
        if not row.deleted and over(row.source, row.created_at):
            uids.append(row.uid)
            customers |= {row.customer} if row.customer else set()
    for some in batches(uids, BATCH):
        done.mentions += len(store.delete_mentions(some))
        store.unshelve("reference", some)
        fold_cases(store, some, settings.rules, now)
    alone = sorted(c for c in customers if not store.posts_of_customers([c], limit=1))
    store.erase([], [], alone)
    done.identities = len(alone)
    if uids:
        publish(store, settings.rules)
        store.scrub()
    return done
