"""What `triage.store.base.Store` promises about families of words and what is set apart."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from tests.triage.store.samples import T0, mention, minutes, new
from triage.likeness import Sketch, sketch
from triage.store import Store
from triage.store.base import MOST_OF_KEY, QueueFilter, Seen
from triage.ticket import Handling, Pause


def made(text: str) -> Sketch:
    found = sketch(text)
    assert found is not None
    return found


KETTLE = made("the kettle I bought leaks all over the kitchen floor")
PARCEL = made("my parcel has not arrived after more than two weeks")


def test_families_are_found_by_any_of_their_keys_and_founded_once(store: Store) -> None:
    store.save_families([KETTLE, PARCEL])
    store.save_families([KETTLE])
    assert store.families([]) == []
    assert store.families([KETTLE.keys[0]]) == [KETTLE]
    both = store.families([*KETTLE.keys, *PARCEL.keys, "0" * 16])
    assert both == sorted([KETTLE, PARCEL], key=lambda one: one.fingerprint)


def test_of_a_key_that_very_many_families_have_only_some_are_read(store: Store) -> None:
    many = [made(f"{n} my parcel has not arrived after more than two weeks") for n in range(60)]
    store.save_families([KETTLE, *many])
    last = PARCEL.keys[-1]
    assert all(last in one.keys for one in many)
    found = store.families([last, KETTLE.keys[0]])
    assert KETTLE in found
    assert len([one for one in found if last in one.keys]) == MOST_OF_KEY < len(many)


def test_a_dropped_family_is_found_no_more_and_may_be_founded_again(store: Store) -> None:
    store.save_families([KETTLE, PARCEL])
    store.drop_families([KETTLE.fingerprint, "0" * 32])
    store.drop_families([KETTLE.fingerprint])
    assert store.families([*KETTLE.keys, *PARCEL.keys]) == [PARCEL]
    store.save_families([KETTLE])
    assert store.families(KETTLE.keys) == [KETTLE]


def test_what_an_agent_set_apart_stays_apart_when_it_is_heard_again(store: Store) -> None:
    row = mention("m1")
    store.save_mentions([row])
    store.set_alone(["m1", "unknown"], True)
    heard_again = msgspec.structs.replace(row, likes=3)
    assert store.save_mentions([heard_again]).changed == ("m1",)
    assert store.mentions(["m1"])["m1"].alone
    store.set_alone(["m1"], False)
    assert not store.mentions(["m1"])["m1"].alone


def test_a_row_keeps_its_family_while_its_words_stay(store: Store) -> None:
    row = mention("m1", fingerprint="family", likeness=0.8)
    store.save_mentions([row])
    again = msgspec.structs.replace(row, fingerprint="own", likeness=None, likes=1)
    store.save_mentions([again])
    kept = store.mentions(["m1"])["m1"]
    assert (kept.fingerprint, kept.likeness, kept.likes) == ("family", 0.8, 1)
    store.save_mentions([msgspec.structs.replace(again, content_hash="other")])
    assert store.mentions(["m1"])["m1"].fingerprint == "own"


def test_counts_of_earlier_collections_are_kept(store: Store) -> None:
    row = mention("m1", views=10)
    later = msgspec.structs.replace(
        row, views=90, collected_at=row.collected_at + timedelta(hours=1)
    )
    for one in (row, later, row, later):
        store.save_mentions([one])
    assert store.mentions(["m1"])["m1"].seen == (Seen(at=row.collected_at, views=10),)


def test_the_queue_knows_who_has_what_in_which_language_and_until_when(store: Store) -> None:
    put_off = Handling(snoozed_until=minutes(9), pauses=(Pause(start=T0, end=minutes(9)),))
    held = Handling(status="claimed", agent="ann", lease_until=minutes(5))
    store.write_tickets(
        [
            new("T-1", language="fr", sla_due=minutes(1)),
            new("T-2", handling=put_off),
            new("T-3", handling=held),
            new("T-4", rest_until=minutes(7)),
            new("T-5", handling=Handling(status="resolved"), rest_until=minutes(7)),
        ]
    )

    def ids(**wanted: object) -> list[str]:
        page = store.queue(msgspec.convert(wanted, QueueFilter))
        return sorted(one.ticket.ticket for one in page.tickets)

    waiting = ["new", "claimed", "waiting", "reopened"]
    assert ids(languages=["fr"]) == ["T-1"]
    assert ids(agent="ann") == ["T-3"]
    assert ids(due_before=minutes(2)) == ["T-1"]
    assert ids(statuses=waiting, free_at=minutes(4)) == ["T-1"]
    assert ids(statuses=waiting, free_at=minutes(7)) == ["T-1", "T-3", "T-4"]
    assert ids(statuses=waiting, free_at=minutes(9)) == ["T-1", "T-2", "T-3", "T-4"]
    assert ids(statuses=["resolved"], free_at=minutes(0)) == ["T-5"]
