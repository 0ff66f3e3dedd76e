"""Frames hold what the store holds, typed, wherever they come from, and nobody's name."""

from __future__ import annotations

import secrets
from datetime import timedelta
from pathlib import Path

import msgspec
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from insight.frames import RECORDS, Frames, columns_of, frame_of
from outcry.analysts import frames
from outcry.demo import AS_OF, Demo
from tests.servers.elasticsearch import Node
from tests.triage.store.conftest import remove_prefix
from triage.incidents import incidents, keep_of
from triage.store import Store, open_store
from triage.store.base import StoredMention, Write
from triage.store.shelf import Keep

NAMES = sorted(RECORDS)


def every(data: Frames) -> dict[str, pd.DataFrame]:
    return {name: getattr(data, name)() for name in NAMES}


def assert_alike(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for name in NAMES:
        assert_frame_equal(one[name], other[name], obj=name)


def test_the_landing_zone_gives_the_frames_that_the_store_gives(heard: Demo) -> None:
    with frames(heard.home) as stored:
        of_store = every(stored)
    with frames(heard.home, landing=True, now=AS_OF) as replayed:
        of_files = every(replayed)
    assert len(of_store["mentions"]) > 30
    assert len(of_store["incidents"]) == 1
    assert_alike(of_store, of_files)


@pytest.mark.elasticsearch
def test_elasticsearch_gives_the_frames_that_the_embedded_store_gives(
    worked: Path, elasticsearch: Node
) -> None:
    prefix = f"frames-{secrets.token_hex(4)}"
    with frames(worked) as embedded:
        copy = open_store(
            "elasticsearch",
            url=elasticsearch.url,
            user=elasticsearch.user,
            password=elasticsearch.password,
            prefix=prefix,
        )
        try:
            copy.setup()
            copy_of(embedded.store, copy)
            assert_alike(every(embedded), every(Frames(copy)))
        finally:
            copy.close()
            remove_prefix(elasticsearch, prefix)


def copy_of(store: Store, copy: Store) -> None:
    """What the frames are made of, from one store into another."""
    rows = Frames(store)
    mentions = list(store.mentions_between(AS_OF - timedelta(days=99), AS_OF + timedelta(days=9)))
    copy.save_mentions(mentions)
    events: dict[str, list[object]] = {}
    for event in store.all_events():
        events.setdefault(event.ticket, []).append(event)
    copy.write_tickets(
        [
            Write(ticket=ticket, version=None, events=tuple(events[ticket.ticket]))  # type: ignore[arg-type]
            for ticket in store.all_tickets()
        ]
    )
    copy.save_ledger(list(store.ledger_rows()))
    copy.save_rejects(list(store.reject_rows()))
    copy.shelve("incident", [keep_of(one, None) for one in incidents(store)])
    for kept in store.shelf("label"):
        copy.shelve("label", [Keep(key=kept.key, at=kept.at, record=msgspec.Raw(kept.body))])
    assert len(rows.labels()) == len(Frames(copy).labels())


def test_types_are_those_of_the_record_whatever_the_rows(data: Frames) -> None:
    for name, frame in every(data).items():
        known = columns_of(RECORDS[name])
        assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == known
        empty = frame_of(RECORDS[name], ())
        assert list(empty.dtypes) == list(frame.dtypes)


def test_what_people_decided_stands_beside_what_was_derived(data: Frames) -> None:
    tickets = data.tickets(["ticket", "priority", "handling.status", "handling.contacted_at"])
    assert tickets["handling.contacted_at"].notna().sum() == 6
    assert (tickets["handling.status"] == "resolved").sum() == 4
    assert str(tickets["priority"].dtype) == "Int64"


def test_not_known_is_not_zero(data: Frames) -> None:
    heard = data.mentions(["rating", "likes"])
    assert heard["rating"].isna().any()
    assert heard["likes"].isna().any()


def test_chunks_are_the_whole_in_pieces(data: Frames) -> None:
    chunks = list(data.mention_chunks(["uid", "created_at"], rows=7))
    assert max(map(len, chunks)) == 7
    assert_frame_equal(pd.concat(chunks, ignore_index=True), data.mentions(["uid", "created_at"]))


def test_a_time_span_takes_its_beginning_and_not_its_end(data: Frames) -> None:
    times = data.mentions(["created_at"])["created_at"]
    middle = times.iloc[len(times) // 2].to_pydatetime()
    before, after = data.mentions(end=middle), data.mentions(start=middle)
    assert len(before) + len(after) == len(times)
    assert after["created_at"].min() == middle


def test_an_unknown_column_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(KeyError, match=r"no column 'txt' in StoredMention: there are uid, .*text"):
        frame_of(StoredMention, (), ["txt"])


def test_deleted_posts_are_in_no_frame(heard: Demo, tmp_path: Path) -> None:
    store = open_store("sqlite", path=tmp_path / "outcry.db")
    store.setup()
    with frames(heard.home) as data:
        store.save_mentions(list(data.store.mentions_between(AS_OF - timedelta(days=9), AS_OF)))
    gone = Frames(store).mentions(["uid"])["uid"].iloc[0]
    store.delete_mentions([gone, "never heard of"])
    left = Frames(store).mentions(["uid"])["uid"]
    assert len(left) > 0
    assert not left.isin([gone, "never heard of"]).any()
    store.close()


def test_no_frame_holds_what_the_vault_holds(worked: Path) -> None:
    """Links lead to posts and may name an account, as the network makes them: they are left out."""
    with frames(worked) as data:
        customers = list(data.mentions(["customer"])["customer"].dropna().unique())
        people = data.store.identities(customers)
        assert len(people) > 20
        kept = [
            frame.drop(columns=["url", "link"], errors="ignore") for frame in every(data).values()
        ]
    text = "\n".join(
        frame.to_json(orient="records", date_format="iso") for frame in kept
    ).casefold()
    secrets = {
        word.casefold()
        for who in people.values()
        for one in (who, *who.accounts)
        for word in (one.handle, one.name)
        if word and len(word) > 3
    }
    assert len(secrets) > 20
    assert {word for word in secrets if word in text} == set()
