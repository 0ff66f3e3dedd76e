"""What the store holds around some mentions, read in a few batches."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from triage import cases, customers, folds
from triage.cases import Case
from triage.rows import repost_key
from triage.rules import Rules
from triage.store.base import Store, StoredMention, Versioned
from triage.ticket import Ticket

MERGED = "merged into "


def is_merged(ticket: Ticket) -> bool:
    """Whether triage has given the ticket up for an earlier one."""
    handling = ticket.handling
    return handling.status == "dismissed" and (handling.outcome or "").startswith(MERGED)


class Casebook:
    """A view of the store for one batch; read once, never written.

    ``members`` are the mentions of each loaded thread, ``tickets`` those that hold one of them,
    ``threads`` the threads of each of these tickets today: a thread that has got a new beginning
    since counts under its new name, and a thread that several tickets hold is the earliest's.
    """

    def __init__(self, store: Store, rules: Rules) -> None:
        self._store = store
        self._rules = rules
        self.members: dict[str, list[StoredMention]] = {}
        self.tickets: dict[str, Versioned] = {}
        self.threads: dict[str, set[str]] = {}
        self.holder: dict[str, str] = {}
        self._decided = cases.Decided({}, {})
        self._named: dict[str, set[str]] = {}
        self._copies: dict[str, list[StoredMention]] = {}
        self._originals: dict[str, dict[str, StoredMention]] = {}
        self._openers: dict[str, list[StoredMention]] = {}
        self._asked: dict[str, dict[str, StoredMention]] = {}
        self._beyond: dict[str, dict[str, StoredMention]] = {}
        self._decisions_of: set[str] = set()
        self._persons: dict[str, str | None] = {}
        self._candidates: dict[str, bool] = {}

    def load(self, threads: Iterable[str]) -> None:
        """Read these threads, the tickets that hold them, and what else these tickets hold."""
        wanted = set(threads) - self.members.keys()
        while wanted:
            self._read_members(wanted)
            wanted = self._read_tickets(wanted) - self.members.keys()
        self._settle_holders()
        self._openers.clear()
        self.load_copies(
            row for rows in self.members.values() for row in rows if self.is_candidate(row)
        )

    def load_copies(self, rows: Iterable[StoredMention]) -> None:
        """Read what has the same words as these rows, and what became of it before."""
        rows = list(rows)
        for row in rows:
            self._ask_for(row)
        wanted = sorted({row.fingerprint for row in rows if row.fingerprint} - self._copies.keys())
        if not wanted:
            return
        self._copies |= {fingerprint: [] for fingerprint in wanted}
        found = self.of_persons(self._store.copies(wanted))
        for row in found:
            self._copies[row.fingerprint].append(row)
        alone = {key for key in wanted if len(self._copies[key]) < 2}
        crowded = [row for row in found if row.fingerprint not in alone]
        threads = {row.thread for row in crowded if self.is_candidate(row)} - self._decisions_of
        self._decisions_of |= threads
        if threads:
            self._note_decisions(self._store.tickets_of_threads(sorted(threads)))

    def of_persons(self, rows: Iterable[StoredMention]) -> list[StoredMention]:
        """These rows with the person, where their customer is one account of several."""
        rows = list(rows)
        unknown = {row.customer for row in rows if row.customer} - self._persons.keys()
        if unknown:
            self._persons |= dict.fromkeys(unknown)
            self._persons |= customers.persons(self._store, unknown)
        return [
            msgspec.structs.replace(row, customer=person)
            if row.customer and (person := self._persons[row.customer])
            else row
            for row in rows
        ]

    def posts_of(self, persons: Iterable[str]) -> list[StoredMention]:
        """What these persons, or customers of one account, have said, on any of them."""
        everywhere: set[str] = set()
        of_several = set(self._persons.values())
        for person in persons:
            known = person in of_several
            everywhere |= set(customers.accounts(self._store, person)) if known else {person}
        return self.of_persons(self._store.posts_of_customers(sorted(everywhere)))

    def original(self, row: StoredMention) -> StoredMention | None:
        """The candidate whose words the row repeats; None if there is none (or no words)."""
        if not row.fingerprint or row.alone:
            return row if self.is_candidate(row) else None
        known = self._originals_in(row.fingerprint)
        if row.uid not in known:
            known = self._originals_beyond(row)
        return known.get(row.uid)

    def openers(self, threads: Iterable[str]) -> list[StoredMention]:
        """The posts in these threads that make a case, oldest first."""
        threads = list(threads)
        for thread in threads:
            if thread not in self._openers:
                rows = self.members.get(thread, ())
                self._openers[thread] = [row for row in rows if self.is_opener(row)]
        if len(threads) == 1:
            return self._openers[threads[0]]
        return cases.oldest_first(row for thread in threads for row in self._openers[thread])

    def is_opener(self, row: StoredMention) -> bool:
        if not self.is_candidate(row):
            return False
        original = self.original(row)
        return original is not None and cases.is_by(row, original)

    def cases(self, wanted: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], Case]:
        """The case that each set of threads makes, for those that make one."""
        openers = {threads: found for threads in wanted if (found := self.openers(threads))}
        self._read_reposts(openers)
        return {threads: self._case(threads, found) for threads, found in openers.items()}

    def _case(self, threads: tuple[str, ...], openers: list[StoredMention]) -> Case:
        rows = [row for thread in threads for row in self.members[thread] if not row.deleted]
        uids = {row.uid for row in openers}
        copies, reposts = [], []
        for key in sorted({row.fingerprint for row in openers if row.fingerprint}):
            originals = self._originals_in(key)
            for row in self._copies[key]:
                original = originals.get(row.uid)
                if original is None or original.uid not in uids or row.deleted or row.owner:
                    continue
                if row.repost:
                    reposts.append(row)
                elif self.is_candidate(row) and not cases.is_by(row, original):
                    copies.append(row)
        posts = [
            row
            for row in rows
            if row.uid not in uids and not (row.owner or row.repost) and not self.is_candidate(row)
        ]
        for row in [*openers, *posts, *copies]:
            plain = self._copies.get(repost_key(row.uid), ())
            reposts += [copy for copy in plain if copy.repost and not copy.deleted]
        return Case(
            threads=tuple(sorted(threads)),
            openers=openers,
            posts=cases.oldest_first(posts),
            answers=[row for row in rows if row.owner],
            copies=cases.oldest_first(copies),
            reposts=cases.oldest_first(row for row in reposts if not row.owner),
        )

    def _read_reposts(self, openers: dict[tuple[str, ...], list[StoredMention]]) -> None:
        """Read the reposts that name an item of these cases."""
        uids = {row.uid for threads in openers for t in threads for row in self.members[t]}
        for found in openers.values():
            keys = {row.fingerprint for row in found if row.fingerprint}
            uids |= {row.uid for key in keys for row in self._copies[key] if not row.repost}
        wanted = sorted({repost_key(uid) for uid in uids} - self._copies.keys())
        self._copies |= {key: [] for key in wanted}
        for row in self.of_persons(self._store.copies(wanted)) if wanted else ():
            self._copies[row.fingerprint].append(row)

    def is_candidate(self, row: StoredMention) -> bool:
        """Whether somebody should answer it: see `triage.cases`."""
        if (known := self._candidates.get(row.uid)) is None:
            known = self._candidates[row.uid] = cases.refusal(row, self._rules) is None
        return known

    def _originals_in(self, fingerprint: str) -> dict[str, StoredMention]:
        if fingerprint not in self._originals:
            rows = self._copies.get(fingerprint, ())
            self._originals[fingerprint] = cases.originals(rows, self._rules, self._decided)
        return self._originals[fingerprint]

    def _originals_beyond(self, row: StoredMention) -> dict[str, StoredMention]:
        """The originals of what was asked for beyond the store's first 500 copies."""
        key = row.fingerprint
        self._ask_for(row)
        if key not in self._beyond:
            rows = [*self._copies.get(key, ()), *self._asked[key].values()]
            self._beyond[key] = cases.originals(rows, self._rules, self._decided)
        return self._beyond[key]

    def _ask_for(self, row: StoredMention) -> None:
        asked = self._asked.setdefault(row.fingerprint, {})
        if row.uid not in asked:
            asked[row.uid] = row
            self._beyond.pop(row.fingerprint, None)

    def _read_members(self, threads: set[str]) -> None:
        self.members |= {thread: [] for thread in sorted(threads)}
        for row in self.of_persons(self._store.members(sorted(threads))):
            self.members[row.thread].append(row)

    def _read_tickets(self, threads: set[str]) -> set[str]:
        """Read the tickets that hold these threads under any name they have had; their threads."""
        names = set(threads)
        for thread in threads:
            for row in self.members[thread]:
                names.add(row.uid)
                if row.parent is not None:
                    names.add(row.parent)
        found = self._store.tickets_of_threads(sorted(names))
        fresh = [entry for entry in found if entry.ticket.ticket not in self.tickets]
        self.tickets |= {entry.ticket.ticket: entry for entry in fresh}
        self._note_decisions(fresh)
        return self._name_threads([entry.ticket for entry in fresh])

    def _note_decisions(self, found: Iterable[Versioned]) -> None:
        for entry in found:
            for fold in entry.ticket.mentions if not is_merged(entry.ticket) else ():
                if fold.reason in folds.OPENERS:
                    self._decided.openers[fold.uid] = entry.ticket.ticket
                elif fold.reason in folds.VOICES:
                    self._decided.voices[fold.uid] = entry.ticket.ticket
        self._originals.clear()
        self._beyond.clear()
        self._openers.clear()

    def _name_threads(self, tickets: list[Ticket]) -> set[str]:
        """Find out what the threads of these tickets are called today."""
        openings = {ticket.ticket: folds.opening_of(ticket) for ticket in tickets}
        asked = {thread for ticket in tickets for thread in ticket.threads}
        asked |= {uid for uid in openings.values() if uid}
        rows = self._store.mentions(sorted(asked)) if asked else {}
        for ticket in tickets:
            names = set()
            opening = rows.get(openings[ticket.ticket] or "")
            for thread in ticket.threads:
                row = rows.get(thread)
                if row is not None and row.owner and opening is not None:
                    row = opening
                names.add(row.thread if row is not None else thread)
            self._named[ticket.ticket] = names
        return set().union(*(self._named[ticket.ticket] for ticket in tickets))

    def _settle_holders(self) -> None:
        """Give each thread to the earliest of the tickets that hold it."""
        entries = (entry.ticket for entry in self.tickets.values())
        live = [ticket for ticket in entries if not is_merged(ticket)]
        self.holder.clear()
        for ticket in sorted(live, key=lambda ticket: (ticket.opened_at, ticket.ticket)):
            for thread in sorted(self._named[ticket.ticket]):
                self.holder.setdefault(thread, ticket.ticket)
        self.threads = {ticket.ticket: set() for ticket in live}
        for thread, ticket_id in self.holder.items():
            self.threads[ticket_id].add(thread)

    def stale(self) -> set[str]:
        """The tickets whose threads have got another name, or another ticket, since."""
        entries = ((ticket, self.tickets[ticket].ticket) for ticket in self.threads)
        return {ticket for ticket, entry in entries if self.threads[ticket] != set(entry.threads)}

    def rival(self, ticket: str) -> str | None:
        """The ticket that holds what this one held; None unless it has lost everything."""
        if self.threads.get(ticket):
            return None
        holders = {self.holder[thread] for thread in self._named.get(ticket, ())}
        return self.earliest(holders) if holders else None

    def earliest(self, tickets: Iterable[str]) -> str:
        """The one of these loaded tickets that was opened first."""
        return min(tickets, key=lambda ticket: (self.tickets[ticket].ticket.opened_at, ticket))

    def rows_of(self, ticket: Ticket) -> list[StoredMention]:
        """The loaded mentions of the threads that a ticket holds today."""
        threads = self.threads.get(ticket.ticket, set())
        return [row for thread in sorted(threads) for row in self.members[thread]]
