"""Every week: would models that learnt from our own agents do better?

`complaints` teaches a copy of the shipped model how cases ended, in an environment of its own
(`python` of `[retraining]`); `routing` learns where agents sent cases. Each `challenge` compares
its challenger with the champion on what neither has seen, and `promote` puts it in use if it won.
A week without a winner is green, and its log says why; `outcry model compare` shows both cards,
`outcry model rollback` takes a promotion back (for the routing both with `--routing`).

**When it is red**, the champions go on as before. The last line of the log says what to do:
mostly, the other environment is gone or lacks `outcry-triage[train]`. Then clear the run.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from airflow.sdk import CronTriggerTimetable, TaskGroup, dag, task

from dags import common, credentials, retries

PLACES = ("complaints", "routing")


@task(retry_policy=retries.WORKING)
def challenge(place: str) -> str:
    """Train a challenger and compare it; returns its name if it won, else nothing."""
    from outcry import rerouting, retraining

    house = credentials.house()
    train = rerouting.challenge if place == "routing" else retraining.challenge
    with closing(house.open_store()) as store:
        done = train(house, store, datetime.now(UTC))
    following = "next: promote" if done.won else "the champion stays"
    common.log.info("%s: %s", done.challenger or "nothing trained", done.words)
    common.tell(f"retrain {place}", {"rows": done.rows, "won": int(done.won)}, following)
    return done.challenger if done.won and done.challenger else ""


@task(retry_policy=retries.WORKING)
def promote(place: str, challenger: str) -> None:
    """Put a challenger that won in use, from the next window on."""
    if not challenger:
        common.log.info("no winner: the champion stays")
        return
    house = credentials.house()
    line = house.routers if place == "routing" else house.champions
    line.promote(challenger)
    common.log.info("in use from now on: %s", line.in_use)


@dag(
    schedule=CronTriggerTimetable("20 4 * * 1", timezone="UTC"),
    max_active_runs=1,
    doc_md=__doc__,
    **common.dag_arguments(minutes=120, done_within=240, windows=False),
)
def retrain() -> None:
    """The gate is between the two; neither place waits for the other."""
    for place in PLACES:
        with TaskGroup(place):
            promote(place, challenge(place))  # type: ignore[arg-type]


retrain()
