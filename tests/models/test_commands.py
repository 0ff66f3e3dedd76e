"""What the commands say in an install that lacks their packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_WITHOUT_TORCH = """
import importlib.abc, runpy, sys

class NoTorch(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, NoTorch())
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize(
    "command",
    [
        ["models.export", "--checkpoint", "a", "--out", "b"],
        ["models.train", "--recipe", "labels", "--base", "a", "--data", "b", "--out", "c"],
        ["models.train", "--recipe", "student", "--base", "a", "--data", "b", "--out", "c"],
    ],
)
def test_without_torch_a_command_names_the_extra_in_one_line(
    tmp_path: Path, command: list[str]
) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH, *command],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: torch is missing; install the extra: pip install 'outcry-triage[train-encoders]'"
    ]
    assert list(tmp_path.iterdir()) == []


def test_judging_needs_no_torch(tmp_path: Path) -> None:
    for name in ("models.evaluate", "models.promote", "models.behaviour"):
        done = subprocess.run(
            [sys.executable, "-c", _WITHOUT_TORCH, name, "--help"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert done.returncode == 0, done.stderr
