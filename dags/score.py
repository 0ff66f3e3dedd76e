"""When a window was heard: read its texts, and say what we make of them.

**When it is red**, no mention of the window has been assessed twice or lost. The last line
of the log says what to do. A missing model: install it, then clear the run. A task that
was killed wanted more memory than there was: give the worker 1 GB, then clear the run.
A window that was never scored is caught up by triggering this DAG with its start.
"""

from __future__ import annotations

from airflow.sdk import PartitionedAssetTimetable, dag, task

from dags import common, credentials, retries


@task(retry_policy=retries.WORKING, outlets=[common.SCORED], multiple_outputs=False)
def score_window() -> dict[str, int]:
    """Assess what has no assessment yet; returns counts."""
    from outcry import pipeline

    house = credentials.house()
    window = common.this_window(house)
    done = pipeline.score(house, window=window.name)
    common.publish(common.SCORED, window.start)
    counts = {name: getattr(done, name) for name in ("parts", "mentions", "complaints", "unread")}
    common.tell(f"score {window.name}", counts, "next: triage")
    return counts


@dag(
    schedule=PartitionedAssetTimetable(assets=common.RAW),
    max_active_runs=2,  # Each holds a model in memory.
    doc_md=__doc__,
    **common.dag_arguments(minutes=60, done_within=45),
)
def score() -> None:
    """One task: a window's parts are one model load."""
    score_window()


score()
