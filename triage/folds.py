"""Why each mention is in a case, in words, and what a ticket remembers of that."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from triage.cases import Case, is_by, oldest_first
from triage.store.base import StoredMention
from triage.ticket import Fold, Ticket

OPENED = "opened the case"
AGAIN = "complaint in the same thread"
SAME_THREAD = "same thread"
SAME_WORDS = "same customer, same words"
SAME_MATTER = "same customer, same matter"
BRAND = "answer of the brand"
HELPFUL = "answer by another customer"
COPY = "same words by somebody else"
NEAR = "nearly the same words by somebody else"
JOINED = "joined by an agent"
REPOST = "repost"
WITHDRAWN = "no longer a complaint"

OPENERS = frozenset({OPENED, AGAIN, SAME_WORDS, SAME_MATTER, JOINED})
"""The reasons of a ticket's openers, as `triage.ticket.Fold` says them."""
VOICES = frozenset({COPY, NEAR, REPOST})


MOST_MENTIONS = 500
"""A ticket lists no more; it counts them all."""


def reasons_of(case: Case) -> dict[str, str]:
    """Why each mention of the case is in it, by uid."""
    reasons = {row.uid: REPOST for row in case.reposts}
    reasons |= {row.uid: COPY if row.likeness is None else NEAR for row in case.copies}
    reasons |= {row.uid: BRAND for row in case.answers}
    reasons |= {row.uid: SAME_THREAD for row in case.posts}
    reasons |= {row.uid: _why(row, case.openers) for row in case.openers}
    return reasons


def shown(case: Case, helper: str | None = None) -> tuple[Fold, ...]:
    """The mentions that the ticket lists, oldest first.

    Where there are too many, complaints come before what else was said, and that before voices.
    ``helper`` is the post in which another customer helped.
    """
    reasons = reasons_of(case)
    if helper is not None:
        reasons[helper] = HELPFUL
    ranked = [case.openers, case.answers, case.posts, case.copies, case.reposts]
    chosen: dict[str, StoredMention] = {}
    for rows in ranked:
        for row in oldest_first(rows):
            if len(chosen) < MOST_MENTIONS:
                chosen.setdefault(row.uid, row)
    return tuple(
        Fold(uid=row.uid, reason=reasons[row.uid]) for row in oldest_first(chosen.values())
    )


def _why(row: StoredMention, openers: Sequence[StoredMention]) -> str:
    opening = openers[0]
    if row.uid == opening.uid:
        return OPENED
    if row.thread == opening.thread:
        return AGAIN
    head = next(other for other in openers if other.thread == row.thread)
    if row.uid == head.uid and not is_by(row, opening):
        return JOINED
    if row.fingerprint and row.fingerprint == opening.fingerprint:
        return SAME_WORDS
    return SAME_MATTER if is_by(row, opening) else AGAIN


def opening_of(ticket: Ticket) -> str | None:
    """The uid of the post that makes the ticket a case, or made it one before."""
    for fold in ticket.mentions:
        if fold.reason in (OPENED, WITHDRAWN):
            return fold.uid
    return None


def unseen_openers(ticket: Ticket, openers: Sequence[StoredMention]) -> list[StoredMention]:
    """The openers that the ticket does not know yet, oldest first."""
    known = {fold.uid for fold in ticket.mentions if fold.reason != WITHDRAWN}
    full = len(ticket.mentions) >= MOST_MENTIONS
    return [
        row
        for row in oldest_first(openers)
        if row.uid not in known and (not full or row.created_at > ticket.last_at)
    ]


def unseen_by_customer(ticket: Ticket, case: Case) -> list[StoredMention]:
    """What the case's customer has said that the ticket does not know yet, oldest first."""
    known = {fold.uid for fold in ticket.mentions}
    own = [row for row in [*case.openers, *case.posts] if is_by(row, case.openers[0])]
    return [
        row for row in oldest_first(own) if row.uid not in known and row.created_at > ticket.last_at
    ]


def withdrawn(ticket: Ticket, opening: str | None, deleted: bool) -> Ticket:
    """What is left of a ticket without a case; the words and the author of a deleted post go."""
    kept = tuple(
        Fold(uid=fold.uid, reason=WITHDRAWN) for fold in ticket.mentions if fold.uid == opening
    )
    bare = msgspec.structs.replace(
        ticket, mentions=kept, posts=0, voices=0, reach=None, refresh_at=None
    )
    if not deleted:
        return bare
    return msgspec.structs.replace(bare, excerpt="", link=None, customer="")
