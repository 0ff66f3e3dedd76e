from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.triage.build import RULES, START, heard, only_ticket, triage
from tests.triage.dict_store import DictStore
from triage import life
from triage.claims import move
from triage.errors import IllegalMove
from triage.life import Action
from triage.ticket import Event, Status, Ticket

LEASE = timedelta(minutes=30)
AGENTS = ("eve", "joe")


def fresh() -> Ticket:
    store = DictStore()
    triage(store, [heard("1")])
    return only_ticket(store)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def test_a_claim_runs_out_and_then_anybody_may_have_the_ticket() -> None:
    held = life.claim(fresh(), "eve", at(0), LEASE).ticket
    with pytest.raises(IllegalMove, match="claimed by eve until 2026-03-02 08:30 UTC"):
        life.claim(held, "joe", at(29), LEASE)
    taken = life.claim(held, "joe", at(30), LEASE).ticket
    assert (taken.handling.agent, taken.handling.claimed_at) == ("joe", at(30))


def test_the_holder_extends_the_claim() -> None:
    held = life.claim(fresh(), "eve", at(0), LEASE).ticket
    longer = life.claim(held, "eve", at(20), LEASE).ticket
    assert longer.handling.lease_until == at(50)
    assert longer.handling.claimed_at == at(0)


def test_who_is_late_may_still_go_on_if_nobody_took_over() -> None:
    held = life.claim(fresh(), "eve", at(0), LEASE).ticket
    assert life.contact(held, "eve", at(90), "rang").ticket.status == "contacted"
    with pytest.raises(IllegalMove, match="claim it first"):
        life.contact(held, "joe", at(90))


def test_a_refused_move_names_what_is_possible() -> None:
    with pytest.raises(IllegalMove, match="is new: cannot resolve it; possible: claim, dismiss"):
        life.resolve(fresh(), "eve", at(0))


def test_a_released_ticket_goes_back_to_where_it_came_from() -> None:
    held = life.claim(fresh(), "eve", at(0), LEASE).ticket
    assert life.release(held, "eve", at(1)).ticket.status == "new"
    contacted = life.contact(held, "eve", at(1)).ticket
    again = life.reopen(contacted, "eve", at(2)).ticket
    held = life.claim(again, "joe", at(3), LEASE).ticket
    assert life.release(held, "joe", at(4)).ticket.status == "reopened"


def test_reopening_gives_as_much_time_as_before() -> None:
    ticket = fresh()
    given = ticket.sla_due - ticket.opened_at
    dismissed = life.dismiss(ticket, "eve", at(60)).ticket
    again = life.reopen(dismissed, "eve", at(600)).ticket
    assert again.sla_due == at(600) + given
    assert again.handling.outcome is None
    assert again.handling.closed_at is None


def test_a_transfer_goes_to_a_colleague_and_a_snooze_ends() -> None:
    held = life.claim(fresh(), "eve", at(0), LEASE).ticket
    handed = life.transfer(held, "eve", at(10), "joe", LEASE, "speaks French").ticket
    assert (handed.handling.agent, handed.free_from) == ("joe", at(40))
    with pytest.raises(IllegalMove, match="to nobody"):
        life.transfer(held, "eve", at(10), " ", LEASE)
    with pytest.raises(IllegalMove, match="it is past"):
        life.snooze(held, "eve", at(10), at(5))
    put_off = life.snooze(held, "eve", at(10), at(99)).ticket
    assert (put_off.status, put_off.free_from) == ("new", at(99))


def test_waiting_for_the_customer_stops_the_first_clock_and_ends_by_itself() -> None:
    held = life.claim(fresh(), "eve", at(0), LEASE).ticket
    waiting = move(held, "wait", "eve", at(10), RULES).ticket
    assert (waiting.status, waiting.handling.contacted_at) == ("waiting", at(10))
    assert waiting.free_from == at(10) + RULES.wait
    again = life.claim(waiting, "joe", at(9999), LEASE).ticket
    assert again.status == "claimed"
    assert again.handling.snoozed_until is None


class Lives(RuleBasedStateMachine):
    """Any agents doing anything at any time: the ticket never tells two stories."""

    def __init__(self) -> None:
        super().__init__()
        self.ticket = fresh()
        self.now = START
        self.events: list[Event] = []

    @rule(minutes=st.integers(1, 45))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(action=st.sampled_from(get_args(Action)), agent=st.sampled_from(AGENTS))
    def somebody_tries(self, action: Action, agent: str) -> None:
        before = self.ticket
        held_by_other = life.is_held(before, self.now) and before.handling.agent != agent
        more: Any = {"to": "joe", "until": self.now + timedelta(hours=5)}
        if action not in life.POSSIBLE[before.status] or (held_by_other and action != "note"):
            with pytest.raises(IllegalMove, match=f"^{before.ticket} .*cannot {action} it; .*$"):
                move(before, action, agent, self.now, RULES, "because", **more)
            return
        expired = before.status == "claimed" and before.handling.agent != agent
        if expired and action not in ("claim", "dismiss", "note"):
            with pytest.raises(IllegalMove, match="claim it first"):
                move(before, action, agent, self.now, RULES, "because", **more)
            return
        change = move(before, action, agent, self.now, RULES, "because", **more)
        assert change.event.at == self.now
        self.ticket = change.ticket
        self.events.append(change.event)
        self.now += timedelta(seconds=1)

    @rule(agent=st.sampled_from(AGENTS))
    def somebody_is_still_at_it(self, agent: str) -> None:
        before = self.ticket.handling
        if before.status == "claimed" and before.agent == agent:
            self.ticket = life.extend(self.ticket, agent, self.now, LEASE)
            assert life.is_held(self.ticket, self.now)
            return
        with pytest.raises(IllegalMove):
            life.extend(self.ticket, agent, self.now, LEASE)

    @precondition(lambda self: self.ticket.status in ("new", "reopened"))
    @rule(agent=st.sampled_from(AGENTS))
    def a_free_ticket_can_be_worked_through(self, agent: str) -> None:
        claimed = life.claim(self.ticket, agent, self.now, LEASE).ticket
        contacted = life.contact(claimed, agent, self.now).ticket
        assert life.resolve(contacted, agent, self.now, "helped").ticket.status == "resolved"

    @invariant()
    def the_handling_fits_the_status(self) -> None:
        handling = self.ticket.handling
        status: Status = handling.status
        assert (handling.lease_until is not None) == (status == "claimed")
        assert (handling.agent is None) == (status in ("new", "reopened"))
        assert (handling.closed_at is not None) == (status in ("resolved", "dismissed"))
        assert (handling.outcome is not None) == (status in ("resolved", "dismissed"))
        assert status not in ("contacted", "waiting") or handling.contacted_at is not None
        assert handling.snoozed_until is None or status in ("new", "waiting", "reopened")
        assert status != "waiting" or handling.snoozed_until is not None
        assert (self.ticket.free_from is None) == (
            handling.lease_until is None and handling.snoozed_until is None
        )
        assert status != "reopened" or handling.reopened_at is not None
        assert status != "new" or handling.reopened_at is None

    @invariant()
    def no_move_changes_what_is_derived(self) -> None:
        bare = msgspec.structs.replace(
            self.ticket,
            handling=FRESH.handling,
            sla_due=FRESH.sla_due,
            refresh_at=FRESH.refresh_at,
        )
        assert bare == FRESH

    @invariant()
    def every_move_is_an_event_of_its_own(self) -> None:
        assert len({event.id for event in self.events}) == len(self.events)


FRESH = fresh()
TestLives = Lives.TestCase
