"""The day in a few lines."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from listeners.ledger import rows
from outcry import exits
from outcry.demo import AS_OF, Demo
from outcry.digest import digest, send
from outcry.settings import load_settings
from tests.outcry.shell import call, objects
from tests.servers.helpdesks import help_desk

NEXT_MORNING = AS_OF.replace(hour=2) + timedelta(days=1)


def test_what_was_heard_is_counted_on_the_day_of_its_window(demo: Demo, desk: Path) -> None:
    settings = load_settings(desk)
    (row,) = rows(settings.landing)
    store = settings.open_store()
    try:
        found = digest(settings, store, row.finished_at + timedelta(days=1))
    finally:
        store.close()
    assert (found.day, found.mentions) == (f"{row.finished_at:%Y-%m-%d}", demo.posts)


def test_it_counts_what_waits_and_names_the_oldest(demo: Demo, desk: Path) -> None:
    settings = load_settings(desk)
    store = settings.open_store()
    try:
        found = digest(settings, store, NEXT_MORNING)
        oldest = min(demo.cases.values(), key=lambda case: case.ticket.opened_at).ticket
    finally:
        store.close()
    assert found.day == "2026-11-20"
    assert 0 < found.waiting <= found.open == len(demo.queue)
    assert found.overdue + found.due_soon <= found.waiting
    assert found.oldest_unanswered is not None
    assert found.oldest_unanswered >= oldest.opened_at
    assert found.oldest_age_s == (NEXT_MORNING - found.oldest_unanswered).total_seconds()
    assert any("5 customers" in line for line in found.incidents)
    assert found.trouble == ()


def test_it_is_told_once(desk: Path) -> None:
    settings = load_settings(desk)
    store = settings.open_store()
    try:
        with help_desk() as far:
            far.tickets[1] = {"id": 1}
            hook = {"OUTCRY_ALERT_WEBHOOK": f"{far.url}/api/v1/tickets/1"}
            settings = load_settings(desk, hook)
            found = digest(settings, store, NEXT_MORNING)
            for _ in range(2):
                assert send(settings, store, found, NEXT_MORNING).errors == []
            (post,) = far.posts
    finally:
        store.close()
    assert post["text"] == "\n".join(found.lines)
    assert post["waiting"] == found.waiting


def test_the_command_says_it_in_words_and_for_scripts(desk: Path) -> None:
    as_of = ("--as-of", NEXT_MORNING.isoformat())
    shown = call(desk, "digest", *as_of)
    assert shown.exit_code == exits.DONE
    assert shown.stdout.startswith("2026-11-20: ")
    assert "oldest unanswered: T-" in shown.stdout
    (row,) = objects(call(desk, "digest", "--json", *as_of))
    assert row["step"] == "digest"
    assert row["incidents"]
