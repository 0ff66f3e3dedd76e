"""A run that is late is told of, once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowSecretsBackendAccessDenied

from dags import credentials, deadlines
from tests.dags import brand
from tests.servers.helpdesks import help_desk

pytestmark = pytest.mark.airflow

DUE = datetime(2026, 5, 4, 11, tzinfo=UTC)


def _context(due: object) -> dict[str, dict[str, object]]:
    """What the scheduler hands to a callback."""
    return {
        "dag_run": {"dag_id": "listen", "dag_run_id": "partition__10:15"},
        "deadline": {"id": "1", "deadline_time": due},
    }


def test_it_is_told_once_by_the_alerts_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCRY_HOME", str(brand.settle(tmp_path / "home")))
    with help_desk() as far:
        far.tickets[1] = {"id": 1}
        monkeypatch.setenv("OUTCRY_ALERT_WEBHOOK", f"{far.url}/api/v1/tickets/1")
        deadlines.tell(_context(DUE))
        deadlines.tell(_context(DUE.isoformat()))
    (post,) = far.posts
    assert post["text"] == "listen is late: partition__10:15 was to be done by 2026-05-04 11:00 UTC"
    assert post["dag"] == "listen"


def test_an_alert_that_does_not_get_through_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCRY_HOME", str(brand.settle(tmp_path / "home")))
    monkeypatch.setenv("OUTCRY_ALERT_WEBHOOK", "http://127.0.0.1:9/")
    with pytest.raises(RuntimeError, match="the alert's webhook does not answer"):
        deadlines.tell(_context(DUE))


def test_what_airflow_keeps_from_a_callback_is_none_to_it_and_an_error_to_a_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(name: str) -> Connection:
        if name == "outcry_alerts":  # as from a secrets backend
            extra = '{"webhook": "https://hooks.example/"}'
            return Connection(conn_id=name, conn_type="http", extra=extra)
        raise AirflowSecretsBackendAccessDenied(name)

    monkeypatch.setenv("OUTCRY_HOME", str(brand.settle(tmp_path / "home")))
    monkeypatch.setattr(Connection, "get", get)
    found = credentials.house(callback=True)
    assert (found.alerts.webhook, found.store.kind) == ("https://hooks.example/", "sqlite")
    with pytest.raises(AirflowSecretsBackendAccessDenied):
        credentials.house()


def test_nobody_to_tell_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTCRY_HOME", str(brand.settle(tmp_path / "home")))
    deadlines.tell(_context(DUE))
