"""A planned change as an incident that people open: whom it touches, by what they said."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from triage.causes import MOST_POSTS
from triage.incident import Incident, Step, make_incident_id
from triage.incidents import keep_of, name_on_tickets
from triage.rules import Rules
from triage.series import Listed, Post, SeriesMaker
from triage.store.base import Store


def plan(
    store: Store,
    rules: Rules,
    *,
    title: str,
    words: tuple[str, ...],
    days: int,
    by: str,
    now: datetime,
) -> Incident:
    """Open a planned change that touches who complained of these words in the last ``days``.

    The same title and words on the same day are the same change.
    """
    start = now - timedelta(days=days)
    maker = SeriesMaker(rules, Listed(places=dict.fromkeys(words, ())))
    about = {f"place:{word.casefold()}" for word in words}

    def touched() -> Iterator[Post]:
        for post in maker.posts(store.mentions_between(start, now)):
            if post.series & about:
                yield post

    posts = [post for post, _ in zip(touched(), range(MOST_POSTS), strict=False)]
    rows = store.mentions([post.uid for post in posts]).values()
    threads = sorted({row.thread for row in rows})
    tickets = {one.ticket.ticket for one in store.tickets_of_threads(threads)}
    departments = sorted({row.department for row in rows if row.department})
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    incident = Incident(
        incident=make_incident_id("\x1f".join(("planned", title, *sorted(words))), day),
        kind="planned",
        title=title,
        series=tuple(sorted(about)),
        first_at=now,
        detected_at=now,
        last_at=now,
        peak_at=now,
        peak=0,
        expected=0,
        reports=0,
        chance=1,
        posts=tuple(post.uid for post in posts),
        customers=len({post.customer for post in posts}),
        sources=tuple(sorted({row.source for row in rows})),
        tickets=tuple(sorted(tickets)),
        department=departments[0] if len(departments) == 1 else None,
        state="confirmed",
        owner=by,
        note=title,
        steps=(Step(action="plan", at=now, by=by),),
    )
    store.shelve("incident", [keep_of(incident, None)])
    name_on_tickets(store, incident)
    return incident
