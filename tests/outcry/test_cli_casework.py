"""Single cases from the command line: why, who holds them, which are one."""

from __future__ import annotations

from pathlib import Path

from outcry import exits
from outcry.demo import AS_OF
from tests.outcry.shell import call, objects

NOW = ("--as-of", AS_OF.isoformat())
EVE = ("--agent", "eve", *NOW)


def _waiting(home: Path) -> list[str]:
    return [row["ticket"] for row in objects(call(home, "queue", "--json", *NOW))]


def test_the_sum_is_explained(desk: Path) -> None:
    ticket = _waiting(desk)[0]
    lines = call(desk, "explain", ticket).stdout.splitlines()
    assert "sum" in lines[-1]
    assert len(lines) > 2


def test_a_held_ticket_is_put_off_and_sent_elsewhere(desk: Path) -> None:
    (found,) = objects(call(desk, "next", "--json", *EVE))
    ticket = found["ticket"]["ticket"]
    assert "claimed, eve" in call(desk, "hold", ticket, *EVE).stdout
    until = AS_OF.replace(year=AS_OF.year + 1).isoformat()
    put_off = call(desk, "hold", ticket, *EVE, "--snooze", until)
    assert f"until {AS_OF.year + 1}" in put_off.stdout
    assert ticket not in _waiting(desk)
    assert "legal and regulator" in call(desk, "send", ticket, "legal and regulator", *EVE).stdout
    both = call(desk, "hold", ticket, *EVE, "--wait", "--release")
    assert both.exit_code == exits.WRONG


def test_two_cases_are_merged_and_parted_again(desk: Path) -> None:
    one, other = _waiting(desk)[-2:]
    assert other in call(desk, "merge", one, other, *EVE).stdout
    assert one not in _waiting(desk)
    assert "reopened" in call(desk, "unmerge", one, *EVE).stdout
    assert one in _waiting(desk)
    refused = call(desk, "split", one, "nothing", *EVE)
    assert refused.exit_code == exits.FAILED


def test_a_customers_accounts_are_listed(desk: Path) -> None:
    ticket = _waiting(desk)[0]
    listed = call(desk, "customer", ticket)
    assert listed.exit_code == exits.DONE
    assert call(desk, "customer", ticket, "--join", "x").exit_code == exits.WRONG
