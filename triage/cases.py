"""What makes a case, as pure code: mentions in, the derived half of a ticket out.

A *candidate* is a post that somebody should answer. Candidates in the same words, none of them
more than `Rules.matter` after the one before, are copies of one: the *original* is the earliest.
A candidate is an *opener* if it is an original, or a copy by the original's own author; a copy
by somebody else is one more voice of the original's case, like a repost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from triage.priority import Facts, score
from triage.rules import Rules
from triage.store.base import StoredMention
from triage.ticket import Fold, Handling, Ticket

OPENED = "opened the case"
AGAIN = "complaint in the same thread"
SAME_THREAD = "same thread"
SAME_WORDS = "same customer, same words"
SAME_MATTER = "same customer, same matter"
BRAND = "answer of the brand"
COPY = "same words by somebody else"
REPOST = "repost"
WITHDRAWN = "no longer a complaint"

OPENERS = frozenset({OPENED, AGAIN, SAME_WORDS, SAME_MATTER})
"""The reasons of a ticket's openers, as `triage.ticket.Fold` says them."""
VOICES = frozenset({COPY, REPOST})

UNTOUCHED = Handling()

MOST_MENTIONS = 500
EXCERPT = 200
"""Characters of a ticket's excerpt."""


def refusal(row: StoredMention, rules: Rules) -> str | None:
    """Why a post cannot make a case; None for a candidate."""
    if row.deleted:
        return "deleted"
    if row.owner:
        return "own account"
    if row.repost:
        return "repost"
    if "spam" in row.cues:
        return "spam"
    if row.namesake:
        return "another brand of that name"
    if row.rating is not None and row.rating_max:
        if row.rating / row.rating_max <= rules.low_rating:
            return None
        if row.complaint is None:
            return "not a complaint"
    if row.complaint is None:
        if row.model is None or row.language == "und":
            return "nothing to read"
        return None if rules.unread == "ticket" else "language not read"
    if _complains(row, rules) or any(cue in rules.always for cue in row.cues):
        return None
    return "not a complaint"


def _complains(row: StoredMention, rules: Rules) -> bool:
    threshold = rules.thresholds.get(row.source)
    if threshold is None or row.complaint_probability is None:
        return bool(row.complaint)
    return row.complaint_probability >= threshold


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
    up, and a voice stays with its case.
    """
    found: dict[str, StoredMention] = {}
    cluster: list[StoredMention] = []
    for row in oldest_first(rows):
        if cluster and row.created_at - cluster[-1].created_at > rules.matter:
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


def derive(ticket: str, case: Case, handling: Handling, rules: Rules, now: datetime) -> Ticket:
    """The ticket of a case; its derived half follows from nothing but the arguments."""
    opening = case.openers[0]
    customers_own = [row for row in case.openers if is_by(row, opening)]
    own = [*customers_own, *(row for row in case.posts if is_by(row, opening))]
    last_at = max(row.created_at for row in own)
    answers = sorted(row.created_at for row in case.answers)
    sayers = [*case.openers, *case.copies, *case.reposts]
    people = _people(sayers)
    reaches = [reach for reach in people.values() if reach is not None]
    probabilities = [row.complaint_probability for row in case.openers]
    severities = [row.severity for row in case.openers if row.severity is not None]
    negative = any(row.sentiment == "negative" for row in case.openers)
    facts = Facts(
        source=opening.source,
        language=opening.language,
        read=any(row.complaint is not None or row.rating is not None for row in case.openers),
        probability=max((p for p in probabilities if p is not None), default=None),
        rating=_lowest_rating(case.openers),
        severity=max(severities, default=None),
        sentiment="negative" if negative else opening.sentiment,
        cues=tuple(sorted({cue for row in case.openers for cue in row.cues})),
        reach=sum(reaches) if reaches else None,
        voices=len(people),
        complaints=len(customers_own),
        threads=len({row.thread for row in customers_own}),
        start=handling.reopened_at or opening.created_at,
        stopped=handling.contacted_at or handling.closed_at,
        last_at=last_at,
        last_answer_at=answers[-1] if answers else None,
    )
    place = score(facts, rules, now)
    return Ticket(
        ticket=ticket,
        handling=handling,
        priority=place.priority,
        tier=place.tier,
        parts=place.parts,
        department=next((row.department for row in case.openers if row.department), None),
        opened_at=opening.created_at,
        last_at=last_at,
        sla_due=place.sla_due,
        answered_at=next((at for at in answers if at > opening.created_at), None),
        refresh_at=place.refresh_at,
        source=opening.source,
        instance=opening.instance,
        link=opening.url,
        excerpt=excerpt(opening),
        language=opening.language,
        customer=opening.customer or "",
        container=opening.container,
        matched=tuple(sorted({brand for row in case.openers for brand in row.matched})),
        threads=case.threads,
        mentions=_folds(case),
        posts=len(case.openers) + len(case.posts),
        voices=facts.voices,
        reach=facts.reach,
        complaint_probability=facts.probability,
        sentiment=facts.sentiment,
        severity=facts.severity,
        cues=facts.cues,
    )


def excerpt(row: StoredMention, longest: int = EXCERPT) -> str:
    """The masked text on one line, cut at a word's end."""
    text = " ".join(f"{row.title}: {row.text}".split() if row.title else row.text.split())
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    whole = cut.rpartition(" ")[0]
    return (whole if len(whole) > longest // 2 else cut) + "…"


def _people(rows: Iterable[StoredMention]) -> dict[str, int | None]:
    """Who says it and how many people may have seen that, as far as the sources say."""
    people: dict[str, int | None] = {}
    for row in rows:
        person = row.customer or row.uid
        seen = [n for n in (people.get(person), row.followers, row.views) if n is not None]
        people[person] = max(seen, default=None)
    return people


def _lowest_rating(rows: Iterable[StoredMention]) -> str | None:
    rated = [
        (row.rating / row.rating_max, f"{row.rating:g} of {row.rating_max:g}")
        for row in rows
        if row.rating is not None and row.rating_max
    ]
    return min(rated)[1] if rated else None


def _folds(case: Case) -> tuple[Fold, ...]:
    """Every mention of the case with its reason, oldest first; the opening one is always there."""
    opening = case.openers[0]
    reasons = {row.uid: REPOST for row in case.reposts}
    reasons |= {row.uid: COPY for row in case.copies}
    reasons |= {row.uid: BRAND for row in case.answers}
    reasons |= {row.uid: SAME_THREAD for row in case.posts}
    reasons |= {row.uid: _why(row, case.openers) for row in case.openers}
    rows = oldest_first([*case.reposts, *case.copies, *case.answers, *case.posts, *case.openers])[
        :MOST_MENTIONS
    ]
    if opening.uid not in {row.uid for row in rows}:
        rows[-1] = opening
    return tuple(Fold(uid=row.uid, reason=reasons[row.uid]) for row in rows)


def _why(row: StoredMention, openers: Sequence[StoredMention]) -> str:
    opening = openers[0]
    if row.uid == opening.uid:
        return OPENED
    if row.thread == opening.thread:
        return AGAIN
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
