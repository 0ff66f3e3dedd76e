"""Small parts become one, whatever dies in between; nothing is lost, doubled or read anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from listeners import compaction
from listeners.erase import erase
from listeners.landing import RAW, Landing, Part
from listeners.ledger import LedgerRow, write_row
from listeners.mention import Author, Mention, encode
from outcry.pipeline import replay, score, triage
from outcry.reconcile import reconcile
from outcry.settings import Settings, load_settings
from outcry.upkeep import compact, snapshot
from tests.listeners.fakes import CrashError, CrashingLanding, stored
from triage.store import Store

HEARD = datetime(2026, 11, 1, 10, tzinfo=UTC)
WINDOW = "20261101T100000Z"
NOW = HEARD + timedelta(days=10)
PARTS, EACH = 4, 3
ONE = Part("rss", WINDOW, "forum", PARTS - 1 + 100_000)


def _hear(landing: Landing) -> None:
    """A window of some pages, and the ledger's row of it."""
    for number in range(PARTS):
        said = [_mention(number * EACH + at) for at in range(EACH)]
        landing.write_part(RAW, Part("rss", WINDOW, "forum", number), map(encode, said))
    row = LedgerRow(
        source="rss", target="forum", window=WINDOW, listener="rss/1", outcome="ok",
        new=PARTS * EACH, parts=PARTS, started_at=HEARD, finished_at=HEARD,
    )  # fmt: skip
    write_row(landing, row)


def _mention(number: int) -> Mention:
    words = ["broken router", "wrong bill", "rude agent", "late parcel"][number % 4]
    return Mention(
        source="rss",
        native_id=f"post-{number}",
        text=f"The worst service: {words} number {number}, and nobody calls me back!",
        author=Author(handle=f"customer-{number}"),
        created_at=HEARD,
        collected_at=HEARD,
        listener="rss/1",
        raw={},
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = load_settings(tmp_path / "home")
    _hear(found.landing)
    score(found)
    return found


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with closing(settings.open_store()) as opened:
        triage(settings, opened, now=HEARD)
        yield opened


def _agrees(settings: Settings, store: Store) -> bool:
    (balance,) = reconcile(settings, store, HEARD - timedelta(days=1))
    return balance.difference is None and balance.mentions == PARTS * EACH


def test_an_old_window_of_many_parts_becomes_one_and_triage_has_nothing_to_do(
    settings: Settings, store: Store
) -> None:
    before = stored(settings.landing)
    assert compact(settings, store, NOW) == PARTS - 1
    assert list(settings.landing.parts(RAW)) == [ONE]
    assert stored(settings.landing) == before
    assert _agrees(settings, store)
    assert score(settings).parts == 0
    assert triage(settings, store, now=NOW).parts == 0
    assert compact(settings, store, NOW) == 0
    # A part that comes later has a number that no store has ever seen.
    assert settings.landing.next_number(RAW, "rss", WINDOW, "forum") == ONE.number + 1


def test_reading_all_again_makes_the_same_tickets(settings: Settings, store: Store) -> None:
    tickets = list(store.all_tickets())
    compact(settings, store, NOW)
    assert replay(settings, store) == 1
    done = triage(settings, store, now=HEARD)
    assert (done.parts, done.new, done.unchanged) == (1, 0, PARTS * EACH)
    assert list(store.all_tickets()) == tickets


def test_a_window_that_is_young_or_not_in_the_store_is_left_alone(settings: Settings) -> None:
    with closing(settings.open_store()) as fresh:
        assert compact(settings, fresh, NOW) == 0
        triage(settings, fresh, now=HEARD)
        assert compact(settings, fresh, HEARD + timedelta(days=7)) == 0
    assert len(list(settings.landing.parts(RAW))) == PARTS


def test_what_was_erased_stays_accounted_for(settings: Settings, store: Store) -> None:
    uid = _mention(4).uid
    erase(settings.landing, lambda record: record.uid == uid, lambda line: line)
    assert compact(settings, store, NOW) == PARTS - 1
    assert len(stored(settings.landing)) == PARTS * EACH - 1
    (balance,) = reconcile(settings, store, HEARD - timedelta(days=1))
    assert (balance.counted, balance.landed) == (PARTS * EACH, PARTS * EACH)


def test_killed_at_any_step_it_is_finished_by_the_next_run(
    settings: Settings, store: Store
) -> None:
    before, root = stored(settings.landing), settings.landing.root
    steps = 0

    def mark(plan: compaction.Plan) -> None:
        store.mark("folded", [f"{kind}/{plan.merged.name}" for kind in plan.kinds])

    while True:
        chosen = compaction.plan(settings.landing, "rss", WINDOW, "forum")
        assert chosen is not None
        dying = CrashingLanding(root, steps)
        try:
            compaction.compact(dying, chosen, mark)
        except CrashError:
            # Whoever reads now may find lines twice, and misses none.
            assert {record.uid for record in stored(settings.landing)} == {r.uid for r in before}
            if settings.landing.has(RAW, ONE):
                break
            steps += 1
        else:
            pytest.fail("it never died between the merged part and the removal of the others")
    compaction.finish(settings.landing)
    assert stored(settings.landing) == before
    assert _agrees(settings, store)
    assert steps > PARTS * EACH


def test_killed_before_the_merged_part_is_there_it_is_undone(
    settings: Settings, store: Store
) -> None:
    before = _files(settings)
    chosen = compaction.plan(settings.landing, "rss", WINDOW, "forum")
    assert chosen is not None
    with pytest.raises(CrashError):
        compaction.compact(CrashingLanding(settings.landing.root, 20), chosen, lambda plan: None)
    assert _files(settings) > before
    assert _agrees(settings, store)
    # Whoever comes back to the window meanwhile takes no number of the merged part's.
    assert settings.landing.next_number(RAW, "rss", WINDOW, "forum") == PARTS
    assert compaction.finish(settings.landing) == 1
    assert {name for name in _files(settings) if ".tmp" not in name} == before
    assert compact(settings, store, NOW) == PARTS - 1


def _files(settings: Settings) -> set[str]:
    root = settings.landing.root
    return {str(path.relative_to(root)) for path in root.rglob("*.json*") if path.is_file()}


def test_a_snapshot_is_kept_once_a_day_where_the_settings_name_a_place(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    snapshot(settings, store, NOW)
    assert not (tmp_path / "kept").exists()
    place = msgspec.structs.replace(settings.store, snapshots=str(tmp_path / "kept"))
    for _ in range(2):
        snapshot(msgspec.structs.replace(settings, store=place), store, NOW)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["outcry-20261111.db"]
