"""Which thread a mention belongs to: the uid of the thread's first known item.

An item that answers something unknown belongs to the unknown item's thread, so that the thread
has its name before its beginning turns up. An announcement by the brand that starts a thread
does not bind those who answer it: each direct answer by a customer starts a thread of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from triage.store.base import Store, StoredMention


def settle(store: Store, uids: Sequence[str]) -> None:
    """Give the stored mentions of these uids their thread, and those that hung on them theirs.

    Idempotent, and right for everything stored so far: whatever order mentions arrive in,
    once each has been settled after it was stored, every thread is what `thread_of` says.
    Some thousand answers that the brand gives to itself at the head of one thread are too many.
    """
    rows = store.mentions(uids)
    _settle(store, rows, rows.values())
    moved = [uid for uid, row in rows.items() if thread_of(uid, rows) != uid or row.owner]
    while moved:
        hanging = store.members(moved)
        changed = _settle(store, rows, hanging)
        moved = sorted({row.thread for row in hanging if row.uid in changed})


def thread_of(uid: str, rows: Mapping[str, StoredMention]) -> str:
    """The thread of a mention in ``rows``, which hold all of its known ancestors."""
    path = [uid]
    seen = {uid}
    while (parent := answered(rows[path[-1]])) is not None:
        if parent in seen:
            return min(path[path.index(parent) :])
        path.append(parent)
        seen.add(parent)
        if parent not in rows:
            return parent
    return next((step for step in reversed(path) if not rows[step].owner), path[-1])


def answered(row: StoredMention) -> str | None:
    """The uid that it answers; None for what an agent has taken out of its thread."""
    return None if row.alone else row.parent


def _settle(
    store: Store, known: dict[str, StoredMention], rows: Iterable[StoredMention]
) -> set[str]:
    """Set the threads of these rows where they are wrong; returns the uids that changed."""
    rows = list(rows)
    known.update((row.uid, row) for row in rows)
    _load_ancestors(store, known, rows)
    changed = {row.uid: thread_of(row.uid, known) for row in rows}
    changed = {uid: thread for uid, thread in changed.items() if thread != known[uid].thread}
    if changed:
        store.set_threads(changed)
    return set(changed)


def _load_ancestors(
    store: Store, known: dict[str, StoredMention], rows: Sequence[StoredMention]
) -> None:
    asked: set[str] = set()
    level: Iterable[StoredMention] = rows
    while True:
        wanted = {parent for row in level if (parent := answered(row))} - known.keys() - asked
        if not wanted:
            return
        asked |= wanted
        found = store.mentions(sorted(wanted))
        known.update(found)
        level = found.values()
