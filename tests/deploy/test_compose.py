"""The compose file, checked as far as it can be without a Docker engine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from listeners.registry import SOURCES
from outcry.settings import ALERT_SECRETS, DESK_SECRETS, HELPDESK_SECRETS
from tests.dags.conftest import airflow_environment

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TEXT = (DEPLOY / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ENDS = {"airflow-init", "desk-init", "elasticsearch-setup"}
"""What runs once and ends."""

OF_SOURCES = {name for source in SOURCES.values() for name in source.secrets.values()}
"""The credentials of networks: nobody needs all of them."""
OPTIONAL = OF_SOURCES.union(
    ALERT_SECRETS.values(),
    HELPDESK_SECRETS.values(),
    (DESK_SECRETS["oidc_secret"], DESK_SECRETS["hook_secret"]),
)

CHOICES = {"AIRFLOW_EXECUTOR": "LocalExecutor"}
"""What is no secret and has a default."""

each_service = pytest.mark.parametrize("name", sorted(SERVICES))


def settings() -> set[str]:
    """The names that .env.example sets or shows."""
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    return {line.partition("=")[0] for line in lines if "=" in line and not line.startswith("#")}


def test_what_the_file_asks_of_the_environment_is_what_the_example_offers() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT))
    assert asked == settings() | CHOICES.keys()


def test_no_secret_has_a_default() -> None:
    defaults = re.findall(r"\$\{([A-Z_]+):?-([^}]*)\}", TEXT)
    expected = dict.fromkeys(OPTIONAL, "") | CHOICES
    assert sorted(defaults) == sorted(expected.items())


@each_service
def test_an_image_has_a_version(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image
    assert re.match(r"\d+\.\d+", tag)


def test_elasticsearch_and_kibana_are_of_one_version() -> None:
    tags = {s["image"].rpartition(":")[2] for s in SERVICES.values() if "elastic.co" in s["image"]}
    assert len(tags) == 1


@each_service
def test_ports_are_bound_to_loopback(name: str) -> None:
    ports = SERVICES[name].get("ports", [])
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


@each_service
def test_a_service_has_a_memory_limit_and_a_restart_policy(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])
    assert SERVICES[name]["restart"] == ("on-failure:5" if name in ENDS else "unless-stopped")


@each_service
def test_what_keeps_running_says_whether_it_is_well(name: str) -> None:
    check = SERVICES[name].get("healthcheck")
    if name in ENDS:
        assert check is None
    else:
        assert check is not None
        assert check["test"][0] in ("CMD", "CMD-SHELL")
        assert {"interval", "timeout", "retries", "start_period"} <= set(check)


@each_service
def test_a_service_waits_for_what_exists_and_can_tell(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        wanted = "service_completed_successfully" if other in ENDS else "service_healthy"
        assert other in SERVICES
        assert how == {"condition": wanted}


@each_service
def test_nobody_runs_as_root(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert re.search(r"^USER outcry$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
        assert service["cap_drop"] == ["ALL"]
    else:
        assert service["user"].split(":")[0] not in ("", "0", "root")


@each_service
def test_what_is_mounted_is_declared_or_in_the_repository(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume["source"] if isinstance(volume, dict) else volume.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).exists()
        else:
            assert source in COMPOSE["volumes"]


def test_airflow_s_parts_share_one_image_and_the_variables_that_they_must() -> None:
    parts = {name for name, service in SERVICES.items() if "build" in service}
    parts -= {"desk", "desk-init"}
    assert parts == {"airflow-init", "api-server", "dag-processor", "scheduler", "worker"}
    common = COMPOSE["x-pipeline"]["environment"]
    for name in parts:
        assert SERVICES[name]["image"] == COMPOSE["x-pipeline"]["image"]
        assert common.items() <= SERVICES[name]["environment"].items()


@pytest.mark.airflow
def test_the_variables_of_airflow_are_options_that_it_has(tmp_path: Path) -> None:
    code = (
        "from airflow.configuration import conf\n"
        "for section, options in conf.configuration_description.items():\n"
        "    for option in options['options']:\n"
        "        print(f'AIRFLOW__{section}__{option}'.upper())\n"
    )
    known = subprocess.run(
        [sys.executable, "-c", code],
        env=airflow_environment(tmp_path),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    given = {name for name in COMPOSE["x-pipeline"]["environment"] if name.startswith("AIRFLOW__")}
    # Those of the Celery provider are in the image, which the tests do without.
    assert {name for name in given if not name.startswith("AIRFLOW__CELERY__")} <= set(known)


def test_the_desk_knows_its_own_secrets_and_no_other() -> None:
    desk, common = SERVICES["desk"], COMPOSE["x-pipeline"]["environment"]
    own = {*DESK_SECRETS.values(), "OUTCRY_ES_PASSWORD", "OUTCRY_PSEUDONYM_KEY"}
    assert own == desk["environment"].keys() - {"OUTCRY_ELASTICSEARCH", "OUTCRY_ES_USER"}
    assert desk["environment"]["OUTCRY_ES_USER"] == "outcry_desk"
    assert desk["environment"]["OUTCRY_ES_PASSWORD"] != common["OUTCRY_ES_PASSWORD"]
    assert desk["environment"]["OUTCRY_PSEUDONYM_KEY"] == common["OUTCRY_PSEUDONYM_KEY"]
    assert desk["image"] == SERVICES["desk-init"]["image"] == COMPOSE["x-pipeline"]["image"]


def test_the_desk_is_published_where_it_listens_once_somebody_can_sign_in() -> None:
    desk = SERVICES["desk"]
    assert desk["command"][:2] == ["outcry", "desk"]
    port = desk["command"][desk["command"].index("--port") + 1]
    assert desk["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert f"http://localhost:{port}/health" in desk["healthcheck"]["test"]
    assert desk["depends_on"] == {"desk-init": {"condition": "service_completed_successfully"}}


@pytest.mark.parametrize("name", ["desk", "desk-init"])
def test_nothing_of_the_image_can_be_written_by_the_desk(name: str) -> None:
    assert SERVICES[name]["read_only"] is True
    settings = [one for one in SERVICES[name]["volumes"] if isinstance(one, dict)]
    assert [one["read_only"] for one in settings] == [True]


def test_the_variables_of_ours_are_those_that_the_settings_read() -> None:
    given = {
        name
        for common in (COMPOSE["x-pipeline"], SERVICES["desk"], SERVICES["desk-init"])
        for name in common["environment"]
        if name.startswith("OUTCRY_")
    }
    source = (ROOT / "outcry" / "settings.py").read_text()
    assert {name for name in given - OF_SOURCES if f'"{name}"' not in source} == set()


def test_the_image_copies_what_exists_and_what_its_ignore_file_lets_through() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    allowed = [
        line[1:]
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    assert copied
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert [source for source in copied if not any(fnmatch(source, a) for a in allowed)] == []
    assert sorted(allowed) == sorted(set(copied))


def test_the_image_holds_every_room_of_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    rooms = [*wheel["packages"], *wheel["force-include"]]
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert [room for room in rooms if f"COPY {room} {room}\n" not in dockerfile] == []


@pytest.mark.parametrize("script", ["init.sh", "desk-init.sh", "elasticsearch-setup.sh"])
def test_a_script_is_sound_bash(script: str) -> None:
    done = subprocess.run(["bash", "-n", str(DEPLOY / script)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_pools_are_in_the_form_that_airflow_imports() -> None:
    pools = json.loads((DEPLOY / "pools.json").read_text())
    assert all(set(p) == {"slots", "description", "include_deferred"} for p in pools.values())


def test_the_settings_that_are_shipped_can_be_used(tmp_path: Path) -> None:
    from outcry.settings import load_settings

    (tmp_path / "outcry.toml").write_text((DEPLOY / "outcry.toml").read_text())
    assert load_settings(tmp_path).targets == ()
