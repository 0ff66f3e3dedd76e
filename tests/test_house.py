"""The house rules that a machine can check: style, types, import rules, the lock, the records."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("dags", "desk", "insight", "listeners", "models", "nlp", "outcry", "triage")


def _check(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_nothing() -> None:
    _check(sys.executable, "-m", "ruff", "check", "--no-cache", ".")


def test_the_code_is_formatted() -> None:
    _check(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".")


def test_the_types_hold() -> None:
    _check(sys.executable, "-m", "mypy")


def test_nobody_imports_against_the_plan_of_the_house() -> None:
    _check(str(Path(sys.executable).with_name("lint-imports")), "--no-cache")


def test_only_the_settings_read_the_environment() -> None:
    allowed = [ROOT / "outcry" / name for name in ("home.py", "settings.py")]
    reading = re.compile(r"\bos\.(environ|getenv)\b|\bfrom os import .*environ")
    guilty = [
        str(file.relative_to(ROOT))
        for room in ROOMS
        for file in sorted((ROOT / room).rglob("*.py"))
        if reading.search(file.read_text()) and file not in allowed
    ]
    assert guilty == []


def test_a_file_can_be_read_in_one_sitting() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for room in ROOMS
        for file in sorted((ROOT / room).rglob("*.py"))
        if (lines := len(file.read_text().splitlines())) > 400
    }
    assert long == {}


def _locked() -> dict[str, str]:
    lock = (ROOT / "requirements.lock").read_text()
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", lock, flags=re.MULTILINE)
    return {_normal(name): version for name, version in found}


def _normal(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {_normal(re.split(r"[<>=! ;\[]", line)[0]) for line in wanted}
    assert names - set(_locked()) == set()


def test_every_locked_package_has_hashes_and_the_lock_names_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    entries = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    assert len(entries) == len(re.findall(r"^[A-Za-z0-9._-]+==", lock, flags=re.MULTILINE))
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("client", ["feedparser", "mastodon", "elasticsearch", "spacy", "pandas"])
def test_the_command_starts_without(client: str) -> None:
    code = f"import sys, outcry.cli; sys.exit({client!r} in sys.modules)"
    _check(sys.executable, "-c", code)
