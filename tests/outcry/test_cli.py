"""How the command line starts and ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from outcry import exits
from outcry.cli import OutcryGroup, app
from tests.outcry.shell import call, call_process, only_line
from triage.errors import StoreUnavailable

COMMANDS = [
    *("demo", "init", "check", "doctor"),
    *("import", "replay", "listen", "score", "triage", "run"),
    *("queue", "next", "show", "resolve"),
    *("try", "assess"),
]


def _ending_with(error: BaseException) -> typer.Typer:
    """An application like ours whose only command ends with an error."""
    other = typer.Typer(cls=OutcryGroup, name="outcry", add_completion=False)

    @other.callback()
    def start() -> None: ...

    @other.command()
    def fail() -> None:
        raise error

    return other


def test_help_names_every_command_and_every_exit_code(tmp_path: Path) -> None:
    result = call(tmp_path, "--help")
    assert result.exit_code == exits.DONE
    for name in COMMANDS:
        assert re.search(rf"^. {name} ", result.stdout, re.MULTILINE), name
    shown = " ".join(result.stdout.split())
    for code in (exits.DONE, exits.FAILED, exits.WRONG, exits.PARTIAL, exits.LATER):
        assert f"{code} " in shown.partition("Exit codes:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example(name: str, tmp_path: Path) -> None:
    result = call(tmp_path, name, "--help")
    assert result.exit_code == exits.DONE
    assert "Example" in result.stdout
    assert f"outcry {name}" in result.stdout or f"kestrelline {name}" in result.stdout


def test_no_words_at_all_show_the_help() -> None:
    result = CliRunner().invoke(app, [])
    assert result.exit_code == exits.DONE
    assert "First steps" in result.stdout


def test_an_unknown_command_costs_one_line(tmp_path: Path) -> None:
    result = call(tmp_path, "quee")
    assert result.exit_code == exits.WRONG
    assert "Did you mean 'queue'?" in only_line(result)


def test_home_after_the_command_is_explained(tmp_path: Path) -> None:
    result = call(tmp_path, "queue", "--home", "x")
    assert result.exit_code == exits.WRONG
    assert "before the command" in only_line(result)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (StoreUnavailable("no answer; try again"), exits.LATER, "no answer; try again"),
        (PermissionError(13, "Permission denied", "/x"), exits.FAILED, "/x: Permission denied"),
        (KeyError("x"), exits.FAILED, "unexpected KeyError: 'x'"),
        (KeyboardInterrupt(), exits.INTERRUPTED, "interrupted"),
    ],
)
def test_every_error_costs_one_line_and_has_its_code(
    error: BaseException, code: int, words: str
) -> None:
    result = CliRunner().invoke(_ending_with(error), ["fail"])
    assert result.exit_code == code
    assert words in only_line(result)
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    result = call(tmp_path, "--debug", "queue", "--as-of", "noon")
    assert result.exit_code == exits.WRONG
    assert "Traceback" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("outcry: --as-of 'noon'")


@pytest.mark.parametrize(
    ("given", "words"), [("noon", "is not a time"), ("2026-11-20T12:00", "has no time zone")]
)
def test_a_time_must_be_one_and_have_a_zone(given: str, words: str, tmp_path: Path) -> None:
    result = call(tmp_path, "queue", "--as-of", given)
    assert result.exit_code == exits.WRONG
    assert words in only_line(result)


def test_a_window_must_start_where_windows_start(tmp_path: Path) -> None:
    result = call(tmp_path, "score", "--window", "2026-11-20T12:07Z")
    assert result.exit_code == exits.WRONG
    assert "starts at 2026-11-20T12:00:00+00:00" in only_line(result)


def test_settings_that_cannot_be_read_cost_one_line(tmp_path: Path) -> None:
    (tmp_path / "outcry.toml").write_text("[brand\n")
    result = call(tmp_path, "queue")
    assert result.exit_code == exits.WRONG
    assert "is not valid TOML" in only_line(result)


def test_asking_for_help_imports_no_heavy_room() -> None:
    script = (
        "import sys, outcry.cli; "
        "print([m for m in ('numpy', 'spacy', 'elasticsearch', 'msgspec', 'httpx', 'sqlite3')"
        " if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert found.stdout.decode().strip() == "[]"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"set -o pipefail; {sys.executable} -m outcry --help | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.returncode in (exits.DONE, exits.PIPE_CLOSED)
    assert done.stderr == b""


def test_as_a_process_it_ends_with_the_same_codes(tmp_path: Path) -> None:
    done = call_process("--home", str(tmp_path), "import", str(tmp_path / "none.csv"))
    assert done.returncode == exits.WRONG
    assert done.stdout == b""
    assert len(done.stderr.splitlines()) == 1


def _hears_interrupts() -> None:
    """Whoever starts the tests in the background of a shell has all of them ignore interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_an_interrupt_costs_one_line_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "outcry", "--home", str(tmp_path), "import", "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, preexec_fn=_hears_interrupts
    ) as running:
        until = time.monotonic() + 60
        while not list(tmp_path.glob("spool/.*.tmp")) and time.monotonic() < until:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert running.returncode == exits.INTERRUPTED
    assert out == b""
    assert err == b"outcry: interrupted; what was done is kept, run again to go on\n"
    assert list(tmp_path.glob("spool/*")) == list(tmp_path.glob("spool/.*")) == []


def test_the_home_comes_from_the_environment(tmp_path: Path) -> None:
    done = call_process("init", OUTCRY_HOME=str(tmp_path / "home"))
    assert done.returncode == exits.DONE
    assert (tmp_path / "home" / "outcry.toml").is_file()
