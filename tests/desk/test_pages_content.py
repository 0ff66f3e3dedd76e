"""What people post, however it is meant, and however many say it: in real browsers."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.desk.seats import Room
from tests.desk.test_pages_work import ticket_of
from tests.triage.build import heard
from triage.casework import fold_cases
from triage.intake import store_records
from triage.ticket import make_ticket_id

pytestmark = pytest.mark.browser

ATTACKS = (
    "<script>window.ran = 'script'</script>",
    "<img src=x onerror=\"window.ran = 'img'\">",
    "<svg onload=\"window.ran = 'svg'\"><script>window.ran = 'svg'</script></svg>",
    "<style>* { display: none !important }</style><link rel=stylesheet href=//evil.example/a.css>",
    "</textarea></p><iframe srcdoc=\"<script>parent.ran = 'frame'</script>\"></iframe>",
    "{{ 7 * 7 }}{% raise %}${7*7}",
    '" autofocus onfocus="window.ran = \'attribute\'" hx-get="/sign-out" hx-trigger="load" x="',
    '<div hx-get="/queue" hx-trigger="load" hx-on:click="window.ran=1">click</div>',
    "=cmd|' /C calc'!A0",
    "\u202eright to left override\u202c and \u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1ff\U0001f1e6",
    "Z\u0351\u036b\u0343a\u0328l\u0321g\u0321o\u0315",
    "long" * 400,
)
LINKS = (
    "javascript:window.ran='link'",
    "data:text/html,<script>1</script>",
    " JaVaScRiPt:alert(1)",
)


def say(room: Room, pairs: list[object]) -> None:
    board = room.board
    rules = board.settings.rules
    stored = store_records(board.store, pairs, rules)  # type: ignore[arg-type]
    fold_cases(board.store, stored.uids, rules, board.now)


def test_nothing_that_is_posted_runs_or_breaks_a_page(room: Room) -> None:
    board = room.board
    hours = (board.now - timedelta(minutes=30) - heard("x")[0].created_at).total_seconds() / 3600
    posts = [
        heard(f"attack-{n}", f"Kestrelline is down {text}", f"m{n}", hours, title=text, url=link)
        for n, text in enumerate(ATTACKS)
        for link in (LINKS[n % len(LINKS)],)
    ]
    say(room, list(posts))
    seat = room.seat("lindiwe", "agent", "lead")
    page = seat.go("/queue?whose=all")
    listed = page.inner_text("#list")
    assert "<script>" in listed
    for mention, _ in posts:
        name = make_ticket_id(mention.uid)
        seat.go(f"/cases/{name}")
        assert page.evaluate("window.ran") is None
        shown = page.locator(".post .text").first
        assert shown.text_content() == mention.text
        for link in page.locator("main a").all():
            assert (link.get_attribute("href") or "").startswith(("/", "#", "https://", "http://"))
        assert seat.overflows() <= 0
    assert seat.violations() == []
    # What a colleague writes is not trusted more.
    page.get_by_text("Note, hand over, put off").click()
    page.get_by_label("Keep a note").fill(ATTACKS[0] + ATTACKS[6])
    page.get_by_role("button", name="Keep the note").click()
    expect(page.locator(".trail")).to_contain_text(ATTACKS[0])
    page.get_by_label("Reply").fill(ATTACKS[4])
    page.get_by_role("button", name="Check tone and privacy").click()
    expect(page.locator("#tone")).to_contain_text("May go out")
    page.reload()
    assert page.get_by_label("Reply").input_value() == ATTACKS[4]
    assert page.evaluate("window.ran") is None
    table = board.person("thandi", "agent").get("/queue.csv?size=100").text
    assert "'=cmd" in table or "Kestrelline is down =cmd" in table
    assert "\n=cmd" not in table
    assert ",=cmd" not in table


def test_addresses_of_the_desk_show_what_they_are_given_as_text(room: Room) -> None:
    seat = room.seat("lindiwe", "agent", "lead")
    page = seat.go("/queue?department=<script>window.ran=1</script>")
    expect(page.get_by_role("alert").filter(has_text="no department")).to_contain_text("<script>")
    for path in (
        "/cases/%3Csvg%20onload=window.ran=1%3E",
        "/incidents/%22%3E%3Cscript%3Ewindow.ran=1%3C/script%3E",
        "/customers?find=%3Cimg%20src=x%20onerror=window.ran=1%3E",
        "/coverage?period=%3Cscript%3E",
        "/queue?done=%3Cscript%3E&cursor=%3Cscript%3E",
    ):
        seat.go(path)
        assert page.evaluate("window.ran") is None, path


def test_a_case_of_five_hundred_voices_stays_usable(room: Room) -> None:
    board = room.board
    hours = (board.now - timedelta(hours=5) - heard("x")[0].created_at).total_seconds() / 3600
    first = heard("storm", "My Kestrelline line is dead and nobody answers", "zanele", hours)
    voices = [
        heard(f"storm-{n}", first[0].text, f"v{n}", hours + n / 200, repost_of="storm")
        for n in range(499)
    ]
    say(room, [first, *voices])
    name = make_ticket_id(first[0].uid)
    assert ticket_of(board, name).voices == 500
    seat = room.seat("lindiwe", "agent")
    began = time.monotonic()
    page = seat.go(f"/cases/{name}")
    assert time.monotonic() - began < 10
    expect(
        page.get_by_text("500 people in all; 499 reposts and copies listed here.")
    ).to_be_visible()
    assert page.locator(".voices li:visible").count() == 10
    # The reply is where it always is, and one key away.
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.id") == "reply"
    page.get_by_text("All 499 of them").click()
    assert page.locator(".voices li:visible").count() == 499
    assert seat.violations() == []
    assert seat.overflows() <= 0
