"""The scheduler never reads a DAG file: what it has is what was stored."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.dags import brand
from tests.dags.conftest import ROOT, airflow_environment

pytestmark = pytest.mark.airflow


def test_after_reserialize_the_database_has_every_dag_whole(tmp_path: Path) -> None:
    tag = 'source = "mastodon"\nkey = "tag"\nserver = "https://social.example"\ntag = "x"\n'
    home = brand.settle(tmp_path / "home", [brand.forum("http://127.0.0.1:9"), tag])
    report = tmp_path / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.dags.stored", str(report)],
        cwd=ROOT,
        env=airflow_environment(tmp_path / "airflow") | {"OUTCRY_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = msgspec.json.decode(report.read_bytes())
    assert {name: one["deadlines"] for name, one in found.items()} == dict.fromkeys(
        ["housekeeping", "incidents", "listen", "retrain", "score", "triage"], 1
    )
    assert found["listen"]["tasks"] == {
        "default.targets": "default_pool",
        "default.collect[]": "outcry_default",
        "mastodon.targets": "default_pool",
        "mastodon.collect[]": "outcry_mastodon",
        "publish": "default_pool",
        "complain": "default_pool",
    }
    windowed = {name for name, one in found.items() if one["params"] == ["window_start"]}
    assert windowed == {"listen", "score", "triage"}
