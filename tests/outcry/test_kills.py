"""Whatever is killed, the same tickets come out of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.kills import disturbed

pytestmark = pytest.mark.slow


def test_windows_whose_processes_are_killed_at_random_lose_and_double_nothing(
    tmp_path: Path,
) -> None:
    report = disturbed(tmp_path, windows=3, seed=3)
    assert report.killed > 0
    assert report.differences == ()
    assert (report.missing, report.too_many) == ((), ())
    assert report.tickets > 60
