"""What was deleted leaves the landing zone, whenever the purge is killed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from listeners.contract import Page
from listeners.errors import Busy
from listeners.landing import RAW, Landing, Part, scored
from listeners.ledger import rows
from listeners.mention import Deletion, Mention, Record
from listeners.purge import Purged, purge
from listeners.run import collect
from tests.listeners.fakes import (
    NOW,
    TARGET,
    CrashError,
    CrashingLanding,
    FakeListener,
    budget,
    mention,
    snapshot,
    stored,
)

SECRET = "my number is 0821234567"
MODEL = scored("reader/1")
GONE = Deletion(source="fake", native_id="2", seen_at=NOW + timedelta(hours=1))


def take(landing: Landing, window: str, *records: Record) -> None:
    """A run that hears these."""
    pages = FakeListener(lambda state: [Page(items=records, state={"w": window}, done=True)])
    collect(pages, TARGET, landing, window, budget())


def score(landing: Landing) -> None:
    """What a model makes of each part, as lines with a uid."""
    for part in landing.parts(RAW):
        lines = [
            msgspec.json.encode({"uid": record.uid, "evidence": record.text})
            for record in landing.records(part)
            if isinstance(record, Mention)
        ]
        landing.write_part(MODEL, part, lines)


def heard(root: Path) -> Landing:
    """Three posts, one of them edited once, and then deleted."""
    landing = Landing(root)
    take(landing, "w1", mention("1", "one"), mention("2", f"two, {SECRET}"), mention("3", "three"))
    take(landing, "w2", mention("2", f"again: {SECRET}"))
    take(landing, "w3", GONE)
    score(landing)
    return landing


def everything(landing: Landing) -> str:
    """All lines of all raw and scored parts."""
    lines = [
        line
        for kind in (RAW, MODEL)
        for part in landing.parts(kind)
        for line in landing.read_lines(kind, part)
    ]
    return b"\n".join(lines).decode()


def test_text_and_assessment_go_and_a_tombstone_stays(tmp_path: Path) -> None:
    landing = heard(tmp_path)
    assert purge(landing) == Purged(deletions=1, mentions=2, parts=2)
    assert SECRET not in everything(landing)
    kept = [record.native_id for record in stored(landing)]
    assert kept == ["1", "2", "3", "2", "2"]
    assert [r for r in stored(landing) if r.native_id == "2"] == [GONE] * 3
    for row in rows(landing):
        on_disk = stored(landing, row.window)
        assert row.new + row.changed + row.deleted == len(on_disk)


def test_again_nothing_changes(tmp_path: Path) -> None:
    landing = heard(tmp_path)
    purge(landing)
    before = snapshot(tmp_path)
    assert purge(landing) == Purged()
    assert snapshot(tmp_path) == before


def test_killed_at_any_step_it_is_made_good_with_the_same_bytes(in_memory: Path) -> None:
    purge(heard(in_memory / "whole"))
    wanted = snapshot(in_memory / "whole")
    step = 0
    while True:
        root = in_memory / str(step)
        landing = heard(root)
        with suppress(CrashError):
            purge(CrashingLanding(root, step))
            break
        purge(landing)
        assert snapshot(root).keys() == wanted.keys()
        parts = [name for name in wanted if not name.startswith("ledger")]
        assert {name: snapshot(root)[name] for name in parts} == {n: wanted[n] for n in parts}
        step += 1
    assert step > 8


def test_a_post_that_is_shown_again_stays(tmp_path: Path) -> None:
    landing = heard(tmp_path)
    back = mention("2", "back again", collected_at=GONE.seen_at + timedelta(hours=1))
    take(landing, "w4", back)
    purge(landing)
    assert back in stored(landing)
    later = msgspec.structs.replace(GONE, seen_at=GONE.seen_at + timedelta(days=1))
    take(landing, "w5", later)
    assert purge(landing).mentions == 1
    assert back not in stored(landing)


def test_it_waits_for_nobody(tmp_path: Path) -> None:
    landing = heard(tmp_path)
    with landing.lock("fake", "one"), pytest.raises(Busy):
        purge(Landing(tmp_path))


def test_what_a_later_run_scores_of_a_purged_part_fits(tmp_path: Path) -> None:
    landing = heard(tmp_path)
    other = scored("reader/2")
    part = Part("fake", "w1", "one", 0)

    def assessed(records: Iterable[Record]) -> Iterable[bytes]:
        return (msgspec.json.encode({"uid": r.uid}) for r in records if isinstance(r, Mention))

    purge(landing)
    landing.write_part(other, part, assessed(landing.records(part)))
    assert len(list(landing.read_lines(other, part))) == 2
    assert len(list(landing.read_lines(MODEL, part))) == 2
