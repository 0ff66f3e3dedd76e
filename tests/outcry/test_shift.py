"""What a shift begins with is the queue's, and is mailed once."""

from __future__ import annotations

from pathlib import Path

from outcry import exits
from outcry.demo import AS_OF
from outcry.settings import load_settings
from tests.outcry.shell import call, objects, only_line
from tests.outcry.test_alerts import mail_server
from triage.outreach import queue_rows

NOW = AS_OF.isoformat()


def test_it_counts_and_lists_what_the_queue_has(desk: Path) -> None:
    (found,) = objects(call(desk, "shift", "--limit", "3", "--as-of", NOW, "--json"))
    store = load_settings(desk).open_store()
    rows = queue_rows(store, size=500)
    people = store.identities(sorted({ticket.customer for ticket in store.all_tickets()}))
    store.close()
    assert found["waiting"] == len(rows)
    assert [one["ticket"] for one in found["first"]] == [row["ticket"] for row in rows[:3]]
    assert 0 < found["overdue"] + found["due_soon"] <= len(rows)
    said = call(desk, "shift", "--as-of", NOW).stdout
    assert f"{len(rows)} wait: {found['overdue']} overdue" in said
    assert "incident I-" in said
    handles = {who.handle for who in people.values() if who.handle}
    assert not {handle for handle in handles if handle in said}


def test_a_departments_shift_is_its_own(desk: Path) -> None:
    words = ("shift", "--department", "none", "--as-of", NOW, "--json")
    (found,) = objects(call(desk, *words))
    assert {one["department"] for one in found["first"]} <= {None}


def test_it_is_mailed_once_an_hour_to_the_same_people(desk: Path) -> None:
    with mail_server() as (address, letters):
        toml = desk / "outcry.toml"
        toml.write_text(f'{toml.read_text()}\n[alerts]\nsmtp = "{address}"\n')
        words = ("shift", "--to", "billing@example.com", "--as-of", NOW)
        for _ in range(2):
            assert call(desk, *words).exit_code == exits.DONE
    (letter,) = letters
    assert "To: billing@example.com" in letter
    assert "overdue" in letter


def test_a_mail_server_that_is_down_is_said_so(desk: Path) -> None:
    toml = desk / "outcry.toml"
    toml.write_text(f'{toml.read_text()}\n[alerts]\nsmtp = "127.0.0.1:9"\n')
    result = call(desk, "shift", "--to", "billing@example.com", "--as-of", NOW)
    assert result.exit_code == exits.LATER
    assert "waits and is sent by the next call" in only_line(result)
