from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from models.spread import spread


def test_figures_that_all_runs_have_are_given_with_their_spread() -> None:
    one = {"complaint": {"macro_f1": 0.9, "interval": [0.8, 1.0]}, "model": "a/1", "rows": 10}
    other = {"complaint": {"macro_f1": 0.8}, "rows": 10, "more": 1.0}
    found = spread([one, other])
    assert list(found) == ["complaint.macro_f1", "rows"]
    both = found["complaint.macro_f1"]
    assert (both.runs, both.mean, both.least, both.most) == (2, 0.85, 0.8, 0.9)
    assert both.deviation == pytest.approx(0.0707)
    assert spread([one])["rows"].deviation == 0.0
    assert spread([]) == {}


def test_the_command_prints_a_line_a_figure_or_one_of_error(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps({"severity": {"macro_f1": 0.5}}), "utf-8")
    command = [sys.executable, "-m", "models.spread", str(path)]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True)
    assert done.stdout.split()[:2] == ["severity.macro_f1", "0.5000"]
    done = subprocess.run([*command, str(tmp_path / "no")], capture_output=True, text=True)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
