"""What a fold did, in counts and ids, with examples of what it left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from triage import cases, derive
from triage.rules import Rules
from triage.store.base import Refusal, StoredMention

EXAMPLES = 20

UNKNOWN = "not stored"
BEYOND = "beyond what its case counts"


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


class Filling:
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
                text = derive.excerpt(row) if row is not None else ""
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
