"""Every week: would a model that learnt from our own outcomes read better?

`challenge` teaches a copy of the shipped model what agents have decided, in an environment of its
own (`python` of `[retraining]`), and compares it with the champion on outcomes that neither has
seen. `promote` puts it in use if it won. A week without a winner is green, and its log says why;
`outcry model compare` shows both cards, `outcry model rollback` takes a promotion back.

**When it is red**, the champion reads on as before. The last line of the log says what to do:
mostly, the other environment is gone or lacks `outcry-triage[train]`. Then clear the run.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from airflow.sdk import CronTriggerTimetable, dag, task

from dags import common, credentials, retries


@task(retry_policy=retries.WORKING)
def challenge() -> str:
    """Train a challenger and compare it; returns its name if it won, else nothing."""
    from outcry import retraining

    house = credentials.house()
    with closing(house.open_store()) as store:
        done = retraining.challenge(house, store, datetime.now(UTC))
    following = "next: promote" if done.won else "the champion stays"
    common.log.info("%s: %s", done.challenger or "nothing trained", done.words)
    common.tell("retrain", {"rows": done.rows, "won": int(done.won)}, following)
    return done.challenger if done.won and done.challenger else ""


@task(retry_policy=retries.WORKING)
def promote(challenger: str) -> None:
    """Put a challenger that won in use, from the next window on."""
    if not challenger:
        common.log.info("no winner: the champion stays")
        return
    champions = credentials.house().champions
    champions.promote(challenger)
    common.log.info("in use from now on: %s", champions.champion.name)


@dag(
    schedule=CronTriggerTimetable("20 4 * * 1", timezone="UTC"),
    max_active_runs=1,
    doc_md=__doc__,
    **common.dag_arguments(minutes=120, done_within=240, windows=False),
)
def retrain() -> None:
    """The gate is between the two."""
    promote(challenge())  # type: ignore[arg-type]


retrain()
