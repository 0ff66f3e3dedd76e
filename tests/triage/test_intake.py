from __future__ import annotations

from datetime import timedelta

import pytest

from listeners.mention import Author, Deletion, make_uid
from tests.triage.build import NOW, START, brand, heard
from tests.triage.dict_store import DictStore
from triage.intake import Pair, store_records
from triage.rules import Rules


@pytest.fixture
def store() -> DictStore:
    return DictStore()


def gone(native_id: str) -> Pair:
    return Deletion(source="mastodon", native_id=native_id, seen_at=NOW), None


def test_the_report_counts_what_became_of_each_record(store: DictStore) -> None:
    first = store_records(store, [heard("1"), heard("2")], Rules())
    assert (first.new, first.changed, first.unchanged, first.deleted) == (2, 0, 0, 0)
    later = START + timedelta(days=1)
    edited = heard("2", "it works now", collected_at=later)
    second = store_records(store, [heard("1"), edited, gone("3")], Rules())
    assert (second.new, second.changed, second.unchanged, second.deleted) == (0, 1, 1, 1)
    assert second.uids == tuple(sorted(make_uid("mastodon", "", n) for n in "123"))


def test_the_state_collected_last_wins_in_any_order(store: DictStore) -> None:
    old = heard("1", "old words")
    new = heard("1", "new words", collected_at=NOW)
    store_records(store, [new, old], Rules())
    store_records(store, [old], Rules())
    (row,) = store.rows.values()
    assert row.text == "new words"


def test_a_deletion_comes_after_all_mentions_of_its_chunk(store: DictStore) -> None:
    store_records(store, [gone("1"), heard("1")], Rules())
    (row,) = store.rows.values()
    assert row.deleted
    assert row.text == ""


def test_the_vault_knows_customers_and_not_the_brand(store: DictStore) -> None:
    ann = Author(id="7", handle="ann@social.test", name="Ann", url="https://social.test/@ann")
    store_records(store, [heard("1", author=ann), brand("2"), heard("3", by=None)], Rules())
    (entry,) = store.vault.values()
    assert (entry.handle, entry.name, entry.url) == (ann.handle, ann.name, ann.url)
    assert entry.customer == store.rows[make_uid("mastodon", "", "1")].customer


def test_a_persons_entry_does_not_depend_on_the_order(store: DictStore) -> None:
    rules = Rules(customers={"ann": ("mastodon:ann", "reddit:ann")}).check()
    pairs = [heard("1", by="ann"), heard("2", by="ann", source="reddit")]
    for order in (pairs, pairs[::-1]):
        vault = DictStore()
        for pair in order:
            store_records(vault, [pair], rules)
        (entry,) = vault.vault.values()
        assert entry.source == "mastodon"


def test_storing_again_writes_nothing(store: DictStore) -> None:
    pairs = [heard("2", parent_id="1"), heard("1"), gone("3")]
    store_records(store, pairs, Rules())
    writes = store.writes
    store_records(store, pairs, Rules())
    assert store.writes == writes
