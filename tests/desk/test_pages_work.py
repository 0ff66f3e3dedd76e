"""Working in the browser: from the queue to the outcome, by keys, by hand, without scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from desk.accounts import add_user
from tests.desk.board import PASSWORD, Board
from tests.desk.seats import Room
from triage import claims
from triage.contacts import labels
from triage.store.base import QueueFilter
from triage.ticket import Ticket

pytestmark = pytest.mark.browser

TYPED = "We looked into it, thank you for telling us. \U0001f64f"


def queue_of(board: Board) -> list[Ticket]:
    wanted = QueueFilter(statuses=("new",), free_at=board.now)
    return [one.ticket for one in board.store.queue(wanted, size=30).tickets]


def ticket_of(board: Board, name: str) -> Ticket:
    return claims.find(board.store, name).ticket


def kinds_of(board: Board, name: str) -> list[str]:
    return [event.kind for event in board.store.events(name)]


def current(page: Page) -> str:
    """The case that the page shows."""
    found = re.search(r"/cases/(T-\w+)", page.url)
    assert found, page.url
    return found[1]


def test_the_first_day_from_signing_in_to_the_first_resolved_case(room: Room) -> None:
    add_user(room.board.store, "thandi", ("agent",), PASSWORD, room.board.now)
    seat = room.stranger()
    page = seat.go("/")
    page.get_by_label("Name").fill("thandi")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/queue")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_text("The case is yours.")).to_be_visible()
    name = current(page)
    page.get_by_label("Start from a template").select_option("reply")
    page.get_by_role("button", name="Check tone and privacy").click()
    expect(page.get_by_text("May go out")).to_be_visible()
    page.get_by_label("Reply").fill("CALM DOWN!! We refund you R500, send us your card number")
    page.get_by_role("button", name="Check tone and privacy").click()
    tone = page.locator("#tone")
    for fault in ("money", "blame", "asks for personal data", "shouting"):
        expect(tone).to_contain_text(fault)
    page.get_by_label("Note for the history").fill("called back, all is well")
    page.get_by_role("heading", name="Work on it").click()
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("1")
    expect(page.get_by_text("The outcome is written down.")).to_be_visible()
    done = ticket_of(room.board, name)
    assert done.status == "resolved"
    assert done.handling.agent == "thandi"
    assert [label.outcome for label in labels(room.board.store)] == ["resolved"]
    expect(page.locator(".trail")).to_contain_text("called back, all is well")
    page.keyboard.press("n")
    expect(page.get_by_text("The case is yours.")).to_be_visible()
    assert current(page) != name
    # What was sent is no draft any more, and the next case does not inherit it.
    assert page.get_by_label("Note for the history").input_value() == ""
    page.goto(f"{room.address}/cases/{name}")
    page.get_by_role("button", name="Open it again").click()
    expect(page.get_by_text("The case is open again.")).to_be_visible()
    assert page.get_by_label("Note for the history").input_value() == ""


def test_the_queue_goes_by_keys_alone(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    page = seat.go("/queue")
    first, second, third, *_ = queue_of(room.board)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/cases/{second.ticket}")
    page.keyboard.press("q")
    page.wait_for_url("**/queue")
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.get_by_text("The case is yours.")).to_be_visible()
    assert current(page) == first.ticket
    assert ticket_of(room.board, first.ticket).handling.agent == "lindiwe"
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.hasAttribute('data-post')")
    page.keyboard.press("r")
    page.keyboard.type("jkn1")
    assert page.get_by_label("Reply").input_value() == "jkn1"
    assert ticket_of(room.board, third.ticket).status == "new"


def test_the_skip_link_is_first_and_leads_to_the_content(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    page = seat.go("/queue")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").startswith("Take the next case")


def test_filters_live_in_the_address(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    page = seat.go("/queue")
    everything = page.locator("[data-ticket]").count()
    page.get_by_label("Tier").select_option("P1")
    page.wait_for_url("**tier=P1**")
    urgent = page.locator("[data-ticket]").count()
    assert 0 < urgent < everything
    page.get_by_label("Department").select_option("outages and faults")
    page.wait_for_url(re.compile("department=outages.*tier=P1"))
    shared = page.url
    page.get_by_role("link", name="Clear").click()
    assert page.locator("[data-ticket]").count() == everything
    page.go_back()
    assert page.url == shared
    assert page.get_by_label("Department").input_value() == "outages and faults"
    seat.go("/queue?language=xx")
    expect(page.get_by_role("heading", name="No case fits these filters")).to_be_visible()


def test_the_list_changes_by_itself_and_the_choice_stays(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    page = seat.go("/queue")
    first, second, *_ = queue_of(room.board)
    page.wait_for_function("document.querySelector('[sse-connect]') !== null")
    page.keyboard.press("j")
    page.keyboard.press("j")
    claims.act(
        room.board.store, first.ticket, "claim", "sipho", room.board.now, room.board.settings.rules
    )
    expect(page.locator(f"[data-ticket={first.ticket}]")).to_have_count(0)
    chosen = "document.activeElement.closest('[data-ticket]')?.dataset.ticket"
    page.wait_for_function(f"{chosen} === '{second.ticket}'")


def test_an_empty_queue_says_so_and_fills_by_itself(room: Room) -> None:
    board = room.board
    for ticket in queue_of(board):
        claims.act(board.store, ticket.ticket, "claim", "sipho", board.now, board.settings.rules)
    seat = room.seat("lindiwe", "agent")
    page = seat.go("/queue")
    expect(page.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    assert seat.violations() == []
    page.keyboard.press("n")
    expect(page.get_by_text("the queue has no free case for you")).to_be_visible()
    held = board.store.queue(QueueFilter(agent="sipho")).tickets[0].ticket.ticket
    claims.act(board.store, held, "release", "sipho", board.now, board.settings.rules)
    expect(page.locator(f"[data-ticket={held}]")).to_have_count(1)


def test_hand_over_put_off_send_and_note(room: Room) -> None:
    board = room.board
    first, second, third, *_ = (one.ticket for one in queue_of(board))
    seat = room.seat("lindiwe", "agent")
    board.person("sipho", "agent")
    page = seat.page

    def open_more(name: str) -> None:
        seat.go(f"/cases/{name}")
        page.get_by_role("button", name="Claim this case").click()
        expect(page.get_by_text("The case is yours.")).to_be_visible()
        page.get_by_text("Note, hand over, put off").click()

    open_more(first)
    page.get_by_label("Keep a note").fill("=SUM(1+1)")
    page.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_text("The note is kept.")).to_be_visible()
    board.later(seconds=1)
    page.get_by_text("Note, hand over, put off").click()
    page.get_by_label("Hand to a colleague").fill("sipho")
    page.get_by_label("What they should know").fill("speaks Zulu")
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("The case is handed over.")).to_be_visible()
    assert ticket_of(board, first).handling.agent == "sipho"
    assert kinds_of(board, first)[-2:] == ["noted", "transferred"]

    open_more(second)
    page.get_by_label("For how long").select_option("4")
    page.get_by_role("button", name="Put it off").click()
    expect(page.get_by_text("The case is put off")).to_be_visible()
    put_off = ticket_of(board, second).handling.snoozed_until
    assert put_off is not None
    assert (put_off - board.now).total_seconds() == 4 * 3600

    open_more(third)
    page.get_by_label("Send to a department").select_option("legal and regulator")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text("The case is with the other department.")).to_be_visible()
    assert ticket_of(board, third).department == "legal and regulator"


def test_merge_undo_and_split(room: Room) -> None:
    board = room.board
    tickets = queue_of(board)
    story = next(one for one in tickets if len(one.threads) > 1)
    other = next(one for one in tickets if one.ticket != story.ticket)
    seat = room.seat("lindiwe", "agent")
    page = seat.go(f"/cases/{story.ticket}")
    page.get_by_text("Split and merge").click()
    page.get_by_label("Take in another case").fill(other.ticket)
    page.get_by_role("button", name="Merge into this one").click()
    expect(page.get_by_text("The other case is a part of this one now.")).to_be_visible()
    assert ticket_of(board, other.ticket).status == "dismissed"
    seat.go(f"/cases/{other.ticket}")
    page.get_by_role("button", name="Undo the merge").click()
    expect(page.get_by_text("The merge is undone.")).to_be_visible()
    assert ticket_of(board, other.ticket).status == "reopened"
    seat.go(f"/cases/{story.ticket}")
    page.get_by_text("Split and merge").click()
    page.get_by_role("button", name="Split them off").click()
    expect(page.get_by_role("alert").get_by_text("no post is chosen")).to_be_visible()


def test_who_it_is_asks_for_a_reason_and_records_it(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    name = queue_of(room.board)[0].ticket
    page = seat.go(f"/cases/{name}")
    page.get_by_label("Reply").fill(TYPED)
    page.get_by_label("Why you need to know").fill("to answer in private")
    page.get_by_role("button", name="Show who it is").click()
    expect(page.get_by_text("That you looked is recorded.")).to_be_visible()
    assert page.get_by_label("Reply").input_value() == TYPED
    officer = room.board.person("petra", "privacy")
    (read, *_) = officer.get("/vault/reads").json()["items"]
    assert read["by"] == "lindiwe"
    assert "to answer in private" in read["reason"]


def test_everything_goes_without_scripts(room: Room) -> None:
    seat = room.seat("lindiwe", "agent", java_script_enabled=False)
    page = seat.go("/queue")
    page.get_by_role("button", name="Take the next case").click()
    name = current(page)
    page.get_by_label("Reply").fill("you should have known better")
    page.get_by_role("button", name="Check tone and privacy").click()
    expect(page.get_by_text("This must not stand in a public reply")).to_be_visible()
    assert page.get_by_label("Reply").input_value() == "you should have known better"
    rules = room.board.settings.rules
    room.board.later(seconds=1)
    claims.act(room.board.store, name, "note", "sipho", room.board.now, rules, "their router")
    page.get_by_label("Note for the history").fill(TYPED)
    page.get_by_role("button", name="Already solved").click()
    expect(page.get_by_role("alert").get_by_text("their router")).to_be_visible()
    assert page.get_by_label("Note for the history").input_value() == TYPED
    page.get_by_role("button", name="Already solved").click()
    expect(page.get_by_text("The outcome is written down.")).to_be_visible()
    assert ticket_of(room.board, name).status == "resolved"
