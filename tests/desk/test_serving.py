"""The commands of the desk, as an operator's shell calls them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from outcry import exits
from tests.outcry.shell import call, objects, only_line

PASSWORD = "a long enough password"


def _add(home: Path, name: str, *roles: str) -> None:
    words = [word for role in roles for word in ("--role", role)]
    result = call(home, "desk", "add-user", name, *words, stdin=f"{PASSWORD}\n")
    assert result.exit_code == exits.DONE, result.stderr


def test_accounts_are_added_listed_and_removed(tmp_path: Path) -> None:
    _add(tmp_path, "Ann", "agent", "lead")
    assert objects(call(tmp_path, "desk", "users", "--json")) == [
        {"name": "ann", "roles": ["agent", "lead"], "active": True}
    ]
    assert "ann" in call(tmp_path, "desk", "remove-user", "ann").stdout
    assert "(switched off)" in call(tmp_path, "desk", "users").stdout
    gone = call(tmp_path, "desk", "remove-user", "bob")
    assert gone.exit_code == exits.WRONG
    assert "outcry desk users" in only_line(gone)


@pytest.mark.parametrize(
    ("words", "stdin", "says"),
    [
        (("ann", "--role", "boss"), PASSWORD, "no role 'boss'"),
        (("ann", "--role", "agent"), "short", "12 characters"),
        (("ann", "--role", "agent"), "", "no password"),
    ],
)
def test_an_account_that_will_not_do_is_refused_in_one_line(
    tmp_path: Path, words: tuple[str, ...], stdin: str, says: str
) -> None:
    result = call(tmp_path, "desk", "add-user", *words, stdin=stdin)
    assert result.exit_code == exits.WRONG
    assert says in only_line(result)


def test_a_token_is_printed_once(tmp_path: Path) -> None:
    _add(tmp_path, "ann", "agent")
    made = call(tmp_path, "desk", "token", "ann", "--scope", "queue.read")
    assert made.stdout.startswith("oct_")
    beyond = call(tmp_path, "desk", "token", "ann", "--scope", "desk.manage")
    assert "ann may not desk.manage" in only_line(beyond)


def test_the_desk_is_not_open_to_others_without_accounts(tmp_path: Path) -> None:
    result = call(tmp_path, "desk", "--host", "0.0.0.0", "--port", "0")
    assert result.exit_code == exits.WRONG
    assert "add-user" in only_line(result)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_demonstrations_desk_lets_one_in_and_leaves_nothing(
    tmp_path: Path, end: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "outcry.demo.desk", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        password = process.stdout.readline().split()[-1]
        with httpx.Client(base_url=address) as browser:
            fields = {"name": "lindiwe", "password": password}
            assert browser.post("/sign-in", data=fields).status_code == 303
            rows = browser.get("/api/v1/queue").json()["items"]
            assert rows[0]["tier"] == "P1"
            assert {row["sla"] for row in rows} > {"overdue"}
        process.send_signal(end)
        assert process.wait(timeout=20) == 0
    finally:
        process.kill()
        process.communicate()
    assert list(tmp_path.iterdir()) == []
