"""Lists for people who stay in their own tools: CSV, XLSX, and a calendar of deadlines.

No cell can be taken for a formula: in CSV one that might be gets an apostrophe in front, in XLSX
every text is marked as a text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from icalendar import Alarm, Calendar, Event
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell
from starlette.responses import Response

from desk import views
from desk.actions import Wanted, filter_of
from desk.api.files import CALENDAR, CSV, XLSX
from desk.context import Here
from triage import worklists
from triage.store.base import QueueFilter, pages
from triage.tables import csv_of
from triage.templates import fill
from triage.ticket import WAITING

MOST = 5000
"""Rows of a file."""
PAGE = 200
AHEAD = timedelta(hours=24)
WARNING = timedelta(minutes=15)
COLUMNS = (
    "ticket",
    "priority",
    "tier",
    "why",
    "department",
    "status",
    "agent",
    "sla_due",
    "sla",
    "voices",
    "reach",
    "source",
    "language",
    "link",
    "excerpt",
    "incident",
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_LONGEST_CELL = 32_767


def queue_rows(here: Here, wanted: Wanted, size: int) -> list[list[object]]:
    """The queue as cells of `COLUMNS`, best first; nobody is named."""
    tickets = (
        entry.ticket
        for page in pages(here.store, filter_of(here, wanted), min(PAGE, size))
        for entry in page
    )
    rows = (views.row_of(one, here.now, here.rules) for one in islice(tickets, size))
    return [[_value(getattr(row, column)) for column in COLUMNS] for row in rows]


def shift_rows(
    here: Here,
    *,
    agents: Sequence[str],
    departments: Sequence[str],
    each: int,
    template: str,
    reason: str,
) -> list[list[object]]:
    """A shift's list as cells of `triage.worklists.COLUMNS`; the read of names is recorded."""
    lanes = filter_of(here, Wanted(departments=tuple(departments))).departments
    shift = worklists.Shift(agents=tuple(agents), departments=lanes, each=each)
    made = worklists.worklist(here.store, shift, here.deployment.policy, here.now)
    words = here.deployment.templates.get(template, "")
    values = {"handle": "{handle}", "brand": here.deployment.brand, "about": "your post"}
    store = here.vault(f"worklist: {reason.strip()}" if reason.strip() else "")
    rows = worklists.rows(store, made, fill(words, values) if words else "")
    return [list(row.values()) for row in rows]


def as_csv(rows: Iterable[Sequence[object]], columns: Sequence[str], name: str) -> Response:
    """The rows as a CSV to save."""
    return _file(csv_of(rows, columns).encode("utf-8-sig"), CSV, name)


def as_xlsx(rows: Iterable[Sequence[object]], columns: Sequence[str], name: str) -> Response:
    """The rows as a workbook of one sheet to save."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Outcry")
    sheet.freeze_panes = "A2"
    sheet.append([_cell(sheet, column) for column in columns])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return _file(out.getvalue(), XLSX, name)


def as_calendar(here: Here) -> Response:
    """Deadlines of cases that wait for a first answer: those past, and of the next 24 hours."""
    calendar = Calendar()
    calendar.add("prodid", "-//Outcry//Deadlines//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"Deadlines {here.deployment.brand}".strip())
    calendar.add("refresh-interval", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    wanted = QueueFilter(statuses=WAITING, due_before=here.now + AHEAD)
    tickets = (one.ticket for page in pages(here.store, wanted, PAGE) for one in page)
    for ticket in islice(tickets, MOST):
        row = views.row_of(ticket, here.now, here.rules)
        if row.sla not in ("kept", "breached"):
            calendar.add_component(_deadline(row, here.now, here.deployment.settings.url))
    return _file(calendar.to_ical(), CALENDAR, "deadlines.ics")


def _deadline(row: views.Row, now: datetime, url: str) -> Event:
    event = Event()
    event.add("uid", f"{row.ticket}@outcry")
    event.add("dtstamp", now)
    event.add("dtstart", row.sla_due)
    event.add("dtend", row.sla_due)
    event.add("summary", f"{row.tier} {row.department or 'sort by hand'}: {row.ticket}")
    event.add("description", _CONTROL.sub("", row.excerpt))
    event.add("categories", [row.sla])
    if url:
        event.add("url", f"{url.rstrip('/')}/tickets/{row.ticket}")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", f"{row.ticket} is due")
    alarm.add("trigger", -WARNING)
    event.add_component(alarm)
    return event


def _cell(sheet: Any, value: object) -> Cell | None:
    if value is None:
        return None
    cell = WriteOnlyCell(sheet, value=None)
    if isinstance(value, int | float) and not isinstance(value, bool):
        cell.value = value
        return cell
    cell.value = _CONTROL.sub("", str(value))[:_LONGEST_CELL]
    cell.data_type = "s"  # a text, whatever it begins with
    return cell


def _value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return "; ".join(map(str, value[:5])) if isinstance(value, tuple) else value


def _file(body: bytes, kind: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    media = kind if kind == XLSX else f"{kind}; charset=utf-8"
    return Response(body, headers=headers, media_type=media)
