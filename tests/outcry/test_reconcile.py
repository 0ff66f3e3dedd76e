"""Three counts that agree, and a name for each way in which they do not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from listeners.erase import erase
from listeners.landing import RAW, scored
from outcry import exits, upkeep
from outcry.importing import import_file
from outcry.pipeline import score, triage
from outcry.reconcile import Balance, reconcile
from outcry.settings import Settings, load_settings
from tests.outcry.shell import call, objects
from triage.store import Store

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=7)
LINES = [
    {
        "source": "hellopeter",
        "native_id": str(n),
        "text": f"Week {n} without internet and nobody calls back, give me my money back",
        "created_at": "2026-11-20T08:00:00Z",
        "author": {"handle": f"thandi-{n}"},
    }
    for n in range(4)
]


def _home(tmp_path: Path) -> Settings:
    """A deployment that has heard four posts, in one file."""
    file = tmp_path / "posts.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    settings = load_settings(tmp_path / "home")
    import_file(settings, file, preset="canonical", now=NOW)
    return settings


@contextmanager
def _opened(settings: Settings) -> Iterator[Store]:
    store = settings.open_store()
    try:
        yield store
    finally:
        store.close()


def _balance(settings: Settings) -> Balance:
    with _opened(settings) as store:
        (found,) = reconcile(settings, store, LONG_AGO)
    return found


def _run(settings: Settings) -> None:
    score(settings)
    with _opened(settings) as store:
        triage(settings, store, now=NOW)


def test_what_went_through_agrees(tmp_path: Path) -> None:
    settings = _home(tmp_path)
    _run(settings)
    found = _balance(settings)
    assert (found.counted, found.landed, found.mentions, found.stored) == (4, 4, 4, 4)
    assert found.difference is None


def test_each_step_that_is_missing_has_its_name(tmp_path: Path) -> None:
    settings = _home(tmp_path)
    assert "1 parts were never scored" in (_balance(settings).difference or "")
    score(settings)
    assert "1 parts were never triaged" in (_balance(settings).difference or "")
    with _opened(settings) as store:
        triage(settings, store, now=NOW)
    assert _balance(settings).difference is None


def test_what_was_erased_on_purpose_is_no_loss_and_a_part_that_is_gone_is(tmp_path: Path) -> None:
    settings = _home(tmp_path)
    _run(settings)
    erase(settings.landing, lambda record: record.native_id == "1", lambda line: line)
    erase(settings.landing, lambda record: record.native_id == "2", lambda line: line)
    found = _balance(settings)
    assert (found.counted, found.landed, found.mentions) == (4, 4, 2)
    assert found.difference is None
    (part,) = settings.landing.parts(RAW)
    settings.landing.path(RAW, part).unlink()
    assert "restore the lost parts" in (_balance(settings).difference or "")


def test_a_mention_that_the_store_lost_is_missed(tmp_path: Path) -> None:
    settings = _home(tmp_path)
    _run(settings)
    (part,) = settings.landing.parts(RAW)
    lost = next(iter(settings.landing.records(part))).uid
    with closing(sqlite3.connect(settings.home / "outcry.db")) as db, db:
        db.execute("DELETE FROM mentions WHERE uid = ?", (lost,))
    assert "the store lacks 1 of 4 mentions" in (_balance(settings).difference or "")


def test_files_that_were_left_behind_are_caught_up_at_night(tmp_path: Path) -> None:
    settings = _home(tmp_path)
    with _opened(settings) as store:
        done = upkeep.tidy(settings, store, NOW)
        again = upkeep.tidy(settings, store, NOW)
    assert (done.caught_up, done.windows) == (1, ())
    assert again.caught_up == 0
    (part,) = settings.landing.parts(scored("baseline-en/1"))
    assert part.source == "import"


def test_the_command_ends_with_three_where_they_differ(tmp_path: Path) -> None:
    settings = _home(tmp_path)
    as_of = ("--as-of", NOW.isoformat())
    before = call(settings.home, "reconcile", *as_of)
    assert before.exit_code == exits.PARTIAL
    assert "were never scored: score this window" in before.stdout
    assert call(settings.home, "run", *as_of).exit_code == exits.DONE
    after = call(settings.home, "reconcile", *as_of)
    assert (after.exit_code, after.stdout) == (exits.DONE, "4 records in 1 windows; none differ\n")
    (row,) = objects(call(settings.home, "reconcile", "--json", *as_of))
    assert (row["step"], row["counted"], row["stored"]) == ("reconcile", 4, 4)
