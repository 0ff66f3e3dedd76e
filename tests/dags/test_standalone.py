"""A real Airflow: scheduler, API server and workers, until a window has become tickets."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from outcry.demo.airflow import DAGS, Airflow, answered, standalone
from outcry.settings import load_settings
from tests.conftest import not_run
from tests.dags import brand
from tests.servers import postgres
from tests.servers.web import serving

pytestmark = [pytest.mark.airflow, pytest.mark.slow]


def runs(airflow: Airflow, key: str) -> list[tuple[str, str]]:
    """DAG and state of the runs of a partition, and of those by hand."""
    found = airflow.call("GET", "/api/v2/dags/~/dagRuns?limit=100")["dag_runs"]
    return sorted(
        (run["dag_id"], run["state"]) for run in found if run["partition_key"] == key or run["conf"]
    )


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Where Airflow keeps its books: a file, or a real PostgreSQL, both with LocalExecutor."""
    if request.param == "sqlite":
        yield None
        return
    try:
        with postgres.serving() as address:
            yield f"postgresql+psycopg2://{address}"
    except postgres.NoPostgres as missing:
        not_run("postgres", str(missing))


def test_a_window_goes_from_listen_to_tickets_by_assets_alone(
    tmp_path: Path, database: str | None
) -> None:
    log = tmp_path / "airflow.log"
    with serving(brand.feed) as url, log.open("wb") as output:
        home = brand.settle(tmp_path / "home", [brand.forum(url)])
        try:
            with standalone(home, output, paused=True, database=database) as airflow:
                assert answered(airflow.sign_in, 180), "the API server does not answer"
                assert answered(lambda: airflow.knows(len(DAGS)), 90), "the DAGs are not known"
                for dag in ("score", "triage", "listen"):
                    assert answered(lambda dag=dag: airflow.resume(dag), 60)
                window = datetime.fromisoformat(brand.WINDOW)
                assert answered(lambda: airflow.trigger("listen", window, "by_hand"), 60)
                through = [("listen", "success"), ("score", "success"), ("triage", "success")]
                assert answered(lambda: runs(airflow, brand.KEY) == through, 180), "no tickets"
                errors = airflow.call("GET", "/api/v2/importErrors")
                assert errors["total_entries"] == 0
        finally:
            sys.stdout.write(log.read_text(errors="replace"))  # pytest shows it on a failure
    store = load_settings(home).open_store()
    try:
        assert len(list(store.all_tickets())) == len(brand.COMPLAINTS)
    finally:
        store.close()


def test_the_demonstration_says_where_it_is_and_leaves_nothing_running(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [
        sys.executable,
        "-u",
        "-m",
        "outcry.demo.airflow",
        "--home",
        str(home),
        "--port",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = list(iter(process.stdout.readline, "Ctrl-C ends it.\n"))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert [line.split()[0] for line in said] == ["Starting", "Airflow", "Tickets"]
    left = [name for name in _command_lines() if str(home) in name]
    assert left == []


def _command_lines() -> Iterator[str]:
    """The environment and command line of every process that we may look into."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for name in ("cmdline", "environ"):
                yield (folder / name).read_bytes().decode(errors="replace")
