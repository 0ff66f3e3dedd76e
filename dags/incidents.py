"""Every five minutes: does something hit many customers at once?

Looks at what `triage` has brought since the last look, and tells those of `[alerts]` once for
each new incident; and, in the first minutes of an hour, for each source that fell silent.

**When it is red**, incidents that are known stay as they are, and the next run looks at the same
stretch again: nothing is missed. A store that does not answer: start it. An alert that is
refused: correct the address that the last line of the log names; it waits and is sent again.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from airflow.sdk import CronTriggerTimetable, dag, task

from dags import common, credentials, retries

EVERY = 5
"""Minutes."""


@task(retry_policy=retries.WORKING, multiple_outputs=False)
def look() -> dict[str, int]:
    """Look for incidents and alert; returns counts."""
    from outcry import pipeline, upkeep

    house, now = credentials.house(), datetime.now(UTC)
    with closing(house.open_store()) as store:
        found = pipeline.incidents(house, store, now=now)
        # It reads weeks of the ledger, and no silence begins and ends within an hour.
        silent = upkeep.watch_silences(house, store, now).errors if now.minute < EVERY else []
    counts = {"new": found.new, "changed": found.changed, "alerts_sent": found.alerts_sent}
    common.tell("incidents", counts, "see 'outcry incidents'")
    if errors := [*found.errors, *silent]:
        raise RuntimeError("; ".join(dict.fromkeys(errors)))
    return counts


@dag(
    schedule=CronTriggerTimetable(f"*/{EVERY} * * * *", timezone="UTC"),
    max_active_runs=1,
    doc_md=__doc__,
    **common.dag_arguments(minutes=10, done_within=15, windows=False),
)
def incidents() -> None:
    """One task: it looks back by itself to where the last one ended."""
    look()


incidents()
