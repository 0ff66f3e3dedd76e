"""What `triage.store.base.Store` promises about ledger, rejects, progress and itself."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outcry.upkeep import roll_over
from tests.servers.elasticsearch import Node
from tests.triage.store.conftest import Opener, client_of, elastic_store
from tests.triage.store.samples import T0, mention
from triage.errors import StoreRefused
from triage.store import Store, open_store


def test_ledger_rows_are_replaced_by_source_target_and_window(store: Store) -> None:
    row = {"source": "rss", "target": "https://example.org/" + "x" * 900, "window": "w1", "got": 3}
    more = {"finished_at": T0, "gaps": ["a hole"], "words of a later version": {"deep": [1, "x"]}}
    store.save_ledger([row, row | {"window": "w2"} | more])
    store.save_ledger([row | {"got": 4}])
    assert store.counts()["ledger"] == 2


def test_rejects_are_replaced_by_id(store: Store) -> None:
    store.save_rejects([{"id": "r1", "source": "rss", "error": "no time", "at": T0}])
    store.save_rejects([{"id": "r1", "where": "line 17"}, {"id": "r2", "unheard": "of"}])
    assert store.counts()["rejects"] == 2


def test_a_bad_row_is_reported_when_the_good_ones_are_stored(store: Store) -> None:
    rows = [{"id": "r1"}, {"id": "r2", "error": "half \ud800"}, {"id": ""}, {"id": "r3"}]
    with pytest.raises(StoreRefused, match=r"r2.*other rows are stored"):
        store.save_rejects(rows)
    assert store.counts()["rejects"] == 2


def test_progress_is_kept_by_stage_and_can_be_forgotten(store: Store) -> None:
    parts = [f"scored/model=1/source=rss/window=2024-01-01T00/part-{n:04}" for n in range(1500)]
    assert store.done("stored", parts) == set()
    store.mark("stored", parts)
    store.mark("stored", parts[:1])
    store.mark("folded", parts[:2])
    assert store.done("stored", [*parts, "unknown"]) == set(parts)
    assert store.done("folded", parts) == set(parts[:2])
    store.unmark(parts[:1])
    assert store.done("stored", parts) == set(parts[1:])
    assert store.done("folded", parts) == {parts[1]}


def test_nothing_at_all_is_a_call_like_any_other(store: Store) -> None:
    store.save_mentions([])
    store.write_tickets([])
    store.save_identities([])
    store.save_ledger([])
    store.mark("stored", [])
    store.unmark([])
    assert (store.mentions([]), store.tickets([]), store.identities([])) == ({}, {}, {})
    assert store.delete_mentions([]) == ()
    assert set(store.counts().values()) == {0}


def test_setting_up_again_keeps_everything(opener: Opener) -> None:
    store = opener()
    store.save_mentions([mention("a")])
    store.setup()
    opener().setup()
    assert store.mentions(["a"]) == {"a": mention("a")}


def test_many_may_set_up_and_write_at_once(opener: Opener) -> None:
    stores = [opener() for _ in range(4)]
    start = threading.Barrier(len(stores))
    failures: list[BaseException] = []

    def work(store: Store, name: str) -> None:
        start.wait()
        try:
            store.setup()
            store.save_mentions([mention(f"{name}-{n}") for n in range(20)] + [mention("same")])
        except BaseException as failure:  # noqa: BLE001 - the test's thread shows it
            failures.append(failure)

    threads = [
        threading.Thread(target=work, args=(store, f"s{n}")) for n, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert stores[0].counts()["mentions"] == 81


def test_check_says_in_one_line_what_it_is(store: Store) -> None:
    line = store.check()
    assert line.startswith(store.name)
    assert "\n" not in line


def test_a_store_that_makes_no_sense_is_refused() -> None:
    for kind in ("sqlite", "elasticsearch", "postgres"):
        with pytest.raises(StoreRefused, match=r"set|choose"):
            open_store(kind)  # type: ignore[arg-type]


def test_a_snapshot_keeps_all_of_sqlite_in_one_file(tmp_path: Path) -> None:
    with closing(open_store("sqlite", path=tmp_path / "outcry.db")) as store:
        store.setup()
        store.save_mentions([mention("m1"), mention("m2")])
        store.snapshot(str(tmp_path / "kept"), "outcry-20260504", 2)
        (tmp_path / "kept" / "before-the-move.db").touch()
        store.save_mentions([mention("m3")])
        store.snapshot(str(tmp_path / "kept"), "outcry-20260504", 2)
        for day in (5, 6):
            store.snapshot(str(tmp_path / "kept"), f"outcry-202605{day:02}", 2)
    kept = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert kept == ["before-the-move.db", "outcry-20260505.db", "outcry-20260506.db"]
    first = tmp_path / "kept" / kept[1]
    assert first.stat().st_mode & 0o077 == 0
    with closing(open_store("sqlite", path=first)) as copy:
        copy.setup()
        assert set(copy.mentions(["m1", "m2", "m3"])) == {"m1", "m2", "m3"}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with closing(open_store("sqlite", path=tmp_path / "outcry.db")) as store:
        store.setup()
        with pytest.raises(StoreRefused, match=r"no snapshot can be kept in .*choose another"):
            store.snapshot(str(tmp_path / "file"), "outcry-20260504", 7)


@pytest.mark.elasticsearch
def test_snapshots_go_into_the_repository_once_and_the_newest_stay(
    elasticsearch: Node, prefix: str
) -> None:
    with client_of(elasticsearch) as client, closing(elastic_store(elasticsearch, prefix)) as store:
        nodes = client.nodes.info(metric="settings")["nodes"].values()
        if not all("repo" in node["settings"]["path"] for node in nodes):
            pytest.skip("the node may keep no snapshots: set path.repo in its settings")
        location = {"type": "fs", "settings": {"location": prefix}}
        client.snapshot.create_repository(name=prefix, repository=location)
        try:
            store.save_mentions([mention("m1")])
            client.snapshot.create(
                repository=prefix,
                snapshot="by-hand",
                indices=f"{prefix}-*",
                wait_for_completion=True,
            )
            for day in (4, 4, 5, 6):
                store.snapshot(prefix, f"{prefix}-2026050{day}", 2)
            found = client.snapshot.get(repository=prefix, snapshot="*")["snapshots"]
            assert {one["snapshot"]: one["state"] for one in found} == {
                "by-hand": "SUCCESS",
                f"{prefix}-20260505": "SUCCESS",
                f"{prefix}-20260506": "SUCCESS",
            }
            indices = [name for one in found for name in one["indices"]]
            assert any(name.startswith(f"{prefix}-mentions-") for name in indices)
            with pytest.raises(StoreRefused, match="nowhere"):
                store.snapshot("nowhere", "outcry-20260504", 7)
        finally:
            client.snapshot.delete(repository=prefix, snapshot="*")
            client.snapshot.delete_repository(name=prefix)


@pytest.mark.elasticsearch
def test_next_month_is_there_beforehand_and_takes_what_is_written(
    elasticsearch: Node, prefix: str
) -> None:
    december, january = (datetime(2026, 12, 24, tzinfo=UTC), datetime(2027, 1, 25, tzinfo=UTC))
    with client_of(elasticsearch) as client, closing(elastic_store(elasticsearch, prefix)) as store:
        before = store.counts()
        assert roll_over(store, december) == [
            f"{prefix}-mentions-2026.12 is behind {prefix}-mentions and can be written",
            f"{prefix}-mentions-2027.01 is behind {prefix}-mentions and can be written",
        ]
        made = client.indices.get(index=f"{prefix}-*mentions-2027.01")
        assert sorted(made) == [
            f"{prefix}-analysis-mentions-2027.01", f"{prefix}-mentions-2027.01",
        ]  # fmt: skip
        assert store.counts() == before
        row = mention("m1", created_at=january, collected_at=january)
        assert store.save_mentions([row]).new == ("m1",)
        assert store.mentions(["m1"]) == {"m1": row}


@pytest.mark.elasticsearch
def test_a_month_that_cannot_be_written_is_named_with_the_remedy(
    elasticsearch: Node, prefix: str
) -> None:
    december, index = datetime(2026, 12, 24, tzinfo=UTC), f"{prefix}-mentions-2026.12"
    with client_of(elasticsearch) as client, closing(elastic_store(elasticsearch, prefix)) as store:
        store.prepare(december)
        try:
            client.indices.put_settings(index=index, settings={"index.blocks.write": True})
            with pytest.raises(StoreRefused, match=rf"{index}\] blocked .*remove the block"):
                store.prepare(december)
            client.indices.delete_alias(index=index, name=f"{prefix}-mentions")
            with pytest.raises(StoreRefused, match=rf"{index} is not behind the alias .*remove it"):
                store.prepare(december)
        finally:
            client.indices.delete(index=index)
