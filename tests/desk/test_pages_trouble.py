"""What goes wrong at the desk, and that nothing typed is lost by it: in real browsers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from desk.accounts import switch_off
from tests.desk.board import Board
from tests.desk.running import running
from tests.desk.seats import Room, Seat
from tests.desk.test_pages_work import current, queue_of, ticket_of
from triage import claims

pytestmark = pytest.mark.browser

TYPED = "We looked into it: \u05e9\u05dc\u05d5\u05dd, thank you \U0001f64f"


def act(board: Board, name: str, action: claims.Action, by: str, words: str = "") -> None:
    """Somebody else does something, a moment later."""
    board.later(seconds=1)
    claims.act(board.store, name, action, by, board.now, board.settings.rules, words)


def take(seat: Seat, name: str) -> Page:
    """Claim a case and begin to write."""
    page = seat.go(f"/cases/{name}")
    page.get_by_role("button", name="Claim this case").click()
    expect(page.get_by_text("The case is yours.")).to_be_visible()
    page.get_by_label("Reply").fill(TYPED)
    page.get_by_label("Note for the history").fill(TYPED)
    return page


def assert_typed_is_there(page: Page) -> None:
    expect(page.get_by_label("Reply")).to_have_value(TYPED)
    expect(page.get_by_label("Note for the history")).to_have_value(TYPED)


def look_again(page: Page) -> None:
    """What the page does by itself every few seconds, and when it is looked at again."""
    with page.expect_response(re.compile("/state")):
        page.evaluate("htmx.trigger(document.body, 'look')")


def test_two_who_press_next_at_once_get_two_cases(room: Room) -> None:
    people = [room.board.person(name, "agent") for name in ("lindiwe", "sipho", "thandi", "zola")]

    def take_next(number: int) -> str:
        person = people[number]
        answer = person.client.post("/queue/next", data={"csrf": person.csrf})
        assert answer.status_code == 303
        return str(answer.headers["location"])

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take_next, range(4)))
    assert len(set(taken)) == 4
    assert all(one.endswith("?done=claim") for one in taken)


def test_two_who_claim_one_case_one_gets_it_the_other_is_told_by_name(room: Room) -> None:
    lindiwe, sipho = room.seat("lindiwe", "agent"), room.seat("sipho", "agent")
    name = queue_of(room.board)[0].ticket
    for seat in (lindiwe, sipho):
        seat.go("/queue?live=off")
    lindiwe.page.locator(f"[data-ticket={name}]").get_by_role("button", name="Claim").click()
    expect(lindiwe.page.get_by_text("The case is yours.")).to_be_visible()
    sipho.page.locator(f"[data-ticket={name}]").get_by_role("button", name="Claim").click()
    expect(sipho.page.get_by_role("heading", name="lindiwe was faster")).to_be_visible()
    assert sipho.violations() == []
    assert ticket_of(room.board, name).handling.agent == "lindiwe"
    sipho.page.keyboard.press("n")
    expect(sipho.page.get_by_text("The case is yours.")).to_be_visible()
    assert current(sipho.page) != name


def test_who_reads_a_case_that_another_claims_meanwhile_keeps_what_they_typed(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    name = queue_of(room.board)[0].ticket
    page = seat.go(f"/cases/{name}")
    page.get_by_label("Reply").fill(TYPED)
    page.get_by_label("Note for the history").fill(TYPED)
    act(room.board, name, "claim", "sipho")
    page.get_by_role("button", name="Resolved").click()
    alert = page.locator("[data-focus]")
    expect(alert).to_contain_text("claimed by sipho")
    expect(alert).to_contain_text("What you typed is still here")
    assert_typed_is_there(page)
    assert ticket_of(room.board, name).status == "claimed"
    assert [event.kind for event in room.board.store.events(name)].count("noted") == 0
    assert seat.violations() == []


def test_a_case_that_changed_under_ones_hands_shows_what_changed(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    name = queue_of(room.board)[0].ticket
    page = take(seat, name)
    act(room.board, name, "note", "sipho", "<b>they</b> called me, too")
    look_again(page)
    expect(page.get_by_text("This case changed while you had it open.")).to_be_visible()
    page.wait_for_function("!document.querySelector('.htmx-settling, .htmx-added')")
    page.evaluate("window.kept = document.querySelector('#state')")
    look_again(page)
    page.wait_for_timeout(200)
    assert page.evaluate("window.kept.isConnected"), "what is unchanged would be said again"
    expect(page.locator("#state")).to_contain_text("<b>they</b> called me, too")
    assert seat.violations() == []
    page.get_by_role("button", name="Resolved").click()
    alert = page.locator("[data-focus]")
    expect(alert).to_contain_text("Changed since it was read")
    expect(alert).to_contain_text("noted by sipho: <b>they</b> called me, too")
    assert_typed_is_there(page)
    assert ticket_of(room.board, name).status == "claimed"
    page.get_by_role("button", name="Resolved").click()
    expect(page.get_by_text("The outcome is written down.")).to_be_visible()
    assert ticket_of(room.board, name).status == "resolved"


def test_a_lease_that_ran_out_says_so_and_can_go_on(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    name = queue_of(room.board)[0].ticket
    page = take(seat, name)
    room.board.later(minutes=31)
    look_again(page)
    expect(page.get_by_text("Your time for this case ran out")).to_be_visible()
    assert_typed_is_there(page)
    assert seat.violations() == []
    page.get_by_role("button", name="Go on with it").click()
    expect(page.get_by_text("The case is yours.")).to_be_visible()
    assert_typed_is_there(page)
    page.get_by_role("button", name="Resolved").click()
    expect(page.get_by_text("The outcome is written down.")).to_be_visible()


def test_a_lease_that_ran_out_and_was_taken_says_by_whom(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    name = queue_of(room.board)[0].ticket
    page = take(seat, name)
    room.board.later(minutes=31)
    act(room.board, name, "claim", "sipho")
    look_again(page)
    expect(page.get_by_text("Your time ran out and sipho has this case now.")).to_be_visible()
    assert_typed_is_there(page)
    page.get_by_role("button", name="Resolved").click()
    expect(page.locator("[data-focus]")).to_contain_text("What you typed is still here")
    assert_typed_is_there(page)
    assert ticket_of(room.board, name).handling.agent == "sipho"


def test_who_works_keeps_the_case(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    name = queue_of(room.board)[0].ticket
    page = take(seat, name)
    room.board.later(minutes=20)
    with page.expect_response(re.compile("/heartbeat")):
        page.evaluate("document.dispatchEvent(new Event('outcry:beat'))")
    lease = ticket_of(room.board, name).handling.lease_until
    assert lease is not None
    assert (lease - room.board.now).total_seconds() == 30 * 60
    assert_typed_is_there(page)


@contextmanager
def store_taken_away(board: Board) -> Iterator[None]:
    """The database's file is gone: nothing is read or written until it is back."""
    (file,) = (Path(board.settings.home)).rglob("*.db")
    away = file.with_name("away")
    file.rename(away)
    # Who reads at this moment ends; nobody finds the file to begin anew.
    board.store.close()
    try:
        yield
    finally:
        away.rename(file)


def test_a_store_that_is_down_loses_nothing_and_comes_back(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    name = queue_of(room.board)[0].ticket
    page = take(seat, name)
    other = seat.context.new_page()
    other.goto(f"{room.address}/queue")
    with store_taken_away(room.board):
        page.get_by_role("button", name="Resolved").click()
        expect(page.locator("#trouble")).to_contain_text("there is no database")
        expect(page.locator("#trouble")).to_contain_text("What you typed is still here")
        assert_typed_is_there(page)
        expect(other.locator("#trouble")).to_contain_text("The store does not answer")
        third = seat.context.new_page()
        third.goto(f"{room.address}/queue")
        expect(third.get_by_role("alert").filter(has_text="there is no database")).to_be_visible()
        expect(third.get_by_role("heading", level=1)).to_have_text("The store refuses")
    expect(other.locator("#trouble")).to_be_empty()
    third.get_by_role("link", name="Try again").click()
    expect(third.get_by_role("heading", name="Queue")).to_be_visible()
    page.get_by_role("button", name="Resolved").click()
    expect(page.get_by_text("The outcome is written down.")).to_be_visible()
    assert ticket_of(room.board, name).status == "resolved"


def test_a_store_that_is_down_loses_nothing_without_scripts_either(room: Room) -> None:
    seat = room.seat("lindiwe", "agent", java_script_enabled=False)
    name = queue_of(room.board)[0].ticket
    page = take(seat, name)
    with store_taken_away(room.board):
        page.get_by_role("button", name="Resolved").click()
        expect(page.get_by_role("heading", name="What you sent is still here")).to_be_visible()
        assert page.get_by_label("Reply").input_value() == TYPED
        assert page.get_by_label("Note").input_value() == TYPED
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("The outcome is written down.")).to_be_visible()
    assert ticket_of(room.board, name).status == "resolved"


def test_a_desk_that_is_gone_leaves_the_page_as_it_is(board: Board, browser: Browser) -> None:
    with running(board.app) as address:
        gone = Room(board, browser, address)
        seat = gone.seat("lindiwe", "agent")
        page = take(seat, queue_of(board)[0].ticket)
    page.get_by_role("button", name="Resolved").click()
    expect(page.locator("#trouble")).to_contain_text("The desk does not answer")
    assert_typed_is_there(page)
    seat.context.close()


def test_a_session_that_ended_leads_back_to_what_was_typed(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    name = queue_of(room.board)[0].ticket
    page = take(seat, name)
    seat.context.clear_cookies()
    page.get_by_role("button", name="Resolved").click()
    page.wait_for_url("**/sign-in**")
    page.get_by_label("Name").fill("lindiwe")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**/cases/{name}**")
    assert_typed_is_there(page)
    # Who signs out leaves nothing of it in the browser.
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    assert page.evaluate("sessionStorage.length") == 0


def test_an_account_that_is_switched_off_sees_nothing_more(room: Room) -> None:
    seat = room.seat("lindiwe", "agent")
    page = seat.go("/queue")
    switch_off(room.board.store, "lindiwe", room.board.now)
    room.board.later(seconds=11)
    expect(page.locator("#trouble")).to_contain_text("You are signed out")
    seat.go("/queue")
    page.wait_for_url("**/sign-in**")
