"""Calling the command line in tests: in this process, or as a user's shell does it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from outcry.cli import app


def call(home: Path, *words: str, stdin: str | bytes | None = None) -> Result:
    """``outcry --home HOME WORDS...`` in this process."""
    return CliRunner().invoke(app, ["--home", str(home), *words], input=stdin)


def call_process(
    *words: str, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """``outcry WORDS...`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "outcry", *words],
        input=stdin,
        capture_output=True,
        env={**os.environ, **environment},
        timeout=120,
        check=False,
    )


def objects(result: Result) -> list[dict[str, Any]]:
    """What a command with --json printed."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def only_line(result: Result) -> str:
    """The one line on stderr; the command says nothing else there."""
    (line,) = result.stderr.splitlines()
    assert line.startswith("outcry: ")
    return line
