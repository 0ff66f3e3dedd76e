"""Every night: look again at what was deleted, keep no longer than allowed, compare the books.

`recheck` asks networks that do not tell of deletions; `tidy` removes what is deleted or too old,
compacts, and finds windows left behind; `digest` tells, keeps a snapshot, tries next month's index.

**When it is red**, nothing is lost, and every task may be cleared. A network or a credential: as
for `listen`. What `tidy` cannot mend is in the log of `digest`, with the remedy.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from airflow.sdk import CronTriggerTimetable, dag, task

from dags import common, credentials, retries


@task(map_index_template=common.TARGET, retry_policy=retries.LISTENING)
def recheck(source: str, key: str) -> None:
    """Ask a target's network what became of recent posts; its window takes what comes."""
    from outcry import pipeline, windows

    house, now = credentials.house(), datetime.now(UTC)
    target, window = house.target(source, key), windows.window_of(now, house.listen.every_minutes)
    secrets = credentials.connection_secrets(source, target.credential)
    if row := pipeline.recheck_one(house, target, window, now, secrets=secrets):
        counts = {"changed": row.changed, "deleted": row.deleted}
        common.tell(f"recheck {source}/{key}", counts, "next: score, with its window")
        retries.raise_for(row)


@task(retry_policy=retries.WORKING, trigger_rule="all_done")
def tidy() -> list[str]:
    """Remove what was deleted or is too old; returns the windows that were left behind."""
    from outcry import upkeep

    house = credentials.house()
    with closing(house.open_store()) as store:
        done = upkeep.tidy(house, store, datetime.now(UTC))
    common.tell("housekeeping", done.counts, "next: hand on")
    return [window.start.isoformat() for window in done.windows]


@task(map_index_template="{{ task.op_kwargs['start'] }}", outlets=[common.RAW])
def hand_on(start: str) -> None:
    """Hand a window to `score` and `triage` once more."""
    common.publish(common.RAW, datetime.fromisoformat(start))


@task(retry_policy=retries.WORKING, trigger_rule="all_done")
def digest() -> None:
    """Tell how things stand, keep a snapshot, and look ahead to the next month."""
    from outcry import digest, upkeep

    house, now = credentials.house(), datetime.now(UTC)
    with closing(house.open_store()) as store:
        found = digest.digest(house, store, now)
        told = digest.send(house, store, found, now)
        common.log.info("%s", "; ".join((*found.lines, *told.errors)))
        upkeep.snapshot(house, store, now)
        common.log.info("%s", "; ".join(upkeep.roll_over(store, now)))


@dag(
    schedule=CronTriggerTimetable("40 2 * * *", timezone="UTC"),
    max_active_runs=1,
    doc_md=__doc__,
    **common.dag_arguments(minutes=120, done_within=240, windows=False),
)
def housekeeping() -> None:
    """One after the other: a removal is seen by the comparison that follows."""
    again, left_behind = recheck.expand_kwargs(common.targets()), tidy()
    again >> [left_behind, common.complain()]
    left_behind >> [digest(), hand_on.expand(start=left_behind)]


housekeeping()
