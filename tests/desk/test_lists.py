"""Lists for other tools: no cell runs, nobody is named without a reason, deadlines are dated."""

from __future__ import annotations

import csv
import io
import re

from icalendar import Calendar
from openpyxl import load_workbook

from desk.lists import COLUMNS, as_xlsx
from desk.tokens import make_token
from tests.desk.board import Board
from triage.vault import reads

EVIL = '=HYPERLINK("http://evil.example";"click")'


def test_the_queue_as_csv_is_the_queue_and_names_nobody(board: Board) -> None:
    agent = board.person("ann", "agent")
    answer = agent.get("/queue.csv?size=50")
    headings, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert tuple(headings) == COLUMNS
    shown = [row["ticket"] for row in agent.get("/queue?size=50").json()["items"]]
    assert [row[0] for row in rows] == shown
    people = sorted({ticket.customer for ticket in board.store.all_tickets()})
    handles = {who.handle for who in board.store.identities(people).values() if who.handle}
    link = COLUMNS.index("link")  # where a post is may say whose it is
    told = " ".join(cell for row in rows for place, cell in enumerate(row) if place != link)
    assert handles
    assert not {handle for handle in handles if re.search(rf"\b{re.escape(handle)}\b", told)}
    assert not list(reads(board.store))


def test_a_workbook_holds_texts_not_formulas(board: Board) -> None:
    rows = [[EVIL, "+1", "-1", "@x", "\tx", 7, None, "a\x00b\x1fc", "x" * 40_000]]
    answer = as_xlsx(rows, ["a"] * 9, "x.xlsx")
    book = load_workbook(io.BytesIO(bytes(answer.body)))
    _, cells = book.active.iter_rows()
    assert [cell.data_type for cell in cells] == ["s", "s", "s", "s", "s", "n", "n", "s", "s"]
    assert cells[0].value == EVIL
    assert cells[7].value == "abc"
    agent = board.person("ann", "agent")
    whole = load_workbook(io.BytesIO(agent.get("/queue.xlsx").content)).active
    assert whole.max_row == len(agent.get("/queue?size=200").json()["items"]) + 1


def test_a_shifts_list_names_people_for_a_reason(board: Board) -> None:
    agent = board.person("ann", "agent")
    board.later(hours=4)  # nobody is contacted by night
    body = {"agents": ["ann", "bob"], "each": 3, "template": "reply", "reason": "the late shift"}
    answer = agent.post("/worklist.csv", body)
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["agent"] for row in rows] == ["ann", "bob"] * 3
    assert all(row["handle"] for row in rows)
    (read,) = reads(board.store)
    assert (read.by, read.reason) == ("ann", "worklist: the late shift")
    assert agent.post("/worklist.xlsx", body).content.startswith(b"PK")
    assert agent.post("/worklist.csv", {**body, "reason": ""}).status_code == 422


def test_deadlines_are_a_calendar_that_a_token_in_the_address_opens(board: Board) -> None:
    agent = board.person("ann", "agent")
    _, words = make_token(board.store, "ann", "calendar", ["queue.read"], board.now)
    stranger = board.stranger()
    answer = stranger.get(f"/api/v1/deadlines.ics?token={words}")
    assert answer.headers["content-type"].startswith("text/calendar")
    calendar = Calendar.from_ical(answer.content)
    found = {str(event["uid"]): event["dtstart"].dt for event in calendar.walk("VEVENT")}
    rows = agent.get("/queue?size=200&free=false").json()["items"]
    wanted = {f"{row['ticket']}@outcry" for row in rows if row["sla"] not in ("kept", "breached")}
    assert set(found) <= wanted
    assert found
    assert stranger.get("/api/v1/deadlines.ics?token=oct_x").status_code == 401
    assert stranger.get("/api/v1/deadlines.ics").status_code == 401
    assert stranger.get(f"/api/v1/queue?token={words}").status_code == 401
