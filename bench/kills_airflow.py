"""Ten windows while Airflow is killed: ``python -m bench.kills_airflow [--elasticsearch]``.

The scheduler with its workers, single tasks and, with ``--elasticsearch``, the node are killed
(SIGKILL) at random moments and started again, while windows follow each other as they are
triggered. Then what still runs is waited for, and `bench.kills` judges: three counts, and the
tickets of a run in which nothing happened. Airflow is told to notice dead tasks within seconds,
where its default is five minutes.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from bench.kills import Report, Town, judge, node_if, say, secrets_of, settle, undisturbed, window
from outcry.demo.airflow import Airflow, answered, prepare, start, stop
from outcry.settings import load_settings
from tests.servers.elasticsearch import Node
from tests.servers.web import serving

UP_S = 300
DRAIN_S = 600
PARTS = ("api-server", "dag-processor", "triggerer")
QUICK = {
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
}
DAGS = ("listen", "score", "triage")


class Scheduler:
    """A scheduler, its workers and their tasks: what can be killed."""

    def __init__(self, environment: Mapping[str, str], output: IO[bytes]) -> None:
        self._environment, self._output = environment, output
        self.start()

    def start(self) -> None:
        """Start it (again)."""
        self._process = start(["airflow", "scheduler"], self._environment, self._output)

    def kill(self) -> None:
        """All of it at once, as when a machine goes down."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def kill_task(self, chance: random.Random) -> bool:
        """One of the processes below it; False if there is none."""
        below = sorted(_below(self._process.pid))
        if not below:
            return False
        with suppress(ProcessLookupError):
            os.kill(chance.choice(below), signal.SIGKILL)
        return True

    def stop(self) -> None:
        """Let it end."""
        stop(self._process)


def _below(pid: int) -> Iterator[int]:
    """The processes that a process has started, and those that these have."""
    listed = subprocess.run(
        ["ps", "--no-headers", "-o", "pid", "--ppid", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    for word in listed.stdout.split():
        yield int(word)
        yield from _below(int(word))


def disturb(scheduler: Scheduler, node: Node | None, report: Report, chance: random.Random) -> None:
    """Kill something, and start it again."""
    what = chance.random()
    if what < 0.4:
        report.killed += 1
        scheduler.kill()
        time.sleep(chance.uniform(0, 3))
        scheduler.start()
    elif what < 0.8 or node is None:
        report.killed += scheduler.kill_task(chance)
    else:
        report.node_killed += 1
        node.stop_hard()
        time.sleep(chance.uniform(0, 5))
        node.start_again()


def drain(airflow: Airflow) -> Counter[str]:
    """Wait until no run of ours is under way; how they ended."""
    states: Counter[str] = Counter()

    def quiet() -> bool:
        states.clear()
        for dag in DAGS:
            found = airflow.call("GET", f"/api/v2/dags/{dag}/dagRuns?limit=100")["dag_runs"]
            states.update(run["state"] for run in found)
        return not states["running"] and not states["queued"]

    answered(quiet, DRAIN_S)
    time.sleep(10)  # An asset's event becomes a run a moment later.
    answered(quiet, DRAIN_S)
    return states


def play(folder: Path, windows: int, seed: int, node: Node | None) -> tuple[Report, Counter[str]]:
    """All of it; the report, and the states that Airflow's runs ended with."""
    expected, _ = undisturbed(folder, windows)
    chance, town, report = random.Random(seed), Town(windows), Report(windows=windows)
    prefix = f'prefix = "kills-{seed}-{int(time.time())}"' if node else ""
    secrets = secrets_of(node)
    with ExitStack() as stack:
        url = stack.enter_context(serving(town.answer))
        home = settle(folder / "airflow", url, prefix)
        output = stack.enter_context((folder / "airflow.log").open("wb"))
        airflow, environment = prepare(home, output, paused=True)
        environment |= QUICK | secrets
        for part in PARTS:
            stack.callback(stop, start(["airflow", part], environment, output))
        scheduler = Scheduler(environment, output)
        stack.callback(scheduler.stop)
        if not (answered(airflow.sign_in, UP_S) and answered(lambda: airflow.knows(6), UP_S)):
            raise SystemExit("Airflow did not come up")
        for dag in reversed(DAGS):
            answered(lambda dag=dag: airflow.resume(dag), 60)
        for number in range(windows):
            town.windows = number + 1
            name = f"window_{number}"
            answered(
                lambda n=number, name=name: airflow.trigger("listen", window(n).start, name), 60
            )
            for _ in range(chance.randint(1, 2)):
                time.sleep(chance.uniform(1, 8))
                disturb(scheduler, node, report, chance)
        states = drain(airflow)
        later = datetime.now(UTC) + timedelta(hours=2)
        judge(load_settings(home, secrets), expected, report, later)
    return report, states


def main() -> None:
    """Print the report; ends with 1 if something was lost, doubled, or differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--elasticsearch", action="store_true", help="the node is killed, too")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, node_if(given.elasticsearch) as node:
        report, states = play(Path(folder), given.windows, given.seed, node)
    say(report)
    print(f"Airflow's runs {', '.join(f'{n} {state}' for state, n in sorted(states.items()) if n)}")
    sys.exit(not report.clean)


if __name__ == "__main__":
    main()
