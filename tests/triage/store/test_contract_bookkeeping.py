"""What `triage.store.base.Store` promises about ledger, rejects, progress and itself."""

from __future__ import annotations

import threading

import pytest

from tests.triage.store.conftest import Opener
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
