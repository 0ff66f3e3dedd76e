"""One window of 12 sources to tickets, by Airflow: ``python -m bench.window [--windows N]``.

Starts `airflow standalone` with parallelism 4 on an empty home, and beside our DAGs three of the
same shape whose tasks do nothing: what these take is Airflow's own. A window counts from the
moment that its run is asked for until the last task of the last DAG has ended. The sources are
local servers of ``tests/servers``: feeds, each of them on an address of its own. Windows of
either kind take turns, so that a machine that does other work beside slows both alike.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.kills import FEEDS, Town
from outcry.demo.airflow import ROOT, Airflow, answered, standalone
from outcry.settings import load_settings
from outcry.windows import window_of
from tests.servers.web import serving

SOURCES = 12
UP_S = 300
EMPTY = ("empty_listen", "empty_score", "empty_triage")
OURS = ("listen", "score", "triage")


@contextmanager
def airflow_with(home: Path, dags: Path) -> Iterator[Airflow]:
    """A running Airflow that knows our DAGs and the empty ones, which are resumed."""
    files = [ROOT / "bench" / "empty_dags.py", *(ROOT / "dags" / f"{name}.py" for name in OURS)]
    for file in files:
        shutil.copy(file, dags)
    with (
        (home / "airflow.log").open("wb") as output,
        standalone(home, output, paused=True, dags=dags) as airflow,
    ):
        known = len(OURS) + len(EMPTY)
        if not (answered(airflow.sign_in, UP_S) and answered(lambda: airflow.knows(known), UP_S)):
            raise SystemExit(f"Airflow did not come up: see {home / 'airflow.log'}")
        for dag in (*EMPTY, *OURS):
            answered(lambda dag=dag: airflow.resume(dag), 60)
        yield airflow


def run_window(airflow: Airflow, first: str, last: str, window: datetime) -> float:
    """Seconds from asking for a window until the last run of its partition has ended."""
    answered(lambda: _idle(airflow), UP_S)  # What the clock starts by itself goes by first.
    began = time.monotonic()
    answered(lambda: airflow.trigger(first, window, f"{first}_{window:%H%M}"), 60)
    if not answered(lambda: _ended(airflow, last, f"{window:%Y-%m-%dT%H:%M:%S}"), UP_S):
        raise SystemExit(f"no {last} within {UP_S} s")
    return time.monotonic() - began


def _idle(airflow: Airflow) -> bool:
    found = airflow.call("GET", "/api/v2/dags/~/dagRuns?limit=100")["dag_runs"]
    under_way = [run for run in found if run["state"] in ("queued", "running")]
    return not under_way and any(run["dag_id"] == OURS[-1] for run in found)


def _ended(airflow: Airflow, dag: str, partition: str) -> bool:
    found = airflow.call("GET", f"/api/v2/dags/{dag}/dagRuns?limit=100")["dag_runs"]
    states = [run["state"] for run in found if run["partition_key"] == partition]
    if "failed" in states:
        raise SystemExit(f"{dag} of {partition} failed")
    return "success" in states


def main() -> None:
    """Print both times, their ratio, and how many tickets there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        home, dags = Path(folder) / "home", Path(folder) / "dags"
        town = Town(given.windows + 2)
        urls = [stack.enter_context(serving(town.answer)) for _ in range(SOURCES)]
        dags.mkdir()
        home.mkdir()
        _settle(home, urls)
        airflow = stack.enter_context(airflow_with(home, dags))
        empty, ours = [], []
        start = window_of(datetime.now(UTC) - timedelta(days=2), 15).start
        for number in range(given.windows):
            town.windows = number + 1
            window = start + timedelta(minutes=15 * number)
            empty.append(run_window(airflow, EMPTY[0], EMPTY[-1], window))
            ours.append(run_window(airflow, OURS[0], OURS[-1], window))
        with closing(load_settings(home).open_store()) as store:
            tickets = store.counts()["tickets"]
    print(f"{SOURCES} sources to tickets   {_words(ours)}; goal 45 s")
    print(f"empty tasks, same shape  {_words(empty)}")
    ratio = statistics.median(ours) / statistics.median(empty)
    print(f"ratio                    {ratio:.2f}; {tickets} tickets")


def _settle(home: Path, urls: list[str]) -> None:
    targets = "".join(
        f'\n[[targets]]\nsource = "rss"\nkey = "feed-{number}"\n'
        f'url = "{url}/{FEEDS[number % len(FEEDS)]}"\nkind = "post"\n'
        for number, url in enumerate(urls)
    )
    listen = '[listen]\nallow_networks = ["127.0.0.0/8"]\n'
    (home / "outcry.toml").write_text(f"{listen}{targets}")


def _words(times: list[float]) -> str:
    listed = ", ".join(f"{one:.1f}" for one in sorted(times))
    return f"{statistics.median(times):5.1f} s (median of {listed})"


if __name__ == "__main__":
    main()
