"""The commands about incidents and outreach, on the demonstration."""

from __future__ import annotations

import csv
from pathlib import Path

from outcry import exits
from tests.outcry.shell import call, objects, only_line

NOON = ("--as-of", "2026-11-20T12:00Z")


def test_an_incident_from_first_sight_to_everybody_told(desk: Path) -> None:
    (found,) = objects(call(desk, "incidents", "--json"))
    name = found["incident"][:8]
    assert "mark it fixed" in only_line(call(desk, "notices", name, *NOON))
    words = "the fibre fault in Doornvlei"
    fixed = call(desk, "incident", name, "--fixed", "--note", words, "--by", "thabo", *NOON)
    assert fixed.exit_code == exits.DONE
    proposed = objects(call(desk, "notices", name, *NOON, "--json"))
    assert [one["state"] for one in proposed] == ["proposed"] * 5
    assert all(words in one["text"] and one["handle"] in one["text"] for one in proposed)
    assert call(desk, "notices", name, "--approve", *NOON).exit_code == exits.DONE
    assert call(desk, "notices", name, "--told", *NOON).exit_code == exits.DONE
    rows = list(csv.DictReader(call(desk, "notices", name, *NOON, "--csv").stdout.splitlines()))
    assert {row["state"] for row in rows} == {"told"}
    planned = call(desk, "plan", "works on Sunday", "--about", "Doornvlei", *NOON)
    assert "touches 4 customers" in planned.stdout
    held = objects(call(desk, "notices", planned.stdout.split()[0], *NOON, "--json"))
    assert {one["state"] for one in held} == {"withheld"}
    assert all("was contacted" in one["why"] for one in held)


def test_a_worklist_fits_the_shift_and_says_who_is_left_out(desk: Path) -> None:
    first = objects(call(desk, "queue", "--json", *NOON))[0]
    call(desk, "optout", first["ticket"], "--reason", "wrote: leave me alone")
    result = call(desk, "worklist", "--agent", "ann", "--agent", "bo", "--each", "3", *NOON)
    assert f"left out {first['ticket']}" in result.stderr
    assert "leave me alone" in result.stderr
    rows = objects(
        call(desk, "worklist", "--agent", "ann", "--agent", "bo", "--each", "3", *NOON, "--json")
    )
    assert [row["agent"] for row in rows] == ["ann", "bo"] * 3
    assert len({row["handle"] for row in rows}) == 6
    folder = desk / "lists"
    call(desk, "worklist", "--agent", "ann", "--folder", str(folder), "--template", "reply", *NOON)
    with (folder / "ann.csv").open(newline="") as file:
        written = list(csv.DictReader(file))
    assert all(row["reply"].startswith("Hello ") for row in written)


def test_at_night_nobody_is_on_the_list(desk: Path) -> None:
    result = call(desk, "worklist", "--as-of", "2026-11-20T23:00Z", "--json")
    assert result.stdout == ""
    assert "quiet until 08:00" in result.stderr


def test_an_outcome_is_a_label_and_a_contact(desk: Path) -> None:
    one, other = objects(call(desk, "queue", "--json", *NOON))[:2]
    assert call(desk, "outcome", one["ticket"], "no answer", *NOON).exit_code == exits.DONE
    assert call(desk, "outcome", other["ticket"], "not a complaint", *NOON).exit_code == exits.DONE
    call(desk, "outcome", one["ticket"], "already solved", "--as-of", "2026-11-20T13:00Z")
    rows = {row["ticket"]: row for row in objects(call(desk, "labels"))}
    assert rows[one["ticket"]]["complaint"] is True
    assert rows[one["ticket"]]["outcome"] == "already solved"
    assert rows[other["ticket"]]["complaint"] is False
    assert rows[other["ticket"]]["text"]
    assert "there are" in only_line(call(desk, "outcome", one["ticket"], "eaten by the dog"))


def test_a_text_is_judged_before_it_goes_out(desk: Path) -> None:
    assert call(desk, "tone", "Thank you, please write to us in private.").exit_code == exits.DONE
    bad = call(desk, "tone", "You will get a refund of R500, call 082 123 4567")
    assert bad.exit_code == exits.PARTIAL
    assert "money" in bad.stdout
