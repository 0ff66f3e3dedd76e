"""The second half of triage: what is stored becomes cases.

Two steps. `triage.intake.store_records` keeps the rows and settles their threads. `fold_cases`
looks at what is stored around some mentions and writes the tickets that follow from it. A
ticket's derived half is a function of what is stored (and of the time), so that neither the
order in which mentions arrive, nor how they are cut into calls, nor a crash between two writes
can change the outcome, as long as a run stores everything before it folds anything.

What one run has decided binds the next one. Where a later window brings something that would
have changed an earlier decision, the difference is this, and nothing is lost or doubled by it:

* A ticket keeps its id and its threads. An earlier post on the same matter joins the ticket
  that a later one has opened; a post that would have bridged two tickets joins the earlier.
* A copy that has opened a case stays its original; the true original, heard later, is a voice.
* A beginning that turns out to join the threads of two tickets leaves both to the earlier one;
  the other is dismissed as merged, unless somebody has decided on it: then it stays as it is.
* A deletion heard before its mention is stored leaves no trace of what the mention answered.
* A copy that is edited into other words, or no longer complains, stays a voice of its old case
  until that is next folded.

Beyond the first 500 posts of a thread and 500 copies of a text the rest are stored and counted
in the report, but no longer in the ticket's figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from triage import cases, life
from triage.casebook import MERGED, Casebook, is_merged
from triage.errors import Conflict
from triage.rows import REPOST_KEY
from triage.rules import Rules
from triage.store.base import Refusal, Store, StoredMention, Versioned, Write
from triage.ticket import Event, EventKind, Ticket, make_event_id, make_ticket_id

BATCH = 250
ATTEMPTS = 5
EXAMPLES = 20
TRIAGE = "triage"
"""Who does what no agent has done."""

UNKNOWN = "not stored"
BEYOND = f"beyond the first {cases.MOST_MENTIONS} of its case"


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A mention that is in no case, and why."""

    uid: str
    reason: str
    excerpt: str


class FoldReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `fold_cases` did: ids of tickets, each in the order of writing, and counts."""

    opened: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    reopened: tuple[str, ...] = ()
    """Among the updated: a new complaint after somebody had dealt with the case."""
    closed: tuple[str, ...] = ()
    """Among the updated: merged into an earlier ticket, or withdrawn by the author."""
    folded: dict[str, int] = {}
    """How many of the mentions are in a case, by the reason of `triage.ticket.Fold`."""
    left_out: dict[str, int] = {}
    """How many are in none, by reason."""
    examples: tuple[Example, ...] = ()
    """At most 20 of those left out."""
    refused: tuple[Refusal, ...] = ()
    """Tickets that the store would not take."""


def fold_cases(store: Store, uids: Sequence[str], rules: Rules, now: datetime) -> FoldReport:
    """Bring every ticket up to date that these stored mentions have a part in.

    Idempotent: a ticket that follows unchanged from what is stored is not written. What people
    have decided is never changed, except that a new complaint reopens a case and a ticket that
    nobody has touched may be merged or withdrawn.

    Raises:
        Conflict: if others kept changing the same tickets.
        StoreError: if the store does not answer; run it again.
    """
    report = _Report(frozenset(uids))
    seen: set[str] = set()
    waiting = list(dict.fromkeys(uids))
    while waiting:
        batch, waiting = waiting[:BATCH], waiting[BATCH:]
        seen.update(batch)
        left = _fold_batch(store, batch, rules, now, report)
        waiting += sorted(left - seen - set(waiting))
    return report.done()


class _Report:
    """A fold report being filled."""

    def __init__(self, asked: frozenset[str]) -> None:
        self._asked = asked
        self._tickets: dict[str, dict[str, None]] = {}
        self._folded: Counter[str] = Counter()
        self._left_out: Counter[str] = Counter()
        self._examples: list[Example] = []
        self._refused: list[Refusal] = []

    def note(self, what: str, ticket: str) -> None:
        self._tickets.setdefault(what, {})[ticket] = None

    def refuse(self, refused: Iterable[Refusal]) -> None:
        self._refused.extend(refused)

    def account(
        self,
        batch: Sequence[str],
        rows: dict[str, StoredMention],
        reasons: dict[str, str],
        rules: Rules,
    ) -> None:
        """Say of each mention of the call where it went."""
        for uid in batch:
            if uid not in self._asked:
                continue
            if uid in reasons:
                self._folded[reasons[uid]] += 1
                continue
            row = rows.get(uid)
            reason = UNKNOWN if row is None else cases.refusal(row, rules) or BEYOND
            self._left_out[reason] += 1
            if len(self._examples) < EXAMPLES:
                text = cases.excerpt(row) if row is not None else ""
                self._examples.append(Example(uid=uid, reason=reason, excerpt=text))

    def done(self) -> FoldReport:
        opened, updated = self._tickets.get("opened", {}), self._tickets.get("updated", {})
        same = self._tickets.get("unchanged", {})
        return FoldReport(
            opened=tuple(opened),
            updated=tuple(ticket for ticket in updated if ticket not in opened),
            unchanged=tuple(t for t in same if t not in opened and t not in updated),
            reopened=tuple(self._tickets.get("reopened", ())),
            closed=tuple(self._tickets.get("closed", ())),
            folded=dict(sorted(self._folded.items())),
            left_out=dict(sorted(self._left_out.items())),
            examples=tuple(self._examples),
            refused=tuple(self._refused),
        )


class _Decision(msgspec.Struct, frozen=True, kw_only=True):
    before: Versioned | None
    after: Ticket
    events: tuple[Event, ...] = ()

    def is_news(self) -> bool:
        return self.before is None or self.before.ticket != self.after

    def left_behind(self) -> set[str]:
        """Mentions that the ticket held and holds no longer: they have to be looked at again."""
        if self.before is None:
            return set()
        now = {fold.uid for fold in self.after.mentions}
        return {fold.uid for fold in self.before.ticket.mentions} - now


def _fold_batch(
    store: Store, batch: Sequence[str], rules: Rules, now: datetime, report: _Report
) -> set[str]:
    left: set[str] = set()
    conflicts: tuple[str, ...] = ()
    for _ in range(ATTEMPTS):
        rows = store.mentions(batch)
        decisions = _decide(store, rows, rules, now)
        by_ticket = {decision.after.ticket: decision for decision in decisions}
        news = [decision for decision in decisions if decision.is_news()]
        written = store.write_tickets([_write(decision) for decision in news]) if news else None
        for decision in decisions:
            left |= decision.left_behind()
            if not decision.is_news():
                report.note("unchanged", decision.after.ticket)
        if written is not None:
            for ticket in written.done:
                _note(report, by_ticket[ticket])
            report.refuse(written.refused)
            conflicts = written.conflicts
        if written is None or not conflicts:
            reasons = {
                fold.uid: fold.reason
                for decision in decisions
                if not is_merged(decision.after)
                for fold in decision.after.mentions
                if fold.reason != cases.WITHDRAWN
            }
            report.account(batch, rows, reasons, rules)
            return left
    raise Conflict(
        f"{', '.join(conflicts[:3])} kept changing while it was folded ({ATTEMPTS} attempts): "
        "run it again"
    )


def _write(decision: _Decision) -> Write:
    version = decision.before.version if decision.before is not None else None
    return Write(ticket=decision.after, version=version, events=decision.events)


def _note(report: _Report, decision: _Decision) -> None:
    ticket = decision.after.ticket
    report.note("opened" if decision.before is None else "updated", ticket)
    for event in decision.events:
        if event.kind == "reopened":
            report.note("reopened", ticket)
        if event.kind == "dismissed":
            report.note("closed", ticket)


def _decide(
    store: Store, rows: dict[str, StoredMention], rules: Rules, now: datetime
) -> list[_Decision]:
    book = Casebook(store, rules)
    targets = _load_targets(store, book, rows)
    owners = sorted({c for t in _homeless(book, targets) if (c := _customer(book, t))})
    if owners:
        posts = store.posts_of_customers(owners)
        book.load(row.thread for row in posts if book.is_candidate(row))
    joined = _assign(book, _homeless(book, targets), rules)
    touched = {book.holder[thread] for thread in targets if thread in book.holder}
    touched |= book.stale()
    fresh = sorted(joined.keys() - book.threads.keys())
    known = book.tickets | (store.tickets(fresh) if fresh else {})
    wanted = {
        ticket: tuple(sorted(book.threads.get(ticket, set()) | joined.get(ticket, set())))
        for ticket in sorted(touched | joined.keys())
    }
    found = book.cases([threads for threads in wanted.values() if threads])
    decisions = []
    for ticket, threads in wanted.items():
        before = known.get(ticket)
        case = found.get(threads)
        if case is not None:
            decisions.append(_stand(ticket, before, case, rules, now))
        elif before is not None:
            rival = book.rival(ticket)
            decisions.append(
                _fall(before, book.rows_of(before.ticket), now)
                if rival is None
                else _merge(before, rival, now)
            )
    return decisions


def _load_targets(store: Store, book: Casebook, rows: dict[str, StoredMention]) -> set[str]:
    """The threads whose tickets these mentions have a part in, loaded."""
    said = [row for row in rows.values() if not row.owner]
    named = {
        row.fingerprint.removeprefix(REPOST_KEY)
        for row in said
        if row.fingerprint.startswith(REPOST_KEY)
    }
    reposted = store.mentions(sorted(named)) if named else {}
    said += [row for row in reposted.values() if not (row.owner or row.repost)]
    heard = [*rows.values(), *said]
    targets = {row.thread for row in heard if row.owner or not row.repost}
    book.load(targets)
    # Small talk in the same words is common and is nobody's voice: it is not looked up.
    telling = [row for row in said if row.repost or row.deleted or book.is_candidate(row)]
    book.load_copies(telling)
    originals = (book.original(row) for row in telling)
    targets |= {original.thread for original in originals if original is not None}
    book.load(targets)
    return targets


def _homeless(book: Casebook, threads: Iterable[str]) -> list[str]:
    """Those of the threads that make a case and that no ticket holds yet."""
    return sorted(t for t in threads if t not in book.holder and book.openers([t]))


def _customer(book: Casebook, thread: str) -> str | None:
    openers = book.openers([thread])
    return openers[0].customer if openers else None


def _assign(book: Casebook, homeless: Sequence[str], rules: Rules) -> dict[str, set[str]]:
    """A ticket, existing or to be, for each of these threads and what belongs with them."""
    joined: dict[str, set[str]] = {}
    customers = {thread: _customer(book, thread) for thread in homeless}
    owned: dict[str, list[str]] = {}
    for thread in sorted(book.members):
        owner = _customer(book, thread)
        if owner is not None and owner in customers.values():
            owned.setdefault(owner, []).append(thread)
    for thread, customer in customers.items():
        if customer is None:
            joined[make_ticket_id(thread)] = {thread}
    for _, threads in sorted(owned.items()):
        stretches = [cases.stretch_of(book.openers([t]), book.members[t]) for t in threads]
        for matter in cases.matters(stretches, rules.matter):
            places = [stretch.thread for stretch in matter]
            free = {thread for thread in places if thread not in book.holder}
            if free.isdisjoint(homeless):
                continue
            holders = {book.holder[thread] for thread in places if thread in book.holder}
            ticket = book.earliest(holders) if holders else make_ticket_id(places[0])
            joined.setdefault(ticket, set()).update(free)
    return joined


def _stand(
    ticket: str, before: Versioned | None, case: cases.Case, rules: Rules, now: datetime
) -> _Decision:
    """The ticket of a case: opened, brought up to date, or reopened by a new complaint."""
    if before is None:
        after = cases.derive(ticket, case, cases.UNTOUCHED, rules, now)
        # By the clock of the post, so that a replay writes the same history.
        event = _event(after, "opened", after.opened_at)
        return _Decision(before=None, after=after, events=(event,))
    old = before.ticket
    news = case.openers[:1] if is_merged(old) else cases.unseen_openers(old, case.openers)
    if not news or "reopen" not in life.POSSIBLE[old.status]:
        after = cases.derive(ticket, case, old.handling, rules, now)
        return _Decision(before=before, after=after)
    newest = news[-1]
    dealt_with = old.handling.closed_at or old.handling.contacted_at or newest.created_at
    at = max(newest.created_at, dealt_with)
    change = life.reopen(old, TRIAGE, at, "a new complaint", key=newest.uid)
    after = cases.derive(ticket, case, change.ticket.handling, rules, now)
    return _Decision(before=before, after=after, events=(change.event,))


def _fall(before: Versioned, rows: Sequence[StoredMention], now: datetime) -> _Decision:
    """A ticket whose case no longer stands: its posts were deleted, or edited into something else.

    In the queue, it is dismissed, once: who reopens it keeps it. With an agent, it stays theirs.
    Either way the words of a deleted post are gone from it.
    """
    old = before.ticket
    opening = cases.opening_of(old)
    deleted = any(row.uid == opening and row.deleted for row in rows)
    after = cases.withdrawn(old, opening, deleted)
    stood = any(fold.reason in cases.OPENERS for fold in old.mentions)
    if not stood or old.status not in ("new", "reopened"):
        return _Decision(before=before, after=after)
    words = "withdrawn: the post was deleted" if deleted else "withdrawn: no longer a complaint"
    return _dismissed(before, after, words, now)


def _merge(before: Versioned, rival: str, now: datetime) -> _Decision:
    """A ticket that an earlier one has taken everything from; left alone once it was touched."""
    after = msgspec.structs.replace(before.ticket, refresh_at=None)
    if before.ticket.status != "new":
        return _Decision(before=before, after=after)
    return _dismissed(before, after, MERGED + rival, now)


def _dismissed(before: Versioned, after: Ticket, words: str, now: datetime) -> _Decision:
    handling = before.ticket.handling
    closed = msgspec.structs.replace(handling, status="dismissed", closed_at=now, outcome=words)
    after = msgspec.structs.replace(after, handling=closed)
    event = _event(after, "dismissed", now, words, f"{words} {handling.reopened_at}")
    return _Decision(before=before, after=after, events=(event,))


def _event(ticket: Ticket, kind: EventKind, at: datetime, words: str = "", key: str = "") -> Event:
    return Event(
        id=make_event_id(ticket.ticket, kind, key),
        ticket=ticket.ticket,
        kind=kind,
        at=at,
        by=TRIAGE,
        words=words,
    )
