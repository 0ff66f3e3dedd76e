from __future__ import annotations

from datetime import timedelta

import pytest

from tests.triage.build import NOW, START, heard, only_ticket, triage
from tests.triage.dict_store import DictStore
from triage import claims, sla
from triage.calendars import Calendar
from triage.departments import DEPARTMENTS, Department
from triage.errors import BadRules, IllegalMove
from triage.rules import Agent, Rules, SpillOver

LANES = (*DEPARTMENTS, Department(name="ambassadors"), Department(name="community"))
RULES = Rules(
    departments=LANES,
    praise="ambassadors",
    questions="community",
    agents={
        "eve": Agent(departments=("billing",), languages=("fr",), capacity=2),
        "joe": Agent(departments=("delivery",)),
    },
    spill_over={"billing": SpillOver(to="delivery", above=2)},
    calendars={"office": Calendar(zone="Africa/Johannesburg")},
    calendar_of={"billing": "office"},
).check()
BILL = "you charged me twice on one invoice, number {}"


@pytest.fixture
def store() -> DictStore:
    return DictStore()


def bills(count: int, **fields: str) -> list[object]:
    return [heard(f"b{n}", BILL.format(1000 + n), f"p{n}", n / 10, **fields) for n in range(count)]  # type: ignore[arg-type]


def test_praise_goes_to_the_ambassadors_and_questions_to_the_community(store: DictStore) -> None:
    kind = heard("1", "what a lovely shop, thank you", complaint=False, cues=("thanks",))
    asked = heard("2", "do you sell kettles?", "ben", complaint=False, cues=("question",))
    plain = heard("3", "watching the match", "cid", complaint=False)
    answer = heard("4", "thank you!", "dee", complaint=False, cues=("thanks",), parent_id="9")
    triage(store, [kind, asked, plain, answer], RULES)
    assert {t.department for t in store.all_tickets()} == {"ambassadors", "community"}
    without = DictStore()
    triage(without, [kind, asked], Rules())
    assert not list(without.all_tickets())


def test_an_agent_gets_their_departments_and_languages_up_to_their_capacity(
    store: DictStore,
) -> None:
    triage(store, [*bills(3), *[heard("f", BILL.format(1), "zoe", language="fr")]], RULES)
    first = claims.claim_next(store, "eve", NOW, RULES)
    assert first is not None
    assert (first.department, first.language) == ("billing", "fr")
    assert claims.claim_next(store, "eve", NOW, RULES) is None
    more = [heard(f"g{n}", BILL.format(90 + n), f"g{n}", language="fr") for n in range(2)]
    triage(store, more, RULES)
    assert claims.claim_next(store, "eve", NOW, RULES) is not None
    with pytest.raises(IllegalMove, match="holds 2 tickets already, of at most 2"):
        claims.claim_next(store, "eve", NOW, RULES)
    assert claims.claim_next(store, "eve", NOW + RULES.lease, RULES) is not None


def test_a_full_queue_spills_over_by_rule_until_it_is_full_no_more(store: DictStore) -> None:
    triage(store, bills(4), RULES)
    taken = [claims.claim_next(store, "joe", NOW, RULES) for _ in range(3)]
    assert [ticket and ticket.department for ticket in taken] == ["billing", "billing", None]


def test_where_an_agent_sends_a_ticket_no_replay_changes(store: DictStore) -> None:
    triage(store, bills(1), RULES)
    ticket = only_ticket(store)
    assert ticket.department == "billing"
    claims.route(store, ticket.ticket, "delivery", "eve", NOW, RULES)
    triage(store, bills(1), RULES)
    assert only_ticket(store).department == "delivery"
    claims.route(store, ticket.ticket, None, "eve", NOW, RULES)
    triage(store, bills(1), RULES)
    assert only_ticket(store).department is None
    with pytest.raises(IllegalMove, match="no department"):
        claims.route(store, ticket.ticket, "nowhere", "eve", NOW, RULES)


def test_the_clock_runs_while_the_department_works(store: DictStore) -> None:
    night = START.replace(hour=18)  # a Monday, 20:00 in Johannesburg
    hours = (night - START) / timedelta(hours=1)
    triage(store, [heard("1", BILL.format(7), hours=hours)], RULES, night)
    ticket = only_ticket(store)
    assert ticket.tier == "P3"
    # 24 working hours of nine a day from Tuesday 08:00 on: Thursday 14:00, local time.
    assert ticket.sla_due == START.replace(day=5, hour=12)
    assert sla.state(ticket, START.replace(day=3, hour=5), RULES) == "ok"
    assert sla.state(ticket, START.replace(day=5, hour=11), RULES) == "breaching soon"


def test_the_forecast_says_which_tickets_will_be_reached_too_late(store: DictStore) -> None:
    triage(store, bills(4), Rules(), START)
    tickets = sorted(store.all_tickets(), key=lambda ticket: ticket.sla_due)
    told = sla.forecast(tickets, 0.1, START)
    assert [one.breaches for one in told] == [False, False, True, True]
    assert told[0].reached == START + timedelta(hours=10)


@pytest.mark.parametrize(
    "fields",
    [
        {"praise": "nowhere"},
        {"calendar": "nowhere"},
        {"spill_over": {"billing": SpillOver(to="billing", above=1)}},
        {"agents": {"eve": Agent(departments=("nowhere",))}},
        {"calendars": {"office": Calendar(zone="Moon")}},
        {"customer_values": {"ann": 1.0}},
    ],
)
def test_rules_that_name_what_is_not_there_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(BadRules, match=";"):
        Rules(**fields).check()  # type: ignore[arg-type]
