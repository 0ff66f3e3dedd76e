"""What Airflow's connections give to the settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dags.credentials import house
from tests.dags import brand

pytestmark = pytest.mark.airflow

WORD = "hush-hush"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = brand.settle(tmp_path / "home")
    monkeypatch.setenv("OUTCRY_HOME", str(made))
    return made


def _connect(monkeypatch: pytest.MonkeyPatch, name: str, **fields: object) -> None:
    written = json.dumps({"conn_type": "http", **fields})
    monkeypatch.setenv(f"AIRFLOW_CONN_OUTCRY_{name}", written)


def test_without_connections_the_environment_has_the_say(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house().store.kind == "sqlite"
    monkeypatch.setenv("OUTCRY_ELASTICSEARCH", "http://127.0.0.1:9200")
    monkeypatch.setenv("OUTCRY_ES_API_KEY", WORD)
    assert house().store_secrets == {"api_key": WORD}


def test_a_store_is_an_address_and_a_login_or_a_key(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCRY_ES_API_KEY", "of another store")
    _connect(
        monkeypatch, "STORE", host="es.example", schema="http", port=9200, login="u", password=WORD
    )
    found = house()
    assert (found.store.kind, found.store.url) == ("elasticsearch", "http://es.example:9200")
    assert found.store_secrets == {"user": "u", "password": WORD}
    _connect(monkeypatch, "STORE", extra={"url": "https://es.example", "api_key": WORD})
    found = house()
    assert (found.store.url, found.store_secrets) == ("https://es.example", {"api_key": WORD})


def test_alerts_and_help_desk_have_theirs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = f"https://hooks.example/{WORD}"
    _connect(monkeypatch, "ALERTS", login="duty", password=WORD, extra={"webhook": hook})
    _connect(monkeypatch, "HELPDESK", password=WORD)
    found = house()
    assert (found.alerts.smtp_user, found.alerts.smtp_password) == ("duty", WORD)
    assert (found.alerts.webhook, found.helpdesk.token) == (hook, WORD)


def test_no_secret_is_in_what_is_printed_of_the_settings(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCRY_PSEUDONYM_KEY", WORD)
    _connect(monkeypatch, "STORE", host="es.example", login="u", password=WORD)
    _connect(monkeypatch, "ALERTS", password=WORD, extra={"webhook": WORD})
    _connect(monkeypatch, "HELPDESK", password=WORD)
    found = house()
    assert found.rules.pseudonym_key == WORD
    assert WORD not in repr(found)
