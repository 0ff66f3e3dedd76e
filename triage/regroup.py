"""Undoing a fold: an agent splits a case or merges two, and every replay respects it.

A split sets the mention apart in the store (`StoredMention.alone`): it is taken out of its
thread and its family of copies, and no later fold joins it to its customer's other cases. A
merge gives one ticket the threads of another, which is dismissed as merged; `unmerge` gives
them back. All are safe to repeat after a crash.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from triage import cases, life
from triage.casebook import MERGED, is_merged
from triage.casework import fold_cases
from triage.claims import ATTEMPTS, find, raise_refusals
from triage.errors import Conflict, IllegalMove
from triage.folds import opening_of
from triage.rules import Rules
from triage.store.base import Store, Versioned, Write
from triage.threads import settle
from triage.ticket import Event, EventKind, Ticket, make_event_id, make_ticket_id


def split(
    store: Store,
    name: str,
    uids: Sequence[str],
    agent: str,
    now: datetime,
    rules: Rules,
    words: str = "",
) -> list[Ticket]:
    """Make each of these complaints of a ticket a case of its own; the new tickets.

    Raises:
        NoSuchTicket: if the name fits none.
        IllegalMove: for a post that is not in the ticket, no complaint, or its opening one.
        Conflict, StoreError: run it again.
    """
    entry = find(store, name)
    ticket = entry.ticket
    _check_split(store, ticket, uids, rules)
    members = store.members(ticket.threads)
    store.set_alone(uids, True)
    settle(store, sorted({row.uid for row in members} | set(uids)))
    said = f"{len(uids)} posts are cases of their own{words and f': {words}'}"
    _change_threads(store, ticket.ticket, "split", agent, now, said, without=uids)
    listed = [fold.uid for fold in ticket.mentions]
    fold_cases(store, [*listed, *uids], rules, now)
    return [one.ticket for one in store.tickets_of_threads(sorted(uids)) if _is_live(one)]


def merge(
    store: Store,
    name: str,
    into: str,
    agent: str,
    now: datetime,
    rules: Rules,
    words: str = "",
) -> Ticket:
    """Make one case of two: ``into`` takes over everything that ``name`` holds; ``into``.

    Raises:
        NoSuchTicket, IllegalMove: if a name fits none, or one of them is not open, or is held
            by another agent.
        Conflict, StoreError: run it again.
    """
    giver, taker = find(store, name).ticket, find(store, into).ticket
    if giver.ticket == taker.ticket:
        raise IllegalMove(f"{giver.ticket} cannot be merged into itself: name two tickets")
    if "claim" not in life.POSSIBLE[taker.status] and taker.status != "contacted":
        raise IllegalMove(f"{taker.ticket} is {taker.status}: reopen it before you merge into it")
    closing = life.dismiss(giver, agent, now, MERGED + taker.ticket)
    said = f"took in {giver.ticket}{words and f': {words}'}"
    _change_threads(store, taker.ticket, "merged", agent, now, said, more=giver.threads)
    for _ in range(ATTEMPTS):
        entry = find(store, giver.ticket)
        if not is_merged(entry.ticket):
            closing = life.dismiss(entry.ticket, agent, now, MERGED + taker.ticket)
            bare = msgspec.structs.replace(closing.ticket, refresh_at=None)
            if not _write(store, entry, bare, closing.event):
                continue
        listed = [fold.uid for one in (giver, taker) for fold in one.mentions]
        fold_cases(store, listed, rules, now)
        return find(store, taker.ticket).ticket
    raise Conflict(f"{giver.ticket} was changed by others {ATTEMPTS} times: try again")


def unmerge(store: Store, name: str, agent: str, now: datetime, rules: Rules) -> Ticket:
    """Undo a merge: the ticket is back in the queue with what it held; the ticket.

    It gets back what no other ticket has taken since the merge, or made a case of its own.

    Raises:
        NoSuchTicket, IllegalMove: if the name fits none, it was not merged, or nothing is left.
        Conflict, StoreError: run it again.
    """
    entry = find(store, name)
    if not is_merged(entry.ticket):
        raise IllegalMove(f"{entry.ticket.ticket} is not merged into another: see its history")
    taker = _taker(store, entry.ticket)
    held, theirs = _names(store, entry.ticket.threads), _names(store, taker.threads)
    # Not only what the taker holds: it may have given back already, before a crash.
    given = set(held.values()) - _taken(store, held, taker)
    if not given:
        raise IllegalMove(f"others hold all of {entry.ticket.ticket}: see its history")
    back = life.reopen(entry.ticket, agent, now, f"not the same case as {taker.ticket}")
    said = f"gave back {entry.ticket.ticket}"
    without = [thread for thread, today in theirs.items() if today in given]
    _change_threads(store, taker.ticket, "split", agent, now, said, without=without)
    again = msgspec.structs.replace(back.ticket, threads=tuple(sorted(given)))
    if not _write(store, entry, again, back.event):
        raise Conflict(f"{entry.ticket.ticket} was changed by others: try again")
    listed = {fold.uid for one in (entry.ticket, taker) for fold in one.mentions}
    fold_cases(store, sorted(listed), rules, now)
    return find(store, entry.ticket.ticket).ticket


def _taker(store: Store, ticket: Ticket) -> Ticket:
    """The live ticket that a merged one has gone into, through however many merges."""
    seen: set[str] = set()
    while is_merged(ticket) and ticket.ticket not in seen:
        seen.add(ticket.ticket)
        ticket = find(store, (ticket.handling.outcome or "").removeprefix(MERGED)).ticket
    return ticket


def _taken(store: Store, held: dict[str, str], taker: Ticket) -> set[str]:
    """What live tickets but the taker hold of these threads, by today's names."""
    found = store.tickets_of_threads(sorted({*held, *held.values()}))
    others = [one.ticket for one in found if _is_live(one) and one.ticket.ticket != taker.ticket]
    return {today for other in others for today in _names(store, other.threads).values()}


def _names(store: Store, threads: Iterable[str]) -> dict[str, str]:
    """What each of these threads is called today: it may have got an earlier beginning."""
    rows = store.mentions(sorted(threads))
    return {thread: rows[thread].thread if thread in rows else thread for thread in threads}


def _check_split(store: Store, ticket: Ticket, uids: Sequence[str], rules: Rules) -> None:
    listed = {fold.uid for fold in ticket.mentions}
    rows = store.mentions(uids)
    for uid in uids:
        if uid not in listed or uid not in rows:
            raise IllegalMove(f"{uid} is not in {ticket.ticket}: see what the ticket lists")
        if uid == opening_of(ticket) or make_ticket_id(uid) == ticket.ticket:
            raise IllegalMove(f"{uid} is what {ticket.ticket} is about: split off the others")
        why = cases.refusal(msgspec.structs.replace(rows[uid], repost=False), rules)
        if rows[uid].repost or why is not None:
            reason = why or "repost"
            raise IllegalMove(f"{uid} cannot be a case of its own ({reason}): leave it")


def _change_threads(
    store: Store,
    id: str,
    kind: EventKind,
    agent: str,
    now: datetime,
    words: str,
    *,
    more: Iterable[str] = (),
    without: Iterable[str] = (),
) -> None:
    for _ in range(ATTEMPTS):
        entry = store.tickets([id])[id]
        threads = tuple(sorted((set(entry.ticket.threads) | set(more)) - set(without)))
        event = Event(
            id=make_event_id(id, kind, f"{now.isoformat()} {agent} {words}"),
            ticket=id,
            kind=kind,
            at=now,
            by=agent,
            words=words,
        )
        if _write(store, entry, msgspec.structs.replace(entry.ticket, threads=threads), event):
            return
    raise Conflict(f"{id} was changed by others {ATTEMPTS} times: try again")


def _write(store: Store, entry: Versioned, ticket: Ticket, event: Event) -> bool:
    written = store.write_tickets([Write(ticket=ticket, version=entry.version, events=(event,))])
    raise_refusals(written.refused)
    return bool(written.done)


def _is_live(entry: Versioned) -> bool:
    return not is_merged(entry.ticket)
