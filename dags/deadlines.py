"""When a run is late: told to those of ``[alerts]``, by what Airflow has for it.

The scheduler measures from the moment that a run was queued. What has not even been queued, it
cannot know: `housekeeping` finds such windows.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import (  # type: ignore[attr-defined]
    DeadlineAlert,
    DeadlineReference,
    SyncCallback,
)

from dags import credentials

if TYPE_CHECKING:
    from collections.abc import Mapping


def within(minutes: int) -> DeadlineAlert:
    """A run has to be done so long after it was queued."""
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(minutes=minutes),
        callback=SyncCallback(tell),
        name="late",
    )


def tell(context: Mapping[str, Any]) -> None:
    """Tell that the run of the context is late, once; an executor calls this.

    Raises:
        RuntimeError: if somebody could not be told; who waits is told by the next alert.
    """
    from outcry.alerts import alert_late

    run, deadline = context["dag_run"], context["deadline"]["deadline_time"]
    due = deadline if isinstance(deadline, datetime) else datetime.fromisoformat(deadline)
    house = credentials.house(callback=True)
    with closing(house.open_store()) as store:
        told = alert_late(
            house.alerts, store, run["dag_id"], run["dag_run_id"], due, datetime.now(UTC)
        )
    if told.errors:
        raise RuntimeError("; ".join(told.errors))
