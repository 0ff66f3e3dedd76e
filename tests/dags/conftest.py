"""Airflow for tests: a scratch home, set before anything imports Airflow."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DAGS = ROOT / "dags"


def airflow_environment(home: Path) -> dict[str, str]:
    """The environment of an Airflow that knows our DAGs and nothing of the caller's."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "OUTCRY_"))}
    return kept | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "true",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }


def _use_scratch_home() -> None:
    """Airflow reads its environment once, when it is first imported; so this runs before."""
    home = Path(tempfile.mkdtemp(prefix="outcry-airflow-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        del os.environ[name]
    os.environ.update(
        (k, v) for k, v in airflow_environment(home).items() if k.startswith("AIRFLOW")
    )


_use_scratch_home()


@pytest.fixture
def same_path() -> Iterator[None]:
    """Loading DAG files puts their folder on the path; take it away again."""
    before = list(sys.path)
    yield
    sys.path[:] = before
