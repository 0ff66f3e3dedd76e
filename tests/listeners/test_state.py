"""The state moves one version at a time, and the memory of items is bounded."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from listeners.contract import Target
from listeners.errors import Busy, LandingError
from listeners.landing import Landing
from listeners.mention import Deletion, Record
from listeners.state import RECENT, Memory, TargetState, load, save
from tests.listeners.fakes import NOW, TARGET, mention, reject


def test_a_state_is_read_as_it_was_saved(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    assert load(landing, TARGET) is None
    state = TargetState(version=1, window="w", state={"a": [1]}, recent={"b": "1", "a": "2"})
    save(landing, TARGET, state)
    assert load(landing, TARGET) == state
    assert list((load(landing, TARGET) or state).recent) == ["b", "a"]


def test_a_writer_who_read_an_older_version_is_refused(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    first = TargetState(version=1, window="w")
    save(landing, TARGET, first)
    save(landing, TARGET, msgspec.structs.replace(first, version=2, state={"mine": 1}))
    with pytest.raises(Busy, match="moved by another run"):
        save(landing, TARGET, msgspec.structs.replace(first, version=2, state={"theirs": 1}))
    kept = load(landing, TARGET)
    assert kept is not None
    assert kept.state == {"mine": 1}


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    landing = Landing(tmp_path)
    landing.write_document("state/source=fake/target=one.json", b"{")
    with pytest.raises(LandingError, match=r"target=one\.json is damaged"):
        load(landing, TARGET)


def test_a_target_whose_key_cannot_name_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LandingError, match="cannot name a file"):
        load(Landing(tmp_path), Target(source="rss", key="../x"))


def test_an_item_is_new_then_known_then_changed() -> None:
    memory = Memory({}, ())
    gone = Deletion(source="fake", native_id="1", seen_at=NOW)
    records: list[Record] = [
        mention("1"),
        mention("1"),
        mention("1", "edited"),
        gone,
        gone,
        mention("1"),
    ]
    verdicts = [memory.judge(record) for record in records]
    assert verdicts == ["new", "duplicate", "changed", "deleted", "duplicate", "changed"]


def test_counts_and_times_alone_are_no_change() -> None:
    memory = Memory({}, ())
    memory.judge(mention("1"))
    assert memory.judge(mention("1", url="https://a.example", flags=("nsfw",))) == "duplicate"


def test_the_memory_keeps_what_was_seen_last_and_two_pages_at_least() -> None:
    memory = Memory({}, ())
    for number in range(RECENT + 10):
        memory.judge(mention(str(number)))
    memory.judge(mention("3"))
    kept = memory.recent(page_size=10)
    assert len(kept) == RECENT
    assert list(kept)[-1] == mention("3").uid
    assert mention("4").uid not in kept
    assert len(memory.recent(page_size=RECENT)) == RECENT + 10


def test_rejects_are_remembered_as_many() -> None:
    memory = Memory({}, ())
    assert memory.is_new(reject(1))
    assert not memory.is_new(reject(1))
    assert memory.is_new(reject(1, "another reason"))
    for number in range(2, RECENT + 5):
        memory.is_new(reject(number))
    assert len(memory.recent_rejects(page_size=1)) == RECENT
