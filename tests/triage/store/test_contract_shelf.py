"""What `triage.store.shelf.Shelf` promises, on both stores."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from tests.triage.store.conftest import Opener
from tests.triage.store.samples import T0, event, mention, minutes, new
from triage.store import Store
from triage.store.base import Identity
from triage.store.shelf import Keep


def keep(key: str, at: float = 0, group: str = "", version: str | None = None, **record: object):
    return Keep(key=key, at=minutes(at), group=group, record=record, version=version)


def test_a_record_changes_by_compare_and_set(store: Store, opener: Opener) -> None:
    assert store.shelve("incident", [keep("a", n=1)]).done == ("a",)
    assert store.shelve("incident", [keep("a", n=2)]).conflicts == ("a",)
    version = store.shelved("incident", ["a", "unknown"])["a"].version
    other = opener()
    assert other.shelve("incident", [keep("a", n=3, version=version)]).done == ("a",)
    assert store.shelve("incident", [keep("a", n=4, version=version)]).conflicts == ("a",)
    assert store.shelve("incident", [keep("b", n=4, version="nonsense")]).conflicts == ("b",)
    assert msgspec.json.decode(store.shelved("incident", ["a"])["a"].body) == {"n": 3}


def test_one_bad_record_stops_no_other(store: Store) -> None:
    naive = Keep(key="naive", at=T0.replace(tzinfo=None), record={})
    written = store.shelve("label", [keep("a"), naive, keep("x", text="\ud800"), keep("b")])
    assert written.done == ("a", "b")
    assert [bad.id for bad in written.refused] == ["naive", "x"]


def test_lists_go_by_time_and_key_and_by_group(store: Store) -> None:
    keeps = [keep(f"k{n:04}", at=n % 7, group="even" if n % 2 == 0 else "odd") for n in range(1100)]
    store.shelve("contact", keeps)
    store.shelve("notice", [keep("k0000", group="even")])
    order = [one.key for one in store.shelf("contact")]
    assert order == [one.key for one in sorted(keeps, key=lambda one: (one.at, one.key))]
    late = list(store.shelf("contact", group="odd", since=minutes(5)))
    assert len(late) == sum(k.group == "odd" and k.at >= minutes(5) for k in keeps)
    assert {one.group for one in late} == {"odd"}


def test_what_is_removed_is_gone_and_removing_it_again_is_harmless(store: Store) -> None:
    store.shelve("optout", [keep("a"), keep("b")])
    store.unshelve("optout", ["a"])
    store.unshelve("optout", ["a", "unknown"])
    assert [one.key for one in store.shelf("optout")] == ["b"]


def test_mentions_of_a_stretch_of_time_come_in_order(store: Store) -> None:
    rows = [mention(f"m{n}", created_at=minutes(n)) for n in range(5)]
    store.save_mentions([*reversed(rows), mention("same", created_at=minutes(2))])
    found = list(store.mentions_between(minutes(1), minutes(4)))
    assert [row.uid for row in found] == ["m1", "m2", "same", "m3"]


def test_erasing_leaves_a_bare_tombstone_and_nothing_else(store: Store) -> None:
    store.save_mentions([mention("m1", customer="c1", text="secret words"), mention("m2")])
    store.save_identities([Identity(customer="c1", source="rss", handle="secret-handle")])
    store.write_tickets([new("T-1", event(), excerpt="secret words")])
    for _ in range(2):
        store.erase(["m1"], ["T-1"], ["c1"])
    store.scrub()
    assert store.identities(["c1"]) == {}
    assert store.tickets(["T-1"]) == {}
    assert store.events("T-1") == []
    (tombstone,) = store.mentions(["m1"]).values()
    assert tombstone.deleted
    assert tombstone.native_id == ""
    assert store.save_mentions([mention("m1", collected_at=T0 + timedelta(days=9))]).new == ()
    everything = b"".join(body for _, _, body in store.every_document())
    assert b"secret" not in everything
    assert b"native-m2" in everything


@pytest.mark.parametrize("count", [0, 1203])
def test_every_document_is_shown_once(store: Store, count: int) -> None:
    store.save_mentions([mention(f"m{n}") for n in range(count)])
    store.mark("stored", [f"part-{n}" for n in range(count)])
    shown = [(place, key) for place, key, _ in store.every_document()]
    assert sum("mentions" in place for place, _ in shown) == count
    assert sum("progress" in place for place, _ in shown) == count
