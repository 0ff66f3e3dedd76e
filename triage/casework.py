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
* A text that is like the first texts of two families is in the one it was put into first.
* A beginning that turns out to join the threads of two tickets leaves both to the earlier one;
  the other is dismissed as merged, unless somebody has decided on it: then it stays as it is.
* A deletion heard before its mention is stored leaves no trace of what the mention answered.
* A copy that is edited into other words, or no longer complains, stays a voice of its old case
  until that is next folded.

Beyond the first 5,000 posts of a thread and 20,000 copies of a text the rest are stored and
counted in the report, but no longer in the ticket's figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from triage import cases, derive, folds, life
from triage.casebook import MERGED, Casebook, is_merged
from triage.errors import Conflict
from triage.fold_report import Filling, FoldReport
from triage.rows import REPOST_KEY
from triage.rules import Rules
from triage.store.base import Store, StoredMention, Versioned, Write
from triage.store.records import batches
from triage.ticket import Event, EventKind, Ticket, make_event_id, make_ticket_id

BATCH = 20_000
"""Mentions that are looked at together. What customers said elsewhere is looked up for each batch,
and with it every family of words that any of it is of: few large batches read these few times."""
ATTEMPTS = 5
TRIAGE = "triage"
"""Who does what no agent has done."""


def fold_cases(store: Store, uids: Sequence[str], rules: Rules, now: datetime) -> FoldReport:
    """Bring every ticket up to date that these stored mentions have a part in.

    Many at once cost less than some at a time: what a storm's family holds is read once a call.

    Idempotent: a ticket that follows unchanged from what is stored is not written. What people
    have decided is never changed, except that a new complaint reopens a case and a ticket that
    nobody has touched may be merged or withdrawn.

    Raises:
        Conflict: if others kept changing the same tickets.
        StoreError: if the store does not answer; run it again.
    """
    report = Filling(frozenset(uids))
    seen: set[str] = set()
    waiting = list(dict.fromkeys(uids))
    while waiting:
        left: set[str] = set()
        for batch in _batches(store, waiting):
            seen.update(batch)
            left |= _fold_batch(store, batch, rules, now, report)
        waiting = sorted(left - seen)
    return report.done()


def _batches(store: Store, uids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut so that mentions of one family are looked at together, however many they are.

    A family is read whole for each batch that has a part in it: in a storm, each of them would.
    """
    if len(uids) <= BATCH:
        return iter([uids])
    groups: dict[str, list[str]] = {}
    for some in batches(uids, BATCH):
        rows = store.mentions(some)
        for uid in some:
            row = rows.get(uid)
            groups.setdefault((row and row.fingerprint) or uid, []).append(uid)
    return batches([uid for group in groups.values() for uid in group], BATCH)


class _Decision(msgspec.Struct, frozen=True, kw_only=True):
    before: Versioned | None
    after: Ticket
    events: tuple[Event, ...] = ()
    reasons: dict[str, str] = {}
    """Why each mention is in it, also those that the ticket does not list."""

    def is_news(self) -> bool:
        return self.before is None or self.before.ticket != self.after

    def threads(self) -> set[str]:
        """Those that the ticket holds, or held."""
        before = self.before.ticket.threads if self.before is not None else ()
        return {*before, *self.after.threads}

    def left_behind(self) -> set[str]:
        """Mentions that the ticket held and holds no longer: they have to be looked at again."""
        if self.before is None:
            return set()
        now = {fold.uid for fold in self.after.mentions}
        return {fold.uid for fold in self.before.ticket.mentions} - now


def _fold_batch(
    store: Store, batch: Sequence[str], rules: Rules, now: datetime, report: Filling
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
        conflicts = written.conflicts if written is not None else ()
        if written is not None:
            for ticket in written.done:
                _note(report, by_ticket[ticket])
            report.refuse(written.refused)
        reasons = {uid: why for decision in decisions for uid, why in decision.reasons.items()}
        again = _again([by_ticket[ticket] for ticket in conflicts], rows) if conflicts else set()
        report.account([uid for uid in batch if uid not in again], rows, reasons, rules)
        if not again:
            return left
        batch = sorted(again)
    raise Conflict(
        f"{', '.join(conflicts[:3])} kept changing while it was folded ({ATTEMPTS} attempts): "
        "run it again"
    )


def _again(late: Sequence[_Decision], rows: dict[str, StoredMention]) -> set[str]:
    """The mentions that have a part in these tickets, which somebody has changed meanwhile."""
    reasons = {uid for decision in late for uid in decision.reasons}
    threads = {thread for decision in late for thread in decision.threads()}
    found = {uid for uid, row in rows.items() if uid in reasons or row.thread in threads}
    return found or set(rows)


def _write(decision: _Decision) -> Write:
    version = decision.before.version if decision.before is not None else None
    return Write(ticket=decision.after, version=version, events=decision.events)


def _note(report: Filling, decision: _Decision) -> None:
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
    rows = {row.uid: row for row in book.of_persons(rows.values())}
    targets = _load_targets(store, book, rows)
    owners = sorted({c for t in _homeless(book, targets) if (c := _customer(book, t))})
    if owners:
        posts = book.posts_of(owners)
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
            stand = _stand(ticket, before, case, rules, now)
            reasons = folds.reasons_of(case)
            decisions.append(msgspec.structs.replace(stand, reasons=reasons))
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
        apart = owner is not None and book.openers([thread])[0].alone
        if owner is not None and owner in customers.values() and not apart:
            owned.setdefault(owner, []).append(thread)
    for thread, customer in customers.items():
        if customer is None or book.openers([thread])[0].alone:
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
        after = derive.derive(ticket, case, derive.UNTOUCHED, rules, now)
        # By the clock of the post, so that a replay writes the same history.
        event = _event(after, "opened", after.opened_at)
        return _Decision(before=None, after=after, events=(event,))
    old = before.ticket
    if is_merged(old):
        news = case.openers[:1]
    else:
        news = folds.unseen_openers(old, case.openers)
        if not news and old.handling.snoozed_until is not None:
            news = folds.unseen_by_customer(old, case)
    if news and old.handling.snoozed_until is not None and old.status in ("new", "reopened"):
        newest = news[-1]
        woken = life.wake(old, TRIAGE, newest.created_at, "the customer wrote again", newest.uid)
        after = derive.derive(ticket, case, woken.ticket.handling, rules, now, old.incident)
        return _Decision(before=before, after=after, events=(woken.event,))
    if not news or "reopen" not in life.POSSIBLE[old.status]:
        after = derive.derive(ticket, case, old.handling, rules, now, old.incident)
        return _Decision(before=before, after=after)
    newest = news[-1]
    dealt_with = old.handling.closed_at or old.handling.contacted_at or newest.created_at
    at = max(newest.created_at, dealt_with)
    words = "a new complaint" if newest in case.openers else "the customer wrote again"
    change = life.reopen(old, TRIAGE, at, words, key=newest.uid)
    after = derive.derive(ticket, case, change.ticket.handling, rules, now, old.incident)
    return _Decision(before=before, after=after, events=(change.event,))


def _fall(before: Versioned, rows: Sequence[StoredMention], now: datetime) -> _Decision:
    """A ticket whose case no longer stands: its posts were deleted, or edited into something else.

    In the queue, it is dismissed, once: who reopens it keeps it. With an agent, it stays theirs.
    Either way the words of a deleted post are gone from it.
    """
    old = before.ticket
    opening = folds.opening_of(old)
    deleted = any(row.uid == opening and row.deleted for row in rows)
    after = folds.withdrawn(old, opening, deleted)
    stood = any(fold.reason in folds.OPENERS for fold in old.mentions)
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
