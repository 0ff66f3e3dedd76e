"""Every command that a page shows is run, page by page, in the order of the page.

A fenced block marked ``console`` is a session: its lines that start with ``$`` are run in a
folder of the page's own, with that page's home, and must end with 0. A block marked
``csv NAME``, ``toml NAME`` or ``jsonl NAME`` is a file of that folder, there before the
commands run. ``make`` targets need a fresh clone: they only have to exist.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def _files(text: str) -> dict[str, str]:
    marks = (mark.split() for mark, _ in BLOCK.findall(text))
    named = [words[1] if len(words) == 2 else "" for words in marks]
    return {name: body for name, (_, body) in zip(named, BLOCK.findall(text), strict=True) if name}


def _commands(text: str) -> list[str]:
    sessions = "".join(body for mark, body in BLOCK.findall(text) if mark == "console")
    joined = sessions.replace("\\\n", " ")
    return [line[2:] for line in joined.splitlines() if line.startswith("$ ")]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_work(page: Path, tmp_path: Path) -> None:
    text = page.read_text()
    for name, body in _files(text).items():
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(body)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "OUTCRY_HOME": str(tmp_path / "home")}
    for command in _commands(text):
        words = shlex.split(command)
        if words[0] == "make":
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        else:
            done = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def test_every_command_is_in_the_documentation() -> None:
    from outcry.cli import app

    names = {c.name or c.callback.__name__ for c in app.registered_commands if c.callback}
    shown = "".join(page.read_text() for page in PAGES)
    assert {name for name in names if f"outcry {name}" not in shown} == set()


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name} links to {link}"
