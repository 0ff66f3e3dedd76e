"""What the DAGs share: the window of a run, the assets that join them, what they say.

Importing this costs Airflow's Task SDK and little else; rooms of ours that weigh more are
imported inside the functions that tasks call.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.observability import stats

from dags import deadlines

if TYPE_CHECKING:
    from outcry.settings import Settings
    from outcry.windows import Window

RAW = Asset("outcry_raw", uri="outcry://landing/raw")
SCORED = Asset("outcry_scored", uri="outcry://landing/scored")

log = logging.getLogger("outcry")

_PARTITION = "%Y-%m-%dT%H:%M:%S"

TARGET = "{{ task.op_kwargs['source'] }}/{{ task.op_kwargs['key'] }}"
"""How the grid names a task that is mapped over targets."""


class NoWindow(AirflowFailException):
    """The run does not say which window it is about; trying again cannot help."""


def dag_arguments(minutes: int, *, done_within: int, windows: bool = True) -> dict[str, Any]:
    """What every DAG of ours has; no try of a task takes longer than ``minutes``.

    A run that is not ``done_within`` so many minutes is told of. With ``windows``, a run by hand
    may name the one that it is about.
    """
    return {
        "deadline": deadlines.within(done_within),
        "start_date": datetime(2026, 1, 1, tzinfo=UTC),
        # Listeners go on from their state: the next window hears what a missed one did not.
        "catchup": False,
        "params": {"window_start": _window_param()} if windows else {},
        "tags": ["outcry"],
        "default_args": {
            "owner": "outcry",
            "retries": 2,
            "retry_delay": timedelta(minutes=1),
            "execution_timeout": timedelta(minutes=minutes),
        },
    }


def _window_param() -> Param:
    return Param(
        None,
        type=["null", "string"],
        format="date-time",
        title="Window",
        description="Start of the window, for a run by hand; a scheduled run knows its own.",
    )


def window_start(given: str | None, partition_key: str | None) -> datetime:
    """The start of a run's window: the parameter, else the partition key; aware, UTC.

    A time without a zone is UTC, which is how the scheduler writes its keys.

    Raises:
        NoWindow: if there is neither, or it is not a time.
    """
    text = given or partition_key
    if not text:
        raise NoWindow(
            "this run has no window: trigger it with window_start, such as 2026-05-04T10:15:00Z"
        )
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise NoWindow(
            f"window_start {text!r} is not a time: write it like 2026-05-04T10:15:00Z"
        ) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def this_window(settings: Settings) -> Window:
    """The window of the run that the calling task belongs to."""
    from outcry.windows import window_of

    context = get_current_context()
    start = window_start(context["params"].get("window_start"), context.get("partition_key"))
    return window_of(start, settings.listen.every_minutes)


def publish(asset: Asset, start: datetime) -> str:
    """Say, when the calling task succeeds, that the asset is ready for the window of ``start``.

    Returns the partition key. It is set also where the run has none of its own, so that
    a run by hand is followed by the others too.
    """
    key = start.strftime(_PARTITION)
    get_current_context()["outlet_events"][asset].add_partitions(key)
    return key


@task(retry_delay=timedelta(seconds=10))
def targets(family: str | None = None) -> list[dict[str, str]]:
    """The names of the targets of a family, or of all, as the settings have them now."""
    from dags import credentials
    from outcry import pipeline

    found = pipeline.targets_of(credentials.house(), family)
    return [{"source": target.source, "key": target.key} for target in found]


@task(trigger_rule="one_failed", retries=0)
def complain() -> None:
    """Keep the run red when a target failed, though others went on."""
    raise RuntimeError("a target failed: its red square says which, and its log says why")


def measure(name: str, value: float) -> None:
    """A gauge, ``outcry.NAME``, where StatsD or OpenTelemetry is configured."""
    stats.gauge(f"outcry.{name}", value)


def tell(what: str, counts: Mapping[str, int], following: str) -> None:
    """One line in the task's log, and counters that StatsD or OpenTelemetry take if configured.

    ``counts`` becomes ``outcry.WHAT.NAME`` each; ``following`` says what comes next.
    """
    words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
    log.info("%s: %s; %s", what, words, following)
    for name, count in counts.items():
        stats.incr(f"outcry.{what.split()[0]}.{name}", count)
