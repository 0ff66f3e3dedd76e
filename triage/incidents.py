"""Incidents in the store: looked for, kept, found, changed by people."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec

from triage.bursts import LONGEST, Burst, scan
from triage.causes import Found, IncidentRules, describe, gather
from triage.claims import raise_refusals
from triage.errors import Conflict, NoSuchTicket, Stale
from triage.incident import LIVE, Incident, IncidentAction, move
from triage.rules import Rules
from triage.series import NAMED, PHRASE, Listed, Post, SeriesMaker
from triage.store.base import Store, StoredMention, Write
from triage.store.records import batches
from triage.store.shelf import Keep

ATTEMPTS = 5


class Clock(msgspec.Struct, frozen=True):
    """How far incidents have been looked for."""

    at: datetime


def watch(
    store: Store,
    rules: Rules,
    wanted: IncidentRules,
    now: datetime,
    since: datetime | None = None,
    listed: Listed = Listed(),
) -> list[Incident]:
    """Look for incidents in what was said since the last look, or since ``since``; what changed.

    Run it every few minutes. Idempotent; what people decided is not touched. An hour before the
    last look is looked at again, for posts that were collected late.

    Raises:
        StoreError: if the store does not answer; nothing is half done.
    """
    clock = store.shelved("clock", ["incidents"]).get("incidents")
    if since is None:
        last = msgspec.json.decode(clock.body, type=Clock).at if clock else None
        back = timedelta(hours=wanted.look_back_hours)
        since = now - back if last is None else max(last - timedelta(hours=1), now - back)
    maker = SeriesMaker(rules, listed)

    def source(start: datetime, end: datetime) -> Iterator[Post]:
        return maker.posts(store.mentions_between(start, end))

    end = now + timedelta(seconds=1)
    stored = {one.incident: one for one in incidents(store)}
    oldest = since - timedelta(hours=wanted.over_hours)
    live = [
        one
        for one in stored.values()
        if one.state in LIVE and one.kind == "burst" and one.last_at >= oldest
    ]
    known = [_found(one, store, maker) for one in live]
    known = [cause for cause in known if cause.posts]
    found = gather(scan(source, since, end, wanted.sensitivity), known, wanted.over_hours * 3600)
    changed = []
    for cause in found:
        if (before := stored.get(cause.id)) is not None and before.state not in LIVE:
            continue
        fresh = _described(store, cause, wanted)
        incident = _kept(store, fresh, now)
        if incident is not None:
            changed.append(incident)
        name_on_tickets(store, incident or fresh)
    keep = Keep(
        key="incidents", at=now, record=Clock(now), version=clock.version if clock else None
    )
    store.shelve("clock", [keep])
    return changed


def _described(store: Store, cause: Found, rules: IncidentRules) -> Incident:
    rows: list[StoredMention] = []
    tickets: set[str] = set()
    for some in batches(sorted(cause.posts), 500):
        of_some = store.mentions(some)
        rows += of_some.values()
        threads = sorted({row.thread for row in of_some.values()})
        tickets |= {one.ticket.ticket for one in store.tickets_of_threads(threads)}
    rows.sort(key=lambda row: (row.created_at, row.uid))
    return describe(cause, rows, sorted(tickets), rules)


def _found(incident: Incident, store: Store, maker: SeriesMaker) -> Found:
    """A stored incident as it was when it was put together."""
    rows = [row for some in batches(incident.posts, 500) for row in store.mentions(some).values()]
    posts = {post.uid: post for post in maker.posts(rows)}
    about = {PHRASE + word.word for word in incident.words}
    about |= {name for name in incident.series if name.startswith(NAMED[:2])}
    first = Burst(
        series=incident.series[0],
        at=incident.detected_at.timestamp(),
        width=LONGEST,
        posts=(),
        expected=incident.expected,
        chance=incident.chance,
    )
    return Found(
        series=list(incident.series),
        posts=posts,
        detected_at=incident.detected_at.timestamp(),
        first=first,
        id=incident.incident,
        about=frozenset(about),
        background={},
        complaints=0,
    )


def _kept(store: Store, fresh: Incident, now: datetime) -> Incident | None:
    """Store the derived half beside what was decided; None if nothing has changed."""
    for _ in range(ATTEMPTS):
        found = store.shelved("incident", [fresh.incident]).get(fresh.incident)
        if found is None:
            wanted = fresh
        else:
            before = msgspec.json.decode(found.body, type=Incident)
            wanted = msgspec.structs.replace(
                fresh,
                detected_at=before.detected_at,
                expected=before.expected,
                reports=before.reports,
                chance=before.chance,
                words=before.words or fresh.words,
                title=before.title,
                state=before.state,
                owner=before.owner,
                note=before.note,
                fixed_at=before.fixed_at,
                steps=before.steps,
            )
            if wanted == before:
                return None
        version = found.version if found else None
        if store.shelve("incident", [keep_of(wanted, version)]).done:
            return wanted
    raise Conflict(f"{fresh.incident} is changed by others all the time: run again")


def name_on_tickets(store: Store, incident: Incident) -> None:
    """Let each ticket of an incident know it; a dismissed one is taken off again. Idempotent.

    A ticket that another incident has named keeps that. One that others are changing at this
    moment is named by the next look.
    """
    wanted = None if incident.state == "dismissed" else incident.incident
    for some in batches(incident.tickets, 500):
        writes = [
            Write(
                ticket=msgspec.structs.replace(entry.ticket, incident=wanted),
                version=entry.version,
            )
            for entry in store.tickets(some).values()
            if entry.ticket.incident in (None, incident.incident)
            and entry.ticket.incident != wanted
        ]
        if writes:
            raise_refusals(store.write_tickets(writes).refused)


def keep_of(incident: Incident, version: str | None) -> Keep:
    """What the store keeps of an incident."""
    return Keep(
        key=incident.incident,
        at=incident.first_at,
        group=incident.kind,
        record=incident,
        version=version,
    )


def incidents(store: Store) -> Iterator[Incident]:
    """Every incident, oldest first."""
    for kept in store.shelf("incident"):
        yield msgspec.json.decode(kept.body, type=Incident)


def find_incident(store: Store, name: str) -> tuple[Incident, str]:
    """The incident of this id, or the only one that begins so, with its version.

    Raises:
        NoSuchTicket: if there is none, or more than one.
    """
    bare = "I-" + name.strip().casefold().removeprefix("i-")
    found = [kept for kept in store.shelf("incident") if kept.key.startswith(bare)]
    if len(found) != 1:
        what = "no incident begins" if not found else "several incidents begin"
        raise NoSuchTicket(f"{what} with {name!r}: see 'outcry incidents' for its id")
    return msgspec.json.decode(found[0].body, type=Incident), found[0].version


def mark_of(incident: Incident) -> str:
    """What changes with everything that people decide about it, and with nothing else."""
    decided = (incident.incident, incident.state, incident.owner, incident.note, incident.fixed_at)
    return hashlib.sha256(msgspec.json.encode(decided)).hexdigest()[:24]


def act_on(
    store: Store,
    name: str,
    action: IncidentAction,
    by: str,
    now: datetime,
    words: str = "",
    seen: str | None = None,
) -> Incident:
    """Do something with an incident; ``seen`` is the `mark_of` the one that the caller has read.

    Raises:
        NoSuchTicket, IllegalMove: if the name or its state does not allow it.
        Stale: if it does not bear the mark ``seen`` any more.
        Conflict: if others kept changing it.
    """
    for _ in range(ATTEMPTS):
        incident, version = find_incident(store, name)
        if seen is not None and seen != mark_of(incident):
            raise Stale(f"{incident.incident} has changed since you read it: look at it again")
        moved = move(incident, action, by, now, words)
        if store.shelve("incident", [keep_of(moved, version)]).done:
            name_on_tickets(store, moved)
            return moved
    raise Conflict(f"{name} was changed by others {ATTEMPTS} times: look at it and try again")
