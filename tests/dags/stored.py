"""What a scheduler has of the DAGs: ``python -m tests.dags.stored REPORT``.

Reads the files once, as ``airflow dags reserialize`` does, and reports what the database of
``AIRFLOW_HOME`` then holds, as JSON: by DAG its tasks, mapped ones with a ``[]``, each with its
pool, and how many deadlines it has.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec


def stored() -> dict[str, Any]:
    """Of every stored DAG."""
    from airflow.models.serialized_dag import SerializedDagModel

    return {
        name: {
            "tasks": {
                task.task_id + ("[]" if task.is_mapped else ""): task.pool for task in dag.tasks
            },
            "deadlines": len(dag.deadline or []),
            "params": sorted(dag.params),
        }
        for name, dag in sorted(SerializedDagModel.read_all_dags().items())
    }


def main(report: str) -> None:
    """Store the DAGs, and say what is stored."""
    from airflow.__main__ import main as airflow
    from airflow.utils.db import initdb

    initdb()
    sys.argv = ["airflow", "dags", "reserialize"]
    airflow()
    Path(report).write_bytes(msgspec.json.encode(stored()))


if __name__ == "__main__":
    main(*sys.argv[1:])
