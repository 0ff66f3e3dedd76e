"""The queue, the next ticket, a case on the screen, and what became of it."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from outcry import exits
from outcry.demo import AS_OF, Demo
from outcry.screen import short
from tests.outcry.shell import call, objects, only_line
from triage.outreach import COLUMNS

NOW = ("--as-of", AS_OF.isoformat())


def _queue(home: Path, *more: str) -> list[dict[str, Any]]:
    return objects(call(home, "queue", "--json", "--limit", "100", *NOW, *more))


def test_the_queue_for_scripts_has_these_keys_in_this_order(desk: Path) -> None:
    rows = _queue(desk)
    assert len(rows) > 10
    assert {tuple(row) for row in rows} == {COLUMNS}
    assert (
        *("ticket", "priority", "tier", "parts", "department", "status", "sla_due", "voices"),
        *("reach", "source", "link", "excerpt", "author", "incident"),
    ) == COLUMNS


def test_the_queue_is_by_priority_then_deadline(desk: Path) -> None:
    places = [(-row["priority"], row["sla_due"]) for row in _queue(desk)]
    assert places == sorted(places)


def test_the_parts_of_every_ticket_add_up_to_its_priority(desk: Path) -> None:
    for row in _queue(desk):
        total = sum(part["points"] for part in row["parts"])
        assert abs(min(100, max(0, total)) - row["priority"]) <= 0.5, row["ticket"]


def test_the_queue_for_people_is_a_line_a_ticket(desk: Path) -> None:
    result = call(desk, "queue", "--limit", "3", *NOW)
    assert result.exit_code == exits.DONE
    for row in _queue(desk)[:3]:
        assert short(row["ticket"]) in result.stdout
    assert all(len(line) <= 100 for line in result.stdout.splitlines())


def test_the_queue_as_csv_opens_in_a_spreadsheet(desk: Path) -> None:
    result = call(desk, "queue", "--csv", "--limit", "100", *NOW)
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [row["ticket"] for row in rows] == [row["ticket"] for row in _queue(desk)]


def test_json_and_csv_at_once_cannot_be(desk: Path) -> None:
    result = call(desk, "queue", "--json", "--csv")
    assert result.exit_code == exits.WRONG
    only_line(result)


def test_a_department_sees_its_own_tickets(desk: Path) -> None:
    rows = _queue(desk, "--department", "outages and faults")
    assert rows
    assert {row["department"] for row in rows} == {"outages and faults"}
    both = _queue(desk, "--department", "outages and faults", "--department", "none")
    assert {row["department"] for row in both} == {"outages and faults", None}


def test_the_lane_sorted_by_hand_can_be_asked_for(desk: Path) -> None:
    rows = _queue(desk, "--department", "none")
    assert rows
    assert {row["department"] for row in rows} == {None}


def test_an_unknown_department_is_named_with_those_that_are_there(desk: Path) -> None:
    result = call(desk, "queue", "--department", "biling")
    assert result.exit_code == exits.WRONG
    assert "billing, delivery" in only_line(result)


def test_an_empty_queue_says_what_to_do(tmp_path: Path) -> None:
    result = call(tmp_path / "home", "queue")
    assert result.exit_code == exits.DONE
    assert "Nobody is waiting" in result.stdout
    assert call(tmp_path / "home", "queue", "--json").stdout == ""


def test_next_claims_the_best_ticket_and_shows_the_case(desk: Path) -> None:
    best, second = _queue(desk)[:2]
    (found,) = objects(call(desk, "next", "--agent", "ann", "--json", *NOW))
    assert found["ticket"]["ticket"] == best["ticket"]
    assert found["ticket"]["handling"]["agent"] == "ann"
    assert found["events"][-1]["kind"] == "claimed"
    assert _queue(desk)[0]["ticket"] == second["ticket"]


def test_two_agents_get_two_tickets(desk: Path) -> None:
    (one,) = objects(call(desk, "next", "--agent", "ann", "--json", *NOW))
    (two,) = objects(call(desk, "next", "--agent", "ben", "--json", *NOW))
    assert one["ticket"]["ticket"] != two["ticket"]["ticket"]


def test_next_with_nobody_waiting_is_no_error(tmp_path: Path) -> None:
    result = call(tmp_path / "home", "next", "--agent", "ann", "--json")
    assert result.exit_code == exits.DONE
    assert result.stdout == ""
    assert "nobody is waiting" in only_line(result)


def test_a_case_is_shown_with_its_sum_its_posts_and_its_history(desk: Path, demo: Demo) -> None:
    best = _queue(desk)[0]
    result = call(desk, "show", best["ticket"][:6])
    assert result.exit_code == exits.DONE
    ticket = demo.cases[best["ticket"]].ticket
    for part in ticket.parts:
        assert f"{part.name}: {part.words}" in result.stdout
    assert f"priority {ticket.priority}, {ticket.tier}" in result.stdout
    assert "opened the case" in result.stdout
    assert "opened by triage" in result.stdout


def test_a_ticket_that_is_not_there_costs_one_line(desk: Path) -> None:
    result = call(desk, "show", "T-0000")
    assert result.exit_code == exits.WRONG
    assert "no ticket begins with 'T-0000'" in only_line(result)


def test_a_case_goes_from_claimed_to_contacted_to_resolved(desk: Path) -> None:
    ticket = _queue(desk)[0]["ticket"]
    call(desk, "next", "--agent", "ann", "--as-of", "2026-11-20T08:01Z")
    contacted = call(desk, "resolve", ticket, "--contacted", "--as-of", "2026-11-20T08:05Z")
    assert contacted.stdout == f"{ticket} is contacted\n"
    later = ("--as-of", "2026-11-20T09:30Z")
    resolved = call(desk, "resolve", ticket, "--outcome", "new adapter sent", "--json", *later)
    assert objects(resolved)[0]["status"] == "resolved"
    (found,) = objects(call(desk, "show", ticket, "--json"))
    assert found["ticket"]["handling"]["outcome"] == "new adapter sent"
    assert [event["kind"] for event in found["events"]] == [
        *("opened", "claimed", "contacted", "resolved"),
    ]
    assert {event["by"] for event in found["events"]} == {"triage", "ann"}


def test_a_ticket_that_nobody_holds_is_claimed_on_the_way(desk: Path) -> None:
    ticket = _queue(desk)[1]["ticket"]
    result = call(desk, "resolve", ticket, "--agent", "ben", "--outcome", "refunded", *NOW)
    assert result.stdout == f"{ticket} is resolved\n"


def test_a_dismissed_ticket_leaves_the_queue(desk: Path) -> None:
    ticket = _queue(desk)[2]["ticket"]
    result = call(desk, "resolve", ticket, "--agent", "ben", "--dismiss", "not ours", *NOW)
    assert result.stdout == f"{ticket} is dismissed\n"
    assert ticket not in {row["ticket"] for row in _queue(desk)}


def test_somebody_has_to_have_done_it(desk: Path) -> None:
    result = call(desk, "resolve", _queue(desk)[0]["ticket"], "--outcome", "refunded")
    assert result.exit_code == exits.WRONG
    assert "--agent NAME" in only_line(result)


@pytest.mark.parametrize("words", [(), ("--outcome", "x", "--dismiss", "y"), ("--outcome", "")])
def test_resolve_wants_to_know_what_happened(words: tuple[str, ...], desk: Path) -> None:
    result = call(desk, "resolve", _queue(desk)[0]["ticket"], "--agent", "ann", *words)
    assert result.exit_code == exits.WRONG
    assert "say what happened" in only_line(result)


def test_what_the_status_does_not_allow_costs_one_line(desk: Path) -> None:
    ticket = _queue(desk)[0]["ticket"]
    done = ("resolve", ticket, "--agent", "ann", "--outcome", "refunded", *NOW)
    assert call(desk, *done).exit_code == exits.DONE
    again = call(desk, *done)
    assert again.exit_code == exits.FAILED
    assert "is resolved: cannot resolve it" in only_line(again)


def test_a_replay_keeps_what_people_decided(desk: Path) -> None:
    ticket = _queue(desk)[0]["ticket"]
    call(desk, "resolve", ticket, "--agent", "ann", "--outcome", "refunded", *NOW)
    (step,) = objects(call(desk, "replay", "--triage", "--json"))
    assert step["parts"] == 1
    (triaged,) = objects(call(desk, "triage", "--json", *NOW))
    assert triaged["parts"] == 1
    (found,) = objects(call(desk, "show", ticket, "--json"))
    assert found["ticket"]["handling"]["status"] == "resolved"
