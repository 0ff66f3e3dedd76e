"""Every quarter of an hour: hear what was said, target by target.

**When it is red**, what could be heard is already on its way to `score`. The red square in
a group is the target that failed, and the last line of its log says what to do.
A refused credential: renew it, in the connection `outcry_SOURCE` or the environment.
A rate limit or a network: nothing, the next window goes on where this one stopped.
A square that stays scheduled wants a pool: `airflow pools import deploy/pools.json`.
Clearing a task or a run is safe at any time: nothing is lost or counted twice.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import CronPartitionTimetable, TaskGroup, XComArg, dag, task

from dags import common, credentials, retries
from outcry.home import families_in_use


@task(
    map_index_template=common.TARGET,
    retry_policy=retries.LISTENING,
    multiple_outputs=False,
)
def collect(source: str, key: str) -> dict[str, int]:
    """Collect one target; returns counts from its ledger row."""
    from outcry import pipeline

    house = credentials.house()
    target = house.target(source, key)
    window = common.this_window(house)
    secrets = credentials.connection_secrets(source, target.credential)
    row = pipeline.listen_target(house, target, window, datetime.now(UTC), secrets=secrets)
    counts = {name: getattr(row, name) for name in ("new", "changed", "deleted", "rejected")}
    common.tell(f"listen {source}/{key} {window.name}", counts, f"{row.outcome}; next: score")
    retries.raise_for(row)
    return counts


@task(trigger_rule="all_done", outlets=[common.RAW])
def publish() -> str:
    """Hand the window on, with whatever was heard; some targets may have failed."""
    return common.publish(common.RAW, common.this_window(credentials.house()).start)


@dag(
    schedule=CronPartitionTimetable("*/15 * * * *", timezone="UTC", run_offset=-1),
    max_active_runs=1,
    doc_md=__doc__,
    **common.dag_arguments(minutes=20, done_within=30),
)
def listen() -> None:
    """One mapped task per family of the settings, since a pool belongs to a task; the asset."""
    heard: list[XComArg] = []
    for family in families_in_use():
        with TaskGroup(family):
            heard.append(
                collect.override(pool=f"outcry_{family}").expand_kwargs(common.targets(family))
            )
    heard >> publish()
    if heard:
        heard >> common.complain()


listen()
