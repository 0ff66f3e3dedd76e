"""What makes a case, as pure code: mentions in, the derived half of a ticket out.

A *candidate* is a post that somebody should answer. Candidates of one family of words (see
`triage.families`), none of them more than `Rules.matter` after the one before, are copies of
one: the *original* is the earliest. A candidate is an *opener* if it is an original, or a copy by
the original's own author; a copy by somebody else is one more voice of the original's case, like
a repost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from triage.priority import in_stream
from triage.rules import Rules
from triage.store.base import StoredMention


def refusal(row: StoredMention, rules: Rules) -> str | None:
    """Why a post cannot make a case; None for a candidate."""
    if (reason := _silenced(row)) is not None:
        return reason
    if row.rating is not None and row.rating_max:
        if row.rating / row.rating_max <= rules.low_rating:
            return None
        if row.complaint is None:
            return "not a complaint"
    if row.department and row.department in (rules.praise, rules.questions) and not row.parent:
        return None
    if row.complaint is None:
        if row.model is None or row.language == "und":
            return "nothing to read"
        return None if rules.unread == "ticket" else "language not read"
    if _complains(row, rules) or any(cue in rules.always for cue in row.cues):
        return None
    return "not a complaint"


def _silenced(row: StoredMention) -> str | None:
    """Why nobody has to answer, whatever it says."""
    if row.deleted:
        return "deleted"
    if row.owner:
        return "own account"
    if row.repost:
        return "repost"
    if row.private:
        return "private channel"
    if "spam" in row.cues:
        return "spam"
    return "another brand of that name" if row.namesake else None


def _complains(row: StoredMention, rules: Rules) -> bool:
    chance, source = row.complaint_probability, row.source
    if chance is not None and source in rules.precision:
        return in_stream(chance, rules.share_of(source)) >= rules.precision[source]
    threshold = rules.thresholds.get(source)
    return bool(row.complaint) if threshold is None or chance is None else chance >= threshold


def oldest_first(rows: Iterable[StoredMention]) -> list[StoredMention]:
    """Each row once, by (created_at, uid)."""
    once = {row.uid: row for row in rows}
    return sorted(once.values(), key=lambda row: (row.created_at, row.uid))


class Decided(msgspec.Struct, frozen=True):
    """What tickets have made of copies before: uid to ticket."""

    openers: dict[str, str] = {}
    voices: dict[str, str] = {}


def originals(
    rows: Iterable[StoredMention], rules: Rules, decided: Decided
) -> dict[str, StoredMention]:
    """The original of each row, by uid, for rows of one fingerprint.

    A row without an original (a repost of something that is no candidate) is left out. What has
    been decided holds: a candidate that was an opener stays one, even if an earlier one turns
    up, a voice stays with its case, and what an agent has set apart is its own original.
    """
    found: dict[str, StoredMention] = {}
    cluster: list[StoredMention] = []
    within = rules.matter
    for row in oldest_first(rows):
        if row.alone:
            found |= {row.uid: row} if refusal(row, rules) is None else {}
            continue
        if cluster and row.created_at - cluster[-1].created_at > within:
            found |= _originals_of(cluster, rules, decided)
            cluster = []
        cluster.append(row)
    return found | _originals_of(cluster, rules, decided)


def _originals_of(
    cluster: Sequence[StoredMention], rules: Rules, decided: Decided
) -> dict[str, StoredMention]:
    candidates = [row for row in cluster if refusal(row, rules) is None]
    if not candidates:
        return {}
    before = [row for row in candidates if row.uid in decided.openers]
    first = (before or candidates)[0]
    if is_by(candidates[0], first):
        # Their own earlier post, not folded yet: it is the original, whichever is folded first.
        first = candidates[0]
    by_ticket = {decided.openers[row.uid]: row for row in reversed(before)}
    found = {row.uid: by_ticket.get(decided.voices.get(row.uid, ""), first) for row in cluster}
    return found | {row.uid: row for row in before}


def is_by(row: StoredMention, other: StoredMention) -> bool:
    """Whether two posts are known to be by the same person."""
    return row.uid == other.uid or (row.customer is not None and row.customer == other.customer)


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """One customer's complaint in one thread: what is compared to tell matters apart."""

    thread: str
    first_at: datetime
    last_at: datetime
    brands: frozenset[str]
    department: str | None
    words: frozenset[str]
    """Fingerprints of the complaints."""


def stretch_of(openers: Sequence[StoredMention], members: Iterable[StoredMention]) -> Stretch:
    """The stretch of a thread by its openers, oldest first, and all its members."""
    first = openers[0]
    own = [first, *(row for row in members if _is_post(row) and is_by(row, first))]
    return Stretch(
        thread=first.thread,
        first_at=first.created_at,
        last_at=max(row.created_at for row in own),
        brands=frozenset(brand for row in openers for brand in row.matched),
        department=next((row.department for row in openers if row.department), None),
        words=frozenset(row.fingerprint for row in openers if row.fingerprint),
    )


def matters(stretches: Iterable[Stretch], within: timedelta) -> list[list[Stretch]]:
    """One customer's stretches, sorted into matters; each matter oldest first.

    Oldest first, a stretch joins the latest matter that it is close to in time and that shares
    its words, or contradicts neither its brands nor its department; else it begins a new one.
    """
    found: list[list[Stretch]] = []
    for stretch in sorted(stretches, key=lambda stretch: (stretch.first_at, stretch.thread)):
        fitting = [matter for matter in found if _fits(stretch, matter, within)]
        if fitting:
            max(fitting, key=lambda matter: (_end(matter), matter[0].thread)).append(stretch)
        else:
            found.append([stretch])
    return found


def _end(matter: Sequence[Stretch]) -> datetime:
    return max(stretch.last_at for stretch in matter)


def _fits(stretch: Stretch, matter: Sequence[Stretch], within: timedelta) -> bool:
    if stretch.first_at - _end(matter) > within:
        return False
    if any(stretch.words & other.words for other in matter):
        return True
    brands = frozenset[str]().union(*(other.brands for other in matter))
    departments = {other.department for other in matter} - {None}
    same_brand = not brands or not stretch.brands or bool(brands & stretch.brands)
    return same_brand and (not departments or stretch.department in {None, *departments})


def _is_post(row: StoredMention) -> bool:
    return not (row.deleted or row.owner or row.repost)


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """All that a ticket's derived half is computed from."""

    threads: tuple[str, ...]
    openers: Sequence[StoredMention]
    """Oldest first, at least one; the first makes the case."""
    posts: Sequence[StoredMention]
    """Everything else that customers say in these threads."""
    answers: Sequence[StoredMention]
    """What the brand says in these threads."""
    copies: Sequence[StoredMention]
    reposts: Sequence[StoredMention]
