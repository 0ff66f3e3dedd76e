"""DAGs of the shape of ours whose tasks do nothing, for `bench.window`; a file for Airflow."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Asset, PartitionedAssetTimetable, dag, get_current_context, task

from dags import common

SOURCES = 12
RAW = Asset("empty_raw", uri="outcry://empty/raw")
SCORED = Asset("empty_scored", uri="outcry://empty/scored")
SHARED: dict[str, Any] = {"max_active_runs": 1, **common.dag_arguments(minutes=20, done_within=30)}


def _hand_on(asset: Asset) -> str:
    context = get_current_context()
    given = context["params"].get("window_start")
    return common.publish(asset, common.window_start(given, context.get("partition_key")))


@task
def targets() -> list[dict[str, int]]:
    """As many as there are sources."""
    return [{"number": number} for number in range(SOURCES)]


@task
def collect(number: int) -> None:
    """Nothing."""


@task(outlets=[RAW])
def publish() -> str:
    """Nothing but the asset."""
    return _hand_on(RAW)


@task(outlets=[SCORED])
def score_window() -> str:
    """Nothing but the asset."""
    return _hand_on(SCORED)


@task
def triage_window() -> None:
    """Nothing."""


@task
def hand_over() -> None:
    """Nothing."""


@dag(schedule=None, **SHARED)
def empty_listen() -> None:
    """As `listen` is."""
    heard = collect.expand_kwargs(targets())
    heard >> [publish(), common.complain()]


@dag(schedule=PartitionedAssetTimetable(assets=RAW), **SHARED)
def empty_score() -> None:
    """As `score` is."""
    score_window()


@dag(schedule=PartitionedAssetTimetable(assets=SCORED), **SHARED)
def empty_triage() -> None:
    """As `triage` is."""
    triage_window() >> hand_over()


empty_listen()
empty_score()
empty_triage()
