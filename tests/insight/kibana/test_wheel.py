"""An installed package has the boards: nobody needs a checkout to import them."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

from insight.kibana import load
from insight.kibana.files import FOLDER

ROOT = Path(__file__).parents[3]


def test_the_wheel_has_every_board_and_its_commands_find_them(tmp_path: Path) -> None:
    built = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(built, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "site")
    boards = tmp_path / "site" / "insight" / "kibana" / "boards"
    assert {one.id for one in load(boards)} == {one.id for one in load(FOLDER)}
    done = subprocess.run(
        [sys.executable, "-m", "outcry", "kibana", "build", "--out", "boards.ndjson"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "site"), "OUTCRY_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    body = (tmp_path / "boards.ndjson").read_bytes()
    assert len(body.splitlines()) == len(load(FOLDER))
