"""Whole windows through the DAGs, run by Airflow itself."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from outcry.settings import load_settings
from tests.dags import brand
from tests.dags.conftest import ROOT, airflow_environment
from tests.dags.runner import Order, Ran
from tests.outcry.decided_home import fill, settle
from tests.servers.elasticsearch import Node
from tests.servers.web import Answer, Request, serving
from tests.triage.store.conftest import remove_prefix

pytestmark = pytest.mark.airflow

COUNTED = [
    "listen.new",
    "listen.rejected",
    "score.mentions",
    "score.complaints",
    "triage.opened",
    "oldest_unanswered_s",
]


@pytest.fixture
def prefix(elasticsearch: Node) -> Iterator[str]:
    """Begins the names of this test's indices, which are removed afterwards."""
    name = f"dags-{uuid.uuid4().hex[:8]}"
    yield name
    remove_prefix(elasticsearch, name)


def window_of(home: Path) -> list[Order]:
    """The three runs of the window, in order."""
    return [Order(dag, str(home), brand.WINDOW) for dag in ("listen", "score", "triage")]


def carry_out(
    folder: Path, orders: list[Order], environment: Mapping[str, str] | None = None
) -> list[Ran]:
    """Run the orders in a process of their own, on the database in ``folder``."""
    given, report = folder / "orders.json", folder / "report.json"
    given.write_bytes(msgspec.json.encode(orders))
    done = subprocess.run(
        [sys.executable, "-m", "tests.dags.runner", str(given), str(report)],
        cwd=ROOT,
        env=airflow_environment(folder / "airflow") | dict(environment or {}),
        capture_output=True,
        text=True,
        timeout=120,
    )
    sys.stdout.write(done.stdout + done.stderr)  # pytest shows it where a test fails
    assert done.returncode == 0
    return msgspec.json.decode(report.read_bytes(), type=list[Ran])


@pytest.fixture
def forum() -> Iterator[str]:
    with serving(brand.feed) as url:
        yield url


@pytest.mark.elasticsearch
def test_a_window_becomes_tickets_in_elasticsearch_and_again_changes_nothing(
    elasticsearch: Node, prefix: str, forum: str, tmp_path: Path
) -> None:
    home = brand.settle(tmp_path / "home", [brand.forum(forum)], f'prefix = "{prefix}"')
    store = {
        "conn_type": "http",
        "login": elasticsearch.user,
        "password": elasticsearch.password,
        "extra": {"url": elasticsearch.url},
    }
    connection = {"AIRFLOW_CONN_OUTCRY_STORE": msgspec.json.encode(store).decode()}
    runs = carry_out(tmp_path, window_of(home) * 2, connection)
    assert [ran.state for ran in runs] == ["success"] * 6
    assert [ran.events for ran in runs] == [[brand.KEY], [brand.KEY], []] * 2
    first, again = runs[2].tickets, runs[5].tickets
    assert len(first) == len(brand.COMPLAINTS)
    assert again == first

    assert [value for ran in runs for value in ran.xcoms if elasticsearch.password in value] == []
    address = {
        "OUTCRY_ELASTICSEARCH": elasticsearch.url,
        "OUTCRY_ES_USER": elasticsearch.user,
        "OUTCRY_ES_PASSWORD": elasticsearch.password,
    }
    with closing(load_settings(home, address).open_store()) as opened:
        stored = opened.tickets(sorted(first))
    assert set(stored) == set(first)
    assert {one.ticket.excerpt[:20] for one in stored.values()} == {
        text[:20] for text in brand.COMPLAINTS.values()
    }


def test_a_window_that_was_never_scored_is_handed_on_and_incidents_are_looked_for(
    forum: str, tmp_path: Path
) -> None:
    home = brand.settle(tmp_path / "home", [brand.forum(forum)])
    listen, score, triage = window_of(home)
    keeping, looking = Order("housekeeping", str(home)), Order("incidents", str(home))
    measured: list[bytes] = []

    def take(request: Request) -> Answer:
        measured.append(request.body)
        return Answer()

    with serving(take) as collector:
        heard, kept, scored, folded, again, looked = carry_out(
            tmp_path,
            [listen, keeping, score, triage, keeping, looking],
            {
                "AIRFLOW__METRICS__OTEL_ON": "true",
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "OTEL_METRIC_EXPORT_INTERVAL": "500",
            },
        )
    sent = b"".join(measured)
    assert [name for name in COUNTED if f"outcry.{name}".encode() not in sent] == []
    ran = [heard, kept, scored, folded, again, looked]
    assert [one.state for one in ran] == ["success"] * 6
    assert kept.tasks == {
        "targets": "success",
        "recheck[rss/forum]": "success",
        "tidy": "success",
        "hand_on[2026-05-04T10:15:00+00:00]": "success",
        "digest": "success",
        "complain": "skipped",
    }
    assert (kept.events, kept.tickets) == ([brand.KEY], {})
    assert len(folded.tickets) == len(brand.COMPLAINTS)
    assert again.events == []
    assert again.tasks["hand_on"] == "skipped"


def test_a_winner_is_promoted_and_a_week_without_one_is_green(tmp_path: Path) -> None:
    home, empty = settle(tmp_path / "home").home, brand.settle(tmp_path / "empty")
    with closing(load_settings(home).open_store()) as store:
        # Decided lately, so that the calendar does not matter to who learns from what.
        fill(store, load_settings(home), datetime.now(UTC))
    won, again, nothing = carry_out(
        tmp_path, [Order("retrain", str(one)) for one in (home, home, empty)]
    )
    assert [ran.state for ran in (won, again, nothing)] == ["success"] * 3
    assert won.tasks == {
        f"{place}.{task}": "success"
        for place in ("complaints", "routing")
        for task in ("challenge", "promote")
    }
    assert load_settings(home).model_folder == home / "models" / "baseline-en-own~1"
    assert sorted(won.xcoms) == ["", "baseline-en-own~1"]
    # The champion of a minute ago is no better than itself.
    assert load_settings(home).champions.names() == ["baseline-en-own~1", "baseline-en-own~2"]
    assert load_settings(empty).champions.names() == []
    assert again.xcoms == nothing.xcoms == ["", ""]


def test_a_refused_source_an_empty_deployment_and_a_run_without_a_window(
    forum: str, tmp_path: Path
) -> None:
    authorizations: list[str] = []

    def refuse(request: Request) -> Answer:
        authorizations.append(request.headers.get("authorization", ""))
        return Answer(b'{"error": "The access token is invalid"}', 401)

    with serving(refuse) as server:
        tag = f'source = "mastodon"\nkey = "tag"\nserver = "{server}"\ntag = "lanternline"\n'
        home = brand.settle(tmp_path / "home", [brand.forum(forum), tag])
        empty = brand.settle(tmp_path / "empty")
        refused, no_window, *nothing = carry_out(
            tmp_path,
            [window_of(home)[0], Order("listen", str(empty)), *window_of(empty)],
            {"AIRFLOW_CONN_OUTCRY_MASTODON": '{"conn_type": "http", "password": "hush-hush"}'},
        )

    assert refused.state == "failed"
    assert refused.tasks == {
        "default.targets": "success",
        "mastodon.targets": "success",
        "default.collect[rss/forum]": "success",
        "mastodon.collect[mastodon/tag]": "failed",
        "publish": "success",
        "complain": "failed",
    }
    assert refused.events == [brand.KEY]
    assert set(authorizations) == {"Bearer hush-hush"}
    assert [value for value in refused.xcoms if "hush" in value] == []

    assert [ran.state for ran in nothing] == ["success"] * 3
    assert [ran.events for ran in nothing] == [[brand.KEY], [brand.KEY], []]
    assert nothing[0].tasks == {"publish": "success"}

    assert (no_window.state, no_window.events) == ("failed", [])
    assert no_window.tasks["publish"] == "failed"
