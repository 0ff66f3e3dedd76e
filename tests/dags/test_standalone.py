"""A real Airflow: scheduler, API server and workers, until a window has become tickets."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from outcry.settings import load_settings
from tests.dags import brand
from tests.dags.conftest import ROOT, airflow_environment
from tests.servers.web import serving

pytestmark = [pytest.mark.airflow, pytest.mark.slow]

PASSWORD = "for-this-test-only"


class Airflow:
    """The REST API of a running Airflow, signed in as its administrator."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.token = ""

    def sign_in(self) -> bool:
        """Whether it worked; raises what `call` raises."""
        answer = self.call("POST", "/auth/token", {"username": "admin", "password": PASSWORD})
        self.token = answer["access_token"]
        return True

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        with urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def trigger(self, dag: str, window: str) -> bool:
        """Start a run by hand; again is harmless, should its database have been locked."""
        wanted = {"logical_date": None, "dag_run_id": window, "conf": {"window_start": window}}
        try:
            self.call("POST", f"/api/v2/dags/{dag}/dagRuns", wanted)
        except HTTPError as error:
            if error.code != HTTPStatus.CONFLICT:
                raise
        return True

    def runs(self, key: str) -> list[tuple[str, str]]:
        """DAG and state of the runs of a partition, and of those by hand."""
        found = self.call("GET", "/api/v2/dags/~/dagRuns?limit=100")["dag_runs"]
        return sorted(
            (run["dag_id"], run["state"])
            for run in found
            if run["partition_key"] == key or run["conf"]
        )


def wait_until(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Ask twice a second; a server that is not up yet is no answer."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(URLError, ConnectionError, TimeoutError):
            if done():
                return
        time.sleep(0.5)
    pytest.fail(f"not within {seconds} s: {what}")


def free_ports(count: int) -> list[str]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [str(probe.getsockname()[1]) for probe in probes]


@contextlib.contextmanager
def standalone(home: Path, log: Path) -> Iterator[Airflow]:
    """Set up as the image is, started, and stopped with all that it started."""
    api, worker, trigger = free_ports(3)
    environment = airflow_environment(home / "airflow") | {
        "AIRFLOW_ADMIN_PASSWORD": PASSWORD,
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{api}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": api,
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "false",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{api}/execution/",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "false",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": trigger,
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": worker,
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "OUTCRY_HOME": str(home),
    }
    with log.open("wb") as output:
        init = ["bash", str(ROOT / "deploy" / "init.sh")]
        subprocess.run(init, env=environment, stdout=output, stderr=output, check=True, timeout=90)
        process = subprocess.Popen(
            ["airflow", "standalone"],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Airflow(f"http://127.0.0.1:{api}")
    finally:
        stop(process)
        sys.stdout.write(log.read_text(errors="replace"))  # pytest shows it if the test fails


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group; returns when it is gone."""
    for kind, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
        end = time.monotonic() + seconds
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
            while time.monotonic() < end:
                process.poll()
                os.killpg(process.pid, 0)
                time.sleep(0.1)
    process.wait()


def test_a_window_goes_from_listen_to_tickets_by_assets_alone(tmp_path: Path) -> None:
    log = tmp_path / "airflow.log"
    with serving(brand.feed) as url:
        home = brand.settle(tmp_path / "home", [brand.forum(url)])
        with standalone(home, log) as airflow:
            wait_until(airflow.sign_in, 180, "the API server answers")
            wait_until(
                lambda: airflow.call("GET", "/api/v2/dags")["total_entries"] == 3,
                90,
                "the DAGs are known",
            )
            wait_until(lambda: airflow.trigger("listen", brand.WINDOW), 60, "the run is started")
            through = [("listen", "success"), ("score", "success"), ("triage", "success")]
            wait_until(lambda: airflow.runs(brand.KEY) == through, 180, "tickets were written")
            errors = airflow.call("GET", "/api/v2/importErrors")
            assert errors["total_entries"] == 0
    store = load_settings(home).open_store()
    try:
        assert len(list(store.all_tickets())) == len(brand.COMPLAINTS)
    finally:
        store.close()
