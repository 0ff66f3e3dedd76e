from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from models.judge import cross_fitted, judge_heads
from tests.models import tiny_sets


def test_every_head_is_judged_on_sets_of_any_size(tmp_path: Path) -> None:
    figures = judge_heads(tiny_sets.write(tmp_path, rows=150))
    assert figures["complaint"]["rows"] == 151
    assert figures["complaint"]["macro_f1"] > 0.8
    assert figures["severity"]["macro_f1"] < 0.6  # its levels are random here
    assert figures["sentiment"]["semeval_2013_2016_held_out_macro_recall"] > 0.8


def test_a_fold_is_judged_by_a_threshold_that_it_did_not_choose() -> None:
    scores = np.array([-3.0, -2.0, 2.0, 3.0] * 10)
    labels = np.array([0, 0, 1, 1] * 10)
    parts = [list(range(0, 20)), list(range(20, 40))]
    chances, said = cross_fitted(scores, labels, parts)
    labels[:20] = 1 - labels[:20]
    other_chances, other_said = cross_fitted(scores, labels, parts)
    assert (said == np.array([0, 0, 1, 1] * 10)).all()
    assert (other_chances[:20] == chances[:20]).all()
    assert (other_said[:20] == said[:20]).all()
    assert not (other_chances[20:] == chances[20:]).any()


def test_the_command_says_in_one_line_what_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "models.evaluate", "--data", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "OUTCRY_LABELLED_DATA" in done.stderr
    assert done.stdout == ""
