"""Agents regroup cases in any order, between replays: nothing is lost, doubled or undone."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.triage.build import NOW, RULES, heard, triage
from tests.triage.dict_store import DictStore
from triage import cases, regroup
from triage.casebook import is_merged
from triage.errors import IllegalMove
from triage.ticket import Ticket

KETTLE = "the kettle I bought from you leaks all over the kitchen"
PAIRS = [
    heard("1", KETTLE, "ann"),
    heard("2", f"{KETTLE} floor", "ben", 1),
    heard("3", "my invoice is wrong by ninety rand", "cid", 2, parent_id="1"),
    heard("4", "where is my parcel", "dee", 3),
    heard("5", "the parcel is still not here", "dee", 30),
    heard("6", f"RT @ann: {KETTLE}", "eva", 4),
]


class Regroupings(RuleBasedStateMachine):
    """What holds after every step is stated below."""

    def __init__(self) -> None:
        super().__init__()
        self.store = DictStore()
        self.now = NOW
        self.refused = 0
        triage(self.store, PAIRS, now=NOW)

    def live(self) -> list[Ticket]:
        return [ticket for ticket in self.store.all_tickets() if not is_merged(ticket)]

    @rule(one=st.integers(0, 9), other=st.integers(0, 9))
    def merge(self, one: int, other: int) -> None:
        live = self.live()
        giver, taker = live[one % len(live)], live[other % len(live)]
        self._try(lambda: regroup.merge(
            self.store, giver.ticket, taker.ticket, "eve", self.now, RULES
        ))  # fmt: skip

    @rule(one=st.integers(0, 9), post=st.integers(0, 9))
    def split(self, one: int, post: int) -> None:
        live = self.live()
        ticket = live[one % len(live)]
        uid = ticket.mentions[post % len(ticket.mentions)].uid if ticket.mentions else "none"
        self._try(lambda: regroup.split(self.store, ticket.ticket, [uid], "eve", self.now, RULES))

    @rule(one=st.integers(0, 9))
    def unmerge(self, one: int) -> None:
        tickets = list(self.store.all_tickets())
        ticket = tickets[one % len(tickets)]
        self._try(lambda: regroup.unmerge(self.store, ticket.ticket, "eve", self.now, RULES))

    def _try(self, step: object) -> None:
        self.now += timedelta(minutes=1)
        try:
            step()  # type: ignore[operator]
        except IllegalMove:
            self.refused += 1

    @invariant()
    def every_complaint_is_in_one_live_case_and_a_replay_changes_nothing(self) -> None:
        triage(self.store, PAIRS, now=NOW)
        held = Counter(fold.uid for ticket in self.live() for fold in ticket.mentions)
        candidates = {
            uid for uid, row in self.store.rows.items() if cases.refusal(row, RULES) is None
        }
        assert candidates <= held.keys()
        assert {uid for uid, n in held.items() if n > 1} == set()
        before = dict(self.store.kept)
        triage(self.store, PAIRS, now=NOW)
        assert self.store.kept == before


Regroupings.TestCase.settings = settings(max_examples=15, stateful_step_count=8, deadline=None)
TestRegroupings = Regroupings.TestCase
