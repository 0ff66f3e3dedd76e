"""A real Airflow: scheduler, API server and workers, until a window has become tickets."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from outcry.demo.airflow import DAGS, Airflow, answered, standalone
from outcry.settings import load_settings
from tests.conftest import not_run
from tests.dags import brand
from tests.servers import postgres
from tests.servers.elasticsearch import Node
from tests.servers.web import Answer, Request, serving
from tests.triage.store.conftest import remove_prefix

pytestmark = [pytest.mark.airflow, pytest.mark.slow]

GRID = {
    "default.targets": ("success", 1),
    "default.collect[rss/forum]": ("success", 1),
    "default.collect[rss/gone]": ("failed", 1),
    "default.collect[rss/limited]": ("success", 2),
    "default.collect[rss/quiet]": ("success", 1),
    "publish": ("success", 1),
    "complain": ("failed", 1),
}
"""State and tries of each square of the window's first run."""
WAIT_S = 8


class Town:
    """Feeds on a bad day: one is gone, one wants a pause at first, one has nothing to say."""

    def __init__(self) -> None:
        self.refused = 0
        self.told: list[dict[str, Any]] = []

    def answer(self, request: Request) -> Answer:
        """What the feed of the path says, or the alert's address."""
        if request.method == "POST":
            self.told.append(json.loads(request.body))
            return Answer()
        if request.path == "/gone/feed":
            return Answer(status=404)
        if request.path == "/limited/feed" and self.refused == 0:
            self.refused += 1
            return Answer(status=429, headers={"Retry-After": str(WAIT_S)})
        full = brand.feed(request)
        if request.path == "/forum/feed":
            return full
        empty = b"<?xml version='1.0'?><rss version='2.0'><channel><title>-</title></channel></rss>"
        return Answer(empty, headers=full.headers)


def first_window(airflow: Airflow) -> tuple[str, str]:
    """Run and partition of the first window that the clock has started, when it is there."""
    found = airflow.call("GET", "/api/v2/dags/listen/dagRuns?order_by=run_after")["dag_runs"]
    return (found[0]["dag_run_id"], found[0]["partition_key"]) if found else ("", "")


def runs(airflow: Airflow, key: str, *, by_hand: bool = False) -> list[tuple[str, str]]:
    """DAG and state of the runs of a partition, and of those that were started by hand."""
    found = airflow.call("GET", "/api/v2/dags/~/dagRuns?limit=100")["dag_runs"]
    return sorted(
        (run["dag_id"], run["state"])
        for run in found
        if run["partition_key"] == key or (by_hand and run["conf"])
    )


def grid(airflow: Airflow, dag: str, run: str) -> dict[str, tuple[str, int]]:
    """State and tries of each square of a run, by the name that people see."""
    found = airflow.call("GET", f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances?limit=100")
    return {
        f"{one['task_id']}[{one['rendered_map_index']}]"
        if one["map_index"] >= 0
        else one["task_id"]: (one["state"], one["try_number"])
        for one in found["task_instances"]
    }


def be_late(home: Path) -> bool:
    """Let the deadline of every run that has one be over; False while there is none."""
    with closing(sqlite3.connect(home / "airflow" / "airflow.db", timeout=60)) as db, db:
        due = "UPDATE deadline SET deadline_time = '2026-05-04 11:00:00.000000' WHERE NOT missed"
        return db.execute(due).rowcount > 0


@pytest.mark.elasticsearch
def test_on_a_bad_day_the_grid_says_so_and_the_rest_becomes_tickets(
    elasticsearch: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, log = Town(), tmp_path / "airflow.log"
    prefix = f"smoke-{uuid.uuid4().hex[:8]}"
    monkeypatch.setenv("OUTCRY_ELASTICSEARCH", elasticsearch.url)
    monkeypatch.setenv("OUTCRY_ES_USER", elasticsearch.user)
    monkeypatch.setenv("OUTCRY_ES_PASSWORD", elasticsearch.password)
    with serving(town.answer) as url, log.open("wb") as output:
        # The one that asks for a pause is a host of its own: it holds up all that share it.
        busy = url.replace("127.0.0.1", "localhost")
        # A deadline's callback reads no connection of Airflow's database, but it does read this.
        hook = json.dumps({"conn_type": "http", "extra": {"webhook": f"{url}/alert"}})
        monkeypatch.setenv("AIRFLOW_CONN_OUTCRY_ALERTS", hook)
        targets = [
            brand.forum(f"{server}/{name}").replace('"forum"', f'"{name}"', 1)
            for name, server in (("forum", url), ("gone", url), ("limited", busy), ("quiet", url))
        ]
        home = brand.settle(tmp_path / "home", targets, f'prefix = "{prefix}"')
        try:
            with standalone(home, output, paused=True) as airflow:
                assert answered(airflow.sign_in, 180), "the API server does not answer"
                assert answered(lambda: airflow.knows(len(DAGS)), 90), "the DAGs are not known"
                for dag in ("score", "triage", "listen"):
                    assert answered(lambda dag=dag: airflow.resume(dag), 60)
                assert answered(lambda: any(first_window(airflow)), 60), "no window"
                run, key = first_window(airflow)
                window = datetime.fromisoformat(brand.WINDOW)
                # It waits, for its DAG is paused: its deadline does not.
                assert answered(lambda: airflow.trigger("retrain", window, "waits"), 60)
                assert answered(lambda: be_late(home), 60), "no deadline"
                through = [("listen", "failed"), ("score", "success"), ("triage", "success")]
                assert answered(lambda: runs(airflow, key) == through, 240), "no tickets"
                assert grid(airflow, "listen", run) == GRID
                tries = f"/api/v2/dags/listen/dagRuns/{run}/taskInstances/default.collect/2/tries"
                found = airflow.call("GET", tries)["task_instances"]
                assert [one["state"] for one in found] == ["failed", "success"]
                assert answered(lambda: len(town.told) >= 1, 60), "nobody was told of a late run"
                errors = airflow.call("GET", "/api/v2/importErrors")
                assert errors["total_entries"] == 0
        finally:
            sys.stdout.write(log.read_text(errors="replace"))  # pytest shows it on a failure
            with closing(load_settings(home).open_store()) as store:
                tickets = list(store.all_tickets())
            remove_prefix(elasticsearch, prefix)
    assert len(tickets) == len(brand.COMPLAINTS)
    assert "is late" in town.told[0]["text"]


@pytest.mark.postgres
def test_a_window_becomes_tickets_with_the_books_in_postgresql(tmp_path: Path) -> None:
    log = tmp_path / "airflow.log"
    with ExitStack() as stack:
        try:
            address = stack.enter_context(postgres.serving())
        except postgres.NoPostgres as missing:
            not_run("postgres", str(missing))
        url, output = stack.enter_context(serving(brand.feed)), stack.enter_context(log.open("wb"))
        home = brand.settle(tmp_path / "home", [brand.forum(url)])
        database = f"postgresql+psycopg2://{address}"
        try:
            with standalone(home, output, paused=True, database=database) as airflow:
                assert answered(airflow.sign_in, 180), "the API server does not answer"
                assert answered(lambda: airflow.knows(len(DAGS)), 90), "the DAGs are not known"
                for dag in ("score", "triage", "listen"):
                    assert answered(lambda dag=dag: airflow.resume(dag), 60)
                window = datetime.fromisoformat(brand.WINDOW)
                assert answered(lambda: airflow.trigger("listen", window, "by_hand"), 60)
                through = [("listen", "success"), ("score", "success"), ("triage", "success")]
                assert answered(lambda: runs(airflow, brand.KEY, by_hand=True) == through, 180)
        finally:
            sys.stdout.write(log.read_text(errors="replace"))  # pytest shows it on a failure
    with closing(load_settings(home).open_store()) as store:
        assert len(list(store.all_tickets())) == len(brand.COMPLAINTS)


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
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert [line.split()[0] for line in said] == ["Starting", "Airflow", "Tickets"]
    left = [name for name in _command_lines() if str(home) in name]
    assert left == []


def _command_lines() -> Iterator[str]:
    """The environment and command line of every process that we may look into."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for name in ("cmdline", "environ"):
                yield (folder / name).read_bytes().decode(errors="replace")
