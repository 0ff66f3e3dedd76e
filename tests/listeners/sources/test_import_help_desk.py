"""Exports of help desks, in the columns that Zendesk and Freshdesk give them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from listeners.landing import Landing
from listeners.mention import Mention
from listeners.run import collect
from listeners.sources.import_file import ImportFile, target_for
from tests.listeners.fakes import budget, stored

ZENDESK = """\
"Summation column","Id","Requester","Requester id","Requester email","Subject","Created at","Group"
1,481,Ann Example,77,ann@mail.example,"The tram never came",2026-01-01 09:30,Complaints
"""
FRESHDESK = """\
Ticket ID,Subject,Status,Source,Agent,Group,Created time,Tags,Full name,Email,Contact ID
12,The tram never came,Open,Email,Bo,Complaints,2026-01-01 09:30:00,,Ann Example,ann@mail.example,5
"""
OTHER = """\
ticket_id,subject,description,created_at,requester_email
12,Late again,"The tram never came,
and nobody said why",2026-01-01T09:30:00+02:00,ann@mail.example
"""


def read(folder: Path, content: str, preset: str, timezone: str | None) -> Mention:
    """The only mention of a file."""
    file = folder / "tickets.csv"
    file.write_text(content)
    target = target_for(file, preset=preset, timezone=timezone)
    landing = Landing(folder / "landing")
    row = collect(ImportFile(), target, landing, "w1", budget())
    assert (row.outcome, row.new, row.rejected) == ("ok", 1, 0), row.error
    (mention,) = stored(landing)
    assert isinstance(mention, Mention)
    return mention


@pytest.mark.parametrize(
    ("content", "preset", "native_id"),
    [(ZENDESK, "zendesk", "481"), (FRESHDESK, "freshdesk", "12")],
)
def test_an_export_gives_the_subject_of_each_ticket(
    tmp_path: Path, content: str, preset: str, native_id: str
) -> None:
    ticket = read(tmp_path, content, preset, "Africa/Johannesburg")
    assert (ticket.source, ticket.native_id) == (preset, native_id)
    assert (ticket.text, ticket.title, ticket.kind) == ("The tram never came", None, "message")
    assert ticket.created_at == datetime(2026, 1, 1, 7, 30, tzinfo=UTC)
    assert (ticket.author.handle, ticket.author.name) == ("ann@mail.example", "Ann Example")
    assert ticket.author.id == ticket.author.handle
    assert ticket.container == "Complaints"


def test_the_customers_words_are_read_where_the_export_has_them(tmp_path: Path) -> None:
    ticket = read(tmp_path, OTHER, "helpdesk", None)
    assert ticket.text == "The tram never came,\nand nobody said why"
    assert (ticket.title, ticket.author.handle) == ("Late again", "ann@mail.example")


@pytest.mark.parametrize(
    ("content", "preset", "timezone"),
    [(ZENDESK, "zendesk", "UTC"), (FRESHDESK, "freshdesk", "UTC"), (OTHER, "helpdesk", None)],
)
def test_what_was_said_in_private_says_so(
    tmp_path: Path, content: str, preset: str, timezone: str | None
) -> None:
    assert read(tmp_path, content, preset, timezone).is_private


def test_an_export_without_a_subject_names_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no column for text"):
        read(tmp_path, ZENDESK.replace("Subject", "Thema"), "zendesk", "UTC")
