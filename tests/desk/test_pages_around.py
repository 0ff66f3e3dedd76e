"""Incidents, customers, coverage, team and settings in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from listeners import ledger
from tests.desk.seats import Room
from tests.desk.test_pages_work import queue_of, ticket_of
from triage import customers
from triage.incidents import find_incident, incidents
from triage.notices import notices

pytestmark = pytest.mark.browser


def test_an_incident_from_its_curve_to_everybody_told(room: Room) -> None:
    board = room.board
    board.later(hours=3)  # nobody is told at night
    name = next(incidents(board.store)).incident
    seat = room.seat("lindiwe", "lead")
    page = seat.go("/incidents")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/incidents/{name}")
    expect(page.get_by_role("img", name="Posts in each 15 minutes")).to_be_visible()
    page.get_by_role("button", name="Keep as its name").click()
    expect(page.locator("[data-focus]")).to_contain_text("write something first")
    page.get_by_role("button", name="Takes care").click()
    expect(page.get_by_text("lindiwe takes care")).to_be_visible()
    page.get_by_label("What it is about").fill("the fibre fault in <Doornvlei>")
    page.get_by_role("button", name="It is fixed").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("the fibre fault in <Doornvlei>")
    page.get_by_role("button", name="Make the list").click()
    expect(page.get_by_text("The list is up to date.")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("The notices are approved.")).to_be_visible()
    assert {one.approved_by for one in notices(board.store, name) if one.state == "approved"} == {
        "lindiwe"
    }
    page.get_by_label("Why you need to know who they are").fill("to tell them")
    page.get_by_role("button", name="Show who they are").click()
    expect(page.get_by_role("region", name="Table: Notices")).to_contain_text(" on ")
    page.get_by_role("button", name="They have been told").click()
    expect(page.get_by_text("Written down who was told.")).to_be_visible()
    assert {one.state for one in notices(board.store, name)} <= {"told", "withheld"}
    page.get_by_role("button", name="Close").first.click()
    expect(page.locator(".casehead")).to_contain_text("closed")
    assert find_incident(board.store, name)[0].state == "closed"


def test_an_agent_sees_an_incident_and_cannot_change_it(room: Room) -> None:
    seat = room.seat("thandi", "agent")
    name = next(incidents(room.board.store)).incident
    page = seat.go(f"/incidents/{name}")
    expect(page.get_by_text("Leads confirm and fix incidents.")).to_be_visible()
    assert page.get_by_role("button", name="It is fixed").count() == 0
    assert page.get_by_role("link", name="Team").count() == 0


def test_accounts_are_joined_with_a_reason_and_the_link_is_undone(room: Room) -> None:
    board = room.board
    one, other, *_ = (ticket.customer for ticket in queue_of(board))
    seat = room.seat("lindiwe", "agent")
    page = seat.go(f"/customers/{one}")
    page.get_by_label("Another account that is theirs").fill(other)
    page.locator("#reason-other").fill("says so in both")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("The accounts are one person now.")).to_be_visible()
    expect(page.get_by_text("lindiwe says so")).to_be_visible()
    assert len(customers.accounts(board.store, one)) == 2
    assert seat.violations() == []
    page.locator("#reason-1").fill("two people after all")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("The accounts are two people now")).to_be_visible()
    assert customers.accounts(board.store, one) == [one]


def test_a_privacy_officer_erases_a_person_and_sees_the_proof(room: Room) -> None:
    board = room.board
    name = queue_of(board)[0].ticket
    seat = room.seat("petra", "privacy")
    page = seat.go("/customers")
    page.get_by_label("Account, as source:handle").fill(name)
    page.get_by_label("The same once more").fill("something else")
    page.locator("#why").fill("asked by e-mail")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.locator("[data-focus]")).to_contain_text("write the account twice")
    assert ticket_of(board, name).ticket == name
    page.get_by_label("The same once more").fill(name)
    page.get_by_role("button", name="Erase for good").click()
    proof = page.get_by_role("status").filter(has=page.get_by_role("heading", name="Erased"))
    expect(proof).to_contain_text("landing zone: 0 bytes of them")
    expect(proof).to_contain_text("store: mentions: 0 bytes of them")
    # The file that was imported is the operator's own, and the page says so.
    expect(proof).to_contain_text("not ours to change")
    assert board.store.tickets([name]) == {}
    assert seat.violations() == []


def test_the_books_the_team_and_the_settings_show_what_there_is(room: Room) -> None:
    board = room.board
    seat = room.seat("lindiwe", "lead")
    (read,) = ledger.rows(board.settings.landing)  # by the wall clock
    page = seat.go(f"/coverage?unit=month&period={read.finished_at:%Y-%m}")
    expect(page.get_by_role("region", name="Table: The ledger")).to_contain_text("import/file")
    seat.go("/coverage?period=yesterday")
    expect(page.get_by_role("alert").filter(has_text="is no day")).to_be_visible()
    seat.go("/queue")
    page.keyboard.press("n")
    expect(page.get_by_text("The case is yours.")).to_be_visible()
    seat.go("/team")
    people = page.get_by_role("region", name="Table: People")
    expect(people).to_contain_text("lindiwe")
    lanes = page.get_by_role("region", name="Table: Departments")
    for department in board.settings.rules.departments:
        expect(lanes).to_contain_text(department.name)
    seat.go("/settings")
    assert board.settings.rules.pseudonym_key is None or (
        board.settings.rules.pseudonym_key not in page.content()
    )
    expect(page.get_by_role("region", name="Table: Weights")).to_contain_text("certainty")
