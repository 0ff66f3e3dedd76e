"""Runs DAGs for a test, in a process of its own: ``python -m tests.dags.runner ORDERS REPORT``.

``ORDERS`` is a JSON file with a list of `Order`, run one after the other with ``dag.test()``
on the database of ``AIRFLOW_HOME``. ``REPORT`` becomes a list of `Ran`, as JSON.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import msgspec

DAGS = Path(__file__).parents[2] / "dags"


class Order(msgspec.Struct, frozen=True):
    """One run that is wanted."""

    dag: str
    home: str
    """The deployment's folder, as ``OUTCRY_HOME``."""
    window_start: str | None = None


class Ran(msgspec.Struct, frozen=True):
    """What became of it."""

    state: str
    tasks: dict[str, str]
    """State by task, mapped ones as ``task[name in the grid]``."""
    xcoms: list[str]
    """Every value that the run left in the database, as text."""
    events: list[str]
    """Partition keys of the asset events that it caused."""
    tickets: dict[str, str]
    """Every ticket that the store then holds, as JSON, by id."""


def run(order: Order) -> Ran:
    """Run it, without pauses between tries, from a fresh bag, since parameters leak."""
    from airflow.dag_processing.dagbag import BundleDagBag
    from airflow.models.asset import AssetEvent
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    os.environ["OUTCRY_HOME"] = order.home
    bag = BundleDagBag(dag_folder=str(DAGS), bundle_path=DAGS, bundle_name="dags-folder")
    dag = bag.dags[order.dag]
    # Airflow 3.3.2 looks a deadline up by the alert itself where the DAG was never stored.
    dag.deadline = []
    for task in dag.tasks:
        task.retries = 0
    conf = {"window_start": order.window_start} if order.window_start else {}
    done = dag.test(logical_date=None, run_conf=conf)
    with create_session() as session:
        of_run = XComModel.run_id == done.run_id
        caused = AssetEvent.source_run_id == done.run_id
        return Ran(
            state=str(done.state),
            tasks={
                f"{ti.task_id}[{ti.rendered_map_index}]" if ti.map_index >= 0 else ti.task_id: str(
                    ti.state
                )
                for ti in done.get_task_instances()
            },
            xcoms=[str(xcom.value) for xcom in session.scalars(select(XComModel).where(of_run))],
            events=[
                str(event.partition_key)
                for event in session.scalars(select(AssetEvent).where(caused))
            ],
            tickets=stored_tickets(),
        )


def stored_tickets() -> dict[str, str]:
    """The tickets of the deployment that ``OUTCRY_HOME`` names, as JSON, by id."""
    from dags.credentials import house

    with closing(house().open_store()) as store:
        return {one.ticket: msgspec.json.encode(one).decode() for one in store.all_tickets()}


def main(orders: str, report: str) -> None:
    """Carry out the orders of one file and write the other."""
    from airflow.utils.db import initdb

    initdb()
    wanted = msgspec.json.decode(Path(orders).read_bytes(), type=list[Order])
    Path(report).write_bytes(msgspec.json.encode([run(order) for order in wanted]))


if __name__ == "__main__":
    main(*sys.argv[1:])
