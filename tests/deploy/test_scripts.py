"""What runs once in a deployment: secrets, Elasticsearch's users, and the question of health."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.test_compose import OPTIONAL
from tests.servers.web import Answer, serving

DEPLOY = Path(__file__).parents[2] / "deploy"
SECRETS = {
    "ELASTIC_PASSWORD": "elastic-secret",
    "KIBANA_PASSWORD": "kibana-secret",
    "PIPELINE_PASSWORD": "pipeline-secret",
    "DESK_PASSWORD": "desk-secret",
    "ANALYST_PASSWORD": "analyst-secret",
}


class SecurityApi:
    """Notes what it is told; shaped from the documentation of Elasticsearch's security API."""

    def __init__(self, status: int) -> None:
        self.calls: dict[str, Any] = {}
        self.credentials: set[str] = set()
        self.status = status

    @contextmanager
    def serving(self) -> Iterator[str]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                length = int(self.headers["Content-Length"])
                api.calls[f"{self.command} {self.path}"] = json.loads(self.rfile.read(length))
                kind, _, token = self.headers["Authorization"].partition(" ")
                api.credentials.add(f"{kind} {base64.b64decode(token).decode()}")
                self.send_response(api.status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_POST = do_PUT  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def set_up(url: str, **changes: str) -> subprocess.CompletedProcess[str]:
    given = SECRETS | {"ELASTICSEARCH": url, "ROLES": str(DEPLOY / "roles")} | changes
    return subprocess.run(
        ["bash", str(DEPLOY / "elasticsearch-setup.sh")],
        env={"PATH": os.environ["PATH"]} | given,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_set_up_creates_every_role_and_user_and_nothing_else() -> None:
    api = SecurityApi(200)
    with api.serving() as url:
        done = set_up(url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    roles = {
        f"PUT /_security/role/{file.stem}": json.loads(file.read_text())
        for file in (DEPLOY / "roles").glob("*.json")
    }
    users = {
        "POST /_security/user/kibana_system/_password": {"password": "kibana-secret"},
        "PUT /_security/user/outcry_pipeline": {
            "password": "pipeline-secret",
            "roles": ["outcry_pipeline"],
        },
        "PUT /_security/user/outcry_desk": {
            "password": "desk-secret",
            "roles": ["outcry_desk"],
        },
        "PUT /_security/user/outcry_analyst": {
            "password": "analyst-secret",
            "roles": ["outcry_analyst"],
        },
    }
    assert api.calls == roles | users
    assert api.credentials == {"Basic elastic:elastic-secret"}


def test_set_up_that_is_refused_fails_and_says_where() -> None:
    api = SecurityApi(403)
    with api.serving() as url:
        done = set_up(url)
    assert done.returncode == 1
    assert "setup: POST /_security/user/kibana_system/_password was refused" in done.stderr
    assert [secret for secret in SECRETS.values() if secret in done.stderr] == []


@pytest.mark.parametrize("password", ["", "short", 'quo"te-123', "dollar$123"])
def test_a_password_that_cannot_be_passed_on_is_named_before_anything_is_done(
    password: str,
) -> None:
    api = SecurityApi(200)
    with api.serving() as url:
        done = set_up(url, ANALYST_PASSWORD=password)
    assert (done.returncode, api.calls) == (2, {})
    assert done.stderr.startswith("setup: ANALYST_PASSWORD must be 6 or more letters")


def new_env() -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, str(DEPLOY / "new_env.py")],
        input=(DEPLOY / ".env.example").read_text(),
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in done.stdout.splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def test_a_new_deployment_gets_secrets_of_its_own_that_everything_accepts() -> None:
    first, second = new_env(), new_env()
    assert {name for name, value in first.items() if not value} == OPTIONAL
    filled = {name: value for name, value in first.items() if value}
    assert len(set(filled.values()) | set(second.values())) == 2 * len(filled) + 1
    fernet = filled.pop("AIRFLOW_FERNET_KEY")
    assert len(base64.urlsafe_b64decode(fernet)) == 32
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32,}", value) for value in filled.values())


@pytest.mark.parametrize(
    ("body", "status", "well"),
    [
        ({"scheduler": {"status": "healthy"}}, 200, True),
        ({"scheduler": {"status": "unhealthy"}}, 200, False),
        ({"scheduler": {"status": None}}, 200, False),
        ({}, 200, False),
        ({"scheduler": {"status": "healthy"}}, 503, False),
    ],
)
def test_health_is_what_airflow_says_of_that_part(
    body: dict[str, Any], status: int, well: bool
) -> None:
    with serving(lambda _: Answer(json.dumps(body).encode(), status)) as url:
        command = [sys.executable, str(DEPLOY / "healthy.py"), url, "scheduler"]
        assert (subprocess.run(command, capture_output=True).returncode == 0) is well


def test_an_airflow_that_does_not_answer_is_not_well() -> None:
    with serving(lambda _: Answer()) as url:
        gone = url
    command = [sys.executable, str(DEPLOY / "healthy.py"), gone, "scheduler"]
    assert subprocess.run(command, capture_output=True).returncode == 1


def desk_init(home: Path, password: str) -> subprocess.CompletedProcess[str]:
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", str(DEPLOY / "desk-init.sh")],
        env={"PATH": programs, "OUTCRY_HOME": str(home), "DESK_ADMIN_PASSWORD": password},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_desk_s_first_account_is_made_once_and_never_changed(tmp_path: Path) -> None:
    from desk.accounts import users
    from outcry.settings import load_settings

    assert desk_init(tmp_path, "a first password").returncode == 0
    with closing(load_settings(tmp_path).open_store()) as store:
        (admin,) = users(store)
    assert (admin.name, admin.roles) == ("admin", ("agent", "lead", "operator"))
    again = desk_init(tmp_path, "another password")
    assert (again.returncode, again.stdout) == (0, "")
    with closing(load_settings(tmp_path).open_store()) as store:
        assert users(store) == [admin]


def test_a_first_account_that_cannot_be_made_fails_and_says_why(tmp_path: Path) -> None:
    done = desk_init(tmp_path, "short")
    assert done.returncode != 0
    assert "the password is too short" in done.stderr
