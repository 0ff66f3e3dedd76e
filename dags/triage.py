"""When a window was scored: fold its mentions into tickets and rank them.

**When it is red**, the store holds what was written so far, and running the window again
changes only what is missing. The last line of the log says what to do. A store that does
not answer: start it, then clear the run. A store that refuses: mend the credentials or
free some disk, then clear the run. What agents decided is never overwritten.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from airflow.sdk import PartitionedAssetTimetable, dag, task

from dags import common, credentials, retries


@task(retry_policy=retries.WORKING, multiple_outputs=False)
def triage_window() -> dict[str, int]:
    """Write the window's mentions and tickets; returns counts."""
    from outcry import pipeline

    house = credentials.house()
    window = common.this_window(house)
    with closing(house.open_store()) as store:
        done = pipeline.triage(house, store, window=window.name, now=datetime.now(UTC))
        oldest = store.longest_waiting()
    waited = datetime.now(UTC) - oldest.opened_at if oldest else timedelta(0)
    common.measure("oldest_unanswered_s", waited.total_seconds())
    counts = {name: getattr(done, name) for name in ("new", "opened", "updated", "refused")}
    common.tell(
        f"triage {window.name}", counts, "next: the queue, and the help desk if there is one"
    )
    return counts


@task(retry_policy=retries.WORKING, multiple_outputs=False)
def hand_over() -> dict[str, int]:
    """Push open tickets to the help desk and pull outcomes; without one, nothing."""
    from outcry import helpdesks

    house, now = credentials.house(), datetime.now(UTC)
    if house.helpdesk.kind is None:
        return {}
    desk = helpdesks.adapter(house.helpdesk)
    with closing(house.open_store()) as store:
        pushed = helpdesks.push(store, desk, now)
        pulled = helpdesks.pull(store, desk, house.rules, now)
    counts = {"pushed": pushed.sent, "waiting": pushed.waiting, "closed": pulled.closed}
    common.tell("helpdesk", counts, "what waits goes with the next window")
    if errors := [*pushed.errors, *pulled.errors]:
        raise RuntimeError("; ".join(dict.fromkeys(errors)))
    return counts


@dag(
    schedule=PartitionedAssetTimetable(assets=common.SCORED),
    max_active_runs=1,  # A store has one triage at a time.
    doc_md=__doc__,
    **common.dag_arguments(minutes=60, done_within=45),
)
def triage() -> None:
    """The store is told in bulk, then the help desk."""
    triage_window() >> hand_over()


triage()
