"""What `triage.store.base.Store` promises about mentions and identities, on both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from tests.triage.store.conftest import Opener
from tests.triage.store.samples import T0, mention, minutes
from triage.store import Store
from triage.store.base import Identity, Saved

replace = msgspec.structs.replace


def test_a_saved_mention_reads_back_as_it_was(store: Store) -> None:
    row = mention(
        "ü-🚆",
        text="Zug fällt aus 🚆 \u0000 \"'%",
        title="Ärger",
        url="https://example.org/" + "x" * 40_000,
        created_at=datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
        customer="c1",
        likes=0,
        rating=0.1,
        rating_max=5,
        matched=("Bahn", "bahn"),
        evidence=("fällt aus",),
        complaint=True,
        complaint_probability=0.123456789012345,
    )
    assert store.save_mentions([row]) == Saved(new=(row.uid,))
    assert store.mentions([row.uid, "unknown", "\ud800", ""]) == {row.uid: row}


def test_saving_twice_is_saving_once(store: Store) -> None:
    rows = [mention("a"), mention("b")]
    assert store.save_mentions(rows).new == ("a", "b")
    assert store.save_mentions(rows) == Saved(unchanged=("a", "b"))
    assert store.counts()["mentions"] == 2


def test_the_last_row_of_a_uid_wins_within_a_call(store: Store) -> None:
    first, last = mention("a", text="first"), mention("a", text="last")
    assert store.save_mentions([first, mention("b"), last]) == Saved(new=("a", "b"))
    assert store.mentions(["a"])["a"].text == "last"


def test_a_row_collected_earlier_changes_nothing(store: Store) -> None:
    row = mention("a", collected_at=minutes(10), text="newer")
    store.save_mentions([row])
    earlier = replace(row, collected_at=minutes(9), text="older")
    assert store.save_mentions([earlier]) == Saved(unchanged=("a",))
    edited = replace(row, text="edited at the same minute")
    assert store.save_mentions([edited]) == Saved(changed=("a",))
    assert store.mentions(["a"])["a"] == edited


def test_only_set_threads_moves_a_stored_mention(store: Store) -> None:
    row = mention("a", thread="t1")
    store.save_mentions([row])
    assert store.save_mentions([replace(row, thread="t2")]) == Saved(unchanged=("a",))
    changed = replace(row, thread="t2", likes=3)
    assert store.save_mentions([changed]) == Saved(changed=("a",))
    assert store.mentions(["a"])["a"].thread == "t1"
    store.set_threads({"a": "t3", "unknown": "t3"})
    assert store.mentions(["a", "unknown"]) == {"a": replace(changed, thread="t3")}
    assert [found.uid for found in store.members(["t3"])] == ["a"]
    assert store.members(["t1"]) == []


def test_a_mention_stays_one_when_its_claimed_month_changes(store: Store) -> None:
    store.save_mentions([mention("a", created_at=T0)])
    moved = mention("a", created_at=T0 - timedelta(days=400), collected_at=minutes(120))
    assert store.save_mentions([moved]) == Saved(changed=("a",))
    assert store.mentions(["a"]) == {"a": moved}
    assert store.counts()["mentions"] == 1


def test_claims_of_the_future_and_of_long_ago_are_kept_as_they_are(store: Store) -> None:
    ahead = mention("ahead", created_at=datetime(9999, 1, 1, tzinfo=UTC))
    long_ago = mention("long-ago", created_at=datetime(1066, 10, 14, tzinfo=UTC))
    assert store.save_mentions([ahead, long_ago]).refused == ()
    assert store.mentions(["ahead", "long-ago"]) == {"ahead": ahead, "long-ago": long_ago}


def test_a_deleted_mention_is_a_tombstone_for_ever(store: Store) -> None:
    row = mention(
        "a", title="t", url="u", customer="c", followers=7, evidence=("e",), thread="t1", likes=2
    )
    store.save_mentions([row])
    assert store.delete_mentions(["a", "unknown", "a"]) == ("a", "unknown")
    assert store.delete_mentions(["unknown", "a"]) == ()
    late = replace(row, collected_at=row.collected_at + timedelta(days=1))
    assert store.save_mentions([late, mention("unknown")]) == Saved(unchanged=("a", "unknown"))
    found = store.mentions(["a", "unknown"])
    assert found["a"] == replace(
        row,
        text="",
        title=None,
        url=None,
        customer=None,
        followers=None,
        evidence=(),
        deleted=True,
    )
    assert found["unknown"].deleted
    assert found["unknown"].text == ""
    assert store.counts()["mentions"] == 0
    assert store.counts()["deleted"] == 2
    assert store.posts_of_customers(["c"]) == []


def test_one_bad_mention_stops_no_good_one(store: Store) -> None:
    rows = [
        mention("good-1"),
        mention("surrogate", text="half \ud800"),
        mention("zone", created_at=datetime(2024, 1, 1)),
        mention("x" * 600),
        mention("nan", rating=float("nan"), rating_max=5.0),
        mention("good-2"),
    ]
    saved = store.save_mentions(rows)
    assert saved.new == ("good-1", "good-2")
    assert [bad.id for bad in saved.refused] == ["surrogate", "zone", "x" * 600, "nan"]
    assert all(bad.reason and "\n" not in bad.reason for bad in saved.refused)
    assert set(store.mentions([row.uid for row in rows])) == {"good-1", "good-2"}


def test_members_come_by_time_then_uid_and_the_first_of_each_thread(store: Store) -> None:
    rows = [
        mention(f"{thread}{n}", thread=thread, created_at=T0 + timedelta(microseconds=n // 2))
        for thread in "ab"
        for n in reversed(range(8))
    ]
    store.save_mentions([*rows, mention("other", thread="c")])
    found = store.members(["b", "a", "b", "nothing"], limit=5)
    first = [row for row in rows if int(row.uid[1:]) < 5]
    assert found == sorted(first, key=lambda row: (row.created_at, row.uid))
    assert store.members([]) == []


def test_copies_share_a_fingerprint(store: Store) -> None:
    store.save_mentions(
        [
            mention("c", fingerprint="same", created_at=minutes(2)),
            mention("a", fingerprint="same", created_at=minutes(1)),
            mention("b", fingerprint="same", created_at=minutes(1)),
            mention("d", fingerprint="different"),
        ]
    )
    assert [row.uid for row in store.copies(["same"])] == ["a", "b", "c"]
    assert [row.uid for row in store.copies(["same"], limit=2)] == ["a", "b"]


def test_posts_of_customers_are_the_newest_of_each(store: Store) -> None:
    store.save_mentions(
        [
            mention(f"{who}{n}", customer=who, created_at=minutes(n))
            for who in "xy"
            for n in range(4)
        ]
    )
    found = store.posts_of_customers(["x", "y"], limit=2)
    assert [row.uid for row in found] == ["x2", "y2", "x3", "y3"]


def test_thousands_of_ids_are_one_call(store: Store) -> None:
    rows = [mention(f"m{n}", thread=f"t{n}", fingerprint=f"f{n % 3}") for n in range(2500)]
    assert len(store.save_mentions(rows).new) == 2500
    asked = [f"m{n}" for n in range(5000)]
    assert len(store.mentions(asked)) == 2500
    assert len(store.members([f"t{n}" for n in range(5000)])) == 2500
    assert len(store.copies(["f0", "f1", "f2"], limit=500)) == 1500
    store.set_threads({f"m{n}": "one" for n in range(5000)})
    assert [row.uid for row in store.members(["one"], limit=3)] == ["m0", "m1", "m10"]


def test_two_objects_see_each_others_decisions(opener: Opener) -> None:
    one, other = opener(), opener()
    one.save_mentions([mention("a", text="one")])
    assert other.save_mentions([mention("a", text="one")]) == Saved(unchanged=("a",))
    assert other.delete_mentions(["a", "b"]) == ("a", "b")
    later = mention("a", text="again", collected_at=minutes(999))
    assert one.save_mentions([later, mention("b")]) == Saved(unchanged=("a", "b"))


def test_identities_are_replaced_by_customer(store: Store) -> None:
    first = Identity(customer="c1", source="rss", handle="@ann", name="Ann")
    store.save_identities([first, Identity(customer="c2", source="rss")])
    store.save_identities([replace(first, handle="@anne")])
    found = store.identities(["c1", "c2", "c3"])
    assert found["c1"] == replace(first, handle="@anne")
    assert set(found) == {"c1", "c2"}
    assert store.counts()["identities"] == 2
