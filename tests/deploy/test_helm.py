"""The values for Airflow's official chart, checked as far as it can be without a cluster."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
HELM = ROOT / "deploy" / "helm"
COMMON: dict[str, Any] = yaml.safe_load((HELM / "values.yaml").read_text())
EXECUTORS = {"kubernetes": "KubernetesExecutor", "celery": "CeleryExecutor"}
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())

SECTIONS = {
    *("airflowVersion", "apiSecretKeySecretName", "apiServer", "config", "dagProcessor", "data"),
    *("env", "executor", "extraEnvFrom", "fernetKeySecretName", "images", "jwtSecretName", "logs"),
    *("pgbouncer", "postgresql", "redis", "scheduler", "statsd", "triggerer", "volumeMounts"),
    *("volumes", "workers"),
}
"""Of the chart's parameters reference (1.22), those that we set; it refuses unknown ones."""


def merged(one: Any, other: Any) -> Any:
    """As Helm merges values files: tables by key, everything else is replaced."""
    if isinstance(one, dict) and isinstance(other, dict):
        return {k: merged(one.get(k), other[k]) if k in other else one[k] for k in one | other}
    return other


@pytest.fixture(params=sorted(EXECUTORS))
def values(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The values that an installation gets."""
    own = yaml.safe_load((HELM / f"{request.param}.yaml").read_text())
    found: dict[str, Any] = merged(COMMON, own)
    assert found["executor"] == EXECUTORS[request.param]
    return found


def test_the_sections_are_the_chart_s(values: dict[str, Any]) -> None:
    assert values.keys() == SECTIONS


def test_only_celery_brings_redis_and_neither_brings_a_database(values: dict[str, Any]) -> None:
    assert values["redis"]["enabled"] is (values["executor"] == "CeleryExecutor")
    assert values["postgresql"]["enabled"] is False


def test_workers_have_room_for_a_model(values: dict[str, Any]) -> None:
    kind = "celery" if values["executor"] == "CeleryExecutor" else "kubernetes"
    assert values["workers"].keys() == {kind}
    wanted = values["workers"][kind]["resources"]
    assert re.fullmatch(r"[1-9]Gi", wanted["requests"]["memory"])
    assert re.fullmatch(r"[2-9]Gi", wanted["limits"]["memory"])


def test_airflow_is_the_one_that_the_project_is_tested_with() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    airflow = extras["optional-dependencies"]["airflow"]
    assert airflow == [f"apache-airflow=={COMMON['airflowVersion']}"]


def test_the_image_has_the_executors_the_object_store_and_the_dags() -> None:
    for extra in ("desk", "executors", "object-storage", "postgres", "airflow"):
        assert f"--extra {extra} " in DOCKERFILE
    assert f"DAGS_FOLDER={COMMON['config']['core']['dags_folder']} " in DOCKERFILE
    image = COMMON["images"]["airflow"]
    assert COMPOSE["x-pipeline"]["image"] == f"outcry-pipeline:{image['tag']}"


def test_no_secret_stands_in_the_values_and_each_is_named_at_the_top() -> None:
    text = (HELM / "values.yaml").read_text()
    named = set(re.findall(r"^#   (?:secret|configmap) ([a-z-]+)", text, re.MULTILINE))
    used = {value for key, value in COMMON.items() if key.endswith("SecretName")}
    used |= {COMMON["data"]["metadataSecretName"], COMMON["volumes"][0]["configMap"]["name"]}
    used |= {one["secretRef"]["name"] for one in yaml.safe_load(COMMON["extraEnvFrom"])}
    assert named == used
    assert "password" not in re.sub(r"^ *#.*$", "", text, flags=re.MULTILINE).lower()


def test_what_is_set_in_the_environment_is_known() -> None:
    source = (ROOT / "outcry" / "settings.py").read_text() + (ROOT / "outcry/home.py").read_text()
    names = [one["name"] for one in COMMON["env"]]
    assert [n for n in names if n.startswith("OUTCRY_") and f'"{n}"' not in source] == []
    assert {n for n in names if n.startswith("AIRFLOW__")} <= set(
        COMPOSE["x-pipeline"]["environment"]
    )


def test_the_desk_runs_the_same_image_as_nobody_in_particular() -> None:
    deployment, service = yaml.safe_load_all((HELM / "desk.yaml").read_text())
    image = COMMON["images"]["airflow"]
    pod = deployment["spec"]["template"]
    (desk,) = pod["spec"]["containers"]
    assert desk["image"] == f"{image['repository']}:{image['tag']}"
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert f"--uid {pod['spec']['securityContext']['runAsUser']} " in DOCKERFILE
    assert desk["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (
        service["spec"]["selector"].items()
        <= pod["metadata"]["labels"].items()
        == deployment["spec"]["selector"]["matchLabels"].items()
    )


def test_the_desk_is_asked_on_the_port_where_it_listens() -> None:
    deployment, service = yaml.safe_load_all((HELM / "desk.yaml").read_text())
    (desk,) = deployment["spec"]["template"]["spec"]["containers"]
    (port,) = desk["ports"]
    assert desk["command"] == COMPOSE["services"]["desk"]["command"]
    assert desk["command"][-1] == str(port["containerPort"])
    probes = [desk[name]["httpGet"] for name in ("readinessProbe", "livenessProbe")]
    assert probes == [{"path": "/health", "port": port["name"]}] * 2
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]


def test_the_desk_s_secrets_are_named_at_the_top() -> None:
    text = (HELM / "desk.yaml").read_text()
    (deployment, _) = yaml.safe_load_all(text)
    pod = deployment["spec"]["template"]["spec"]
    used = {one["secretRef"]["name"] for one in pod["containers"][0]["envFrom"]}
    used |= {one["configMap"]["name"] for one in pod["volumes"] if "configMap" in one}
    assert used == set(re.findall(r"^#   (?:secret|configmap) ([a-z-]+)", text, re.MULTILINE))
