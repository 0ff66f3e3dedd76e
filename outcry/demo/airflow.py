"""Airflow on this machine with our DAGs and the invented brand: ``make airflow``.

One process group, gone with Ctrl-C. Everything lives in one folder; the store is the embedded
one, or the Elasticsearch of the environment.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Annotated, Any
from urllib.error import HTTPError, URLError

import typer

from outcry.demo.town import Town, open_town
from outcry.settings import environment_with
from outcry.windows import window_of

ROOT = Path(__file__).parents[2]
UP_WITHIN_S = 240
EVERY_S = 60
"""How often the demonstration listens, where a deployment waits for its quarter of an hour."""
DAGS = ("listen", "score", "triage", "incidents", "housekeeping", "retrain")


class Airflow:
    """The REST API of a running Airflow, once signed in as its administrator."""

    def __init__(self, url: str, password: str) -> None:
        self.url = url
        self._password = password
        self._token = ""

    def sign_in(self) -> bool:
        """Get a token; raises what `call` raises."""
        words = {"username": "admin", "password": self._password}
        self._token = self.call("POST", "/auth/token", words)["access_token"]
        return True

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer of one call, decoded.

        Raises:
            URLError, ConnectionError, TimeoutError: if there is none, or it is an error.
        """
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self._token}"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def knows(self, dags: int) -> bool:
        """Whether so many DAGs have been read."""
        return bool(self.call("GET", "/api/v2/dags")["total_entries"] >= dags)

    def resume(self, dag: str) -> bool:
        """Let a paused DAG run."""
        self.call("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})
        return True

    def trigger(self, dag: str, window: datetime, run: str) -> bool:
        """Start a run by hand; again is harmless, should its database have been locked."""
        conf = {"window_start": window.isoformat()}
        wanted = {"logical_date": None, "dag_run_id": run, "conf": conf}
        try:
            self.call("POST", f"/api/v2/dags/{dag}/dagRuns", wanted)
        except HTTPError as error:
            if error.code != http.HTTPStatus.CONFLICT:
                raise
        return True


def answered(ask: Any, seconds: float) -> bool:
    """Ask twice a second until it is true; a server that is not up yet is no answer.

    Raises:
        HTTPError: if the question is wrong, which asking again does not change.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if ask():
                return True
        except HTTPError as error:
            if 400 <= error.code < 500:
                raise
        except (URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.5)
    return False


def prepare(
    home: Path,
    output: IO[bytes],
    port: int = 0,
    *,
    paused: bool = False,
    dags: Path = ROOT / "dags",
    database: str | None = None,
) -> tuple[Airflow, dict[str, str]]:
    """Set up an Airflow on loopback for the deployment in ``home``; it and its environment.

    With ``paused``, its DAGs wait to be resumed. ``dags`` is the folder of their files.
    ``database`` is an address as SQLAlchemy has them; without one it is a file in the home.

    Raises:
        subprocess.CalledProcessError: if its database or its pools cannot be set up.
    """
    api, worker, trigger = _free_ports(3)
    password = secrets.token_urlsafe(12)
    url = f"http://127.0.0.1:{port or api}"
    changes = {
        "AIRFLOW_ADMIN_PASSWORD": password,
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port or api),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": str(paused),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "false",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        # A busy machine holds the file's lock longer than the five seconds that are the default.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database
        or f"sqlite:///{home}/airflow/airflow.db?timeout=60",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(worker),
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "OUTCRY_HOME": str(home),
    }
    environment = environment_with(changes)
    init = ["bash", str(ROOT / "deploy" / "init.sh")]
    subprocess.run(init, env=environment, stdout=output, stderr=output, check=True, timeout=180)
    return Airflow(url, password), environment


@contextlib.contextmanager
def standalone(
    home: Path,
    output: IO[bytes],
    port: int = 0,
    *,
    paused: bool = False,
    dags: Path = ROOT / "dags",
    database: str | None = None,
) -> Iterator[Airflow]:
    """All of an Airflow in one process group, until the block ends; see `prepare`."""
    airflow, environment = prepare(home, output, port, paused=paused, dags=dags, database=database)
    process = start(["airflow", "standalone"], environment, output)
    try:
        yield airflow
    finally:
        stop(process)


def start(
    command: list[str], environment: Mapping[str, str], output: IO[bytes]
) -> subprocess.Popen[bytes]:
    """A process with a group of its own, for `stop`."""
    return subprocess.Popen(
        command, env=environment, stdout=output, stderr=output, start_new_session=True
    )


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


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


def settle(home: Path, town: str, networks: list[str]) -> None:
    """Write the deployment's settings: the demonstration's brand, and the town's feeds."""
    home.mkdir(parents=True, exist_ok=True)
    tables = [
        f'\n[[targets]]\nsource = "rss"\nkey = "{name}"\nurl = "{town}/{name}"\nkind = "post"\n'
        'owners = ["kestrelline", "kestrelline.example"]\n'
        for name in networks
    ]
    ours = (Path(__file__).parent / "outcry.toml").read_text(encoding="utf-8")
    listen = '\n[listen]\nallow_networks = ["127.0.0.0/8"]\n'
    (home / "outcry.toml").write_text("".join((ours, listen, *tables)), encoding="utf-8")


def main(
    home: Annotated[Path, typer.Option(help="Folder for everything; emptied at the start.")],
    port: Annotated[int, typer.Option(help="Port of Airflow's pages.")] = 8080,
    minutes: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
) -> None:
    """Start Airflow with our DAGs and an invented brand; Ctrl-C ends it."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        # A shell has what it starts in its background ignore Ctrl-C; nothing may be left running.
        signal.signal(ending, signal.default_int_handler)
    home = home.absolute()
    shutil.rmtree(home, ignore_errors=True)
    town = Town(datetime.now(UTC))
    home.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        output = stack.enter_context((home / "airflow.log").open("wb"))
        settle(home, stack.enter_context(open_town(town)), town.networks)
        typer.echo(f"Starting Airflow; it takes a minute. Its log: {home / 'airflow.log'}")
        try:
            airflow = stack.enter_context(standalone(home, output, port))
            ready = answered(airflow.sign_in, UP_WITHIN_S)
            if not (ready and answered(lambda: airflow.knows(len(DAGS)), UP_WITHIN_S)):
                typer.echo("error: Airflow did not come up: the end of its log says why", err=True)
                raise typer.Exit(1)
            password = json.loads((home / "passwords.json").read_text())["admin"]
            typer.echo(f"Airflow   {airflow.url}  admin / {password}")
            typer.echo(f"Tickets   outcry --home {home} queue")
            typer.echo("Ctrl-C ends it.")
            _listen_again_and_again(airflow, minutes)
        except KeyboardInterrupt:
            typer.echo("stopping")


def _listen_again_and_again(airflow: Airflow, minutes: float | None) -> None:
    """Hear the window that has just closed, every minute, until the time is over."""
    end = time.monotonic() + minutes * 60 if minutes is not None else float("inf")
    while time.monotonic() < end:
        now = datetime.now(UTC)
        window = window_of(now - timedelta(minutes=15), 15).start
        run = f"demonstration_{now:%Y%m%dT%H%M%S}"
        answered(lambda window=window, run=run: airflow.trigger("listen", window, run), EVERY_S)
        time.sleep(min(EVERY_S, max(0.0, end - time.monotonic())))


if __name__ == "__main__":
    typer.run(main)
