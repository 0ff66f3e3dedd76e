"""Where agents send cases teaches the routing: promoted when it is better, rolled back at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest

from nlp.errors import ModelCorrupt, ModelMissing
from outcry import exits
from outcry.rerouting import challenge, routed
from outcry.routing_contest import RoutingContest
from outcry.settings import Settings, load_settings
from tests.outcry.routed_home import NOW, fill, said, settle
from tests.outcry.shell import call, objects, only_line
from triage.claims import route
from triage.contacts import learn
from triage.intake import store_records
from triage.routing import router_of

NAME = "routing-own~1"


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A deployment whose agents have sent many cases elsewhere, and what was learnt from it."""
    settings = settle(tmp_path_factory.mktemp("deployment") / "home")
    with closing(settings.open_store()) as store:
        fill(store, settings)
        done = challenge(settings, store, NOW)
    assert (done.challenger, done.won) == (NAME, True), done.words
    return settings


@pytest.fixture
def unchanged(worked: Settings) -> Iterator[Settings]:
    yield worked
    (worked.home / "models" / "routing.json").unlink(missing_ok=True)


def test_rows_are_where_agents_sent_a_case_and_where_they_closed_one(tmp_path: Path) -> None:
    settings = settle(tmp_path / "home")
    with closing(settings.open_store()) as store:
        fill(store, settings, count=6)
        tickets = sorted(store.all_tickets(), key=lambda one: one.opened_at)
        learn(store, tickets[1], "not a complaint", "nomsa", NOW)
        route(store, tickets[2].ticket, None, "nomsa", NOW, settings.rules)
        rows = {row.ticket: row for row in routed(store, settings.rules)}
        found = [rows.get(ticket.ticket) for ticket in tickets]
        store.erase([tickets[0].mentions[0].uid], [], [tickets[0].customer])
        assert tickets[0].ticket not in {row.ticket for row in routed(store, settings.rules)}
    assert [row and (row.department, row.corrected) for row in found] == [
        ("machines", True), None, None, ("till", False), ("machines", True), ("till", False),
    ]  # fmt: skip


def test_what_was_corrected_is_learnt_and_what_was_right_stays(worked: Settings) -> None:
    found = worked.routers.contest(NAME)
    assert found.champion.corrected.right == 0
    assert found.challenger.corrected.right > 0.9 * found.challenger.corrected.rows
    assert found.challenger.kept.right >= found.champion.kept.right > 0
    assert found.taught + found.champion.corrected.rows + found.champion.kept.rows <= 200


def test_nothing_of_the_vault_and_no_word_is_in_what_was_learnt(worked: Settings) -> None:
    folder = worked.home / "models" / NAME
    assert sorted(path.name for path in folder.iterdir()) == [
        "cards.md", "contest.json", "metadata.json", "topics.npz",
    ]  # fmt: skip
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    with np.load(folder / "topics.npz") as arrays:
        held += b"".join(arrays[name].tobytes() for name in arrays.files)
        assert {str(arrays[name].dtype) for name in arrays.files} <= {"uint8", "float16", "float64"}
    for word in (b"ayanda", b"Dlamini", b"mailbox", b"kiosk", b"cashier", b"nomsa"):
        assert word not in held


def test_the_winner_sends_cases_from_then_on_and_one_command_takes_it_back(
    unchanged: Settings,
) -> None:
    home = unchanged.home
    assert _sent(home, 1) == "till"
    assert call(home, "model", "promote", "--routing").stdout == f"in use from now on: {NAME}\n"
    assert _sent(home, 2) == "machines"
    assert f"* {NAME}  won" in call(home, "model", "list", "--routing").stdout
    assert f"| champion routing | challenger {NAME} |" in (
        call(home, "model", "compare", "--routing").stdout
    )
    (compared,) = objects(call(home, "model", "compare", NAME, "--routing", "--json"))
    assert msgspec.convert(compared, RoutingContest).won
    (back,) = objects(call(home, "model", "rollback", "--routing", "--json"))
    assert back == {"in_use": "routing"}
    assert _sent(home, 3) == "till"
    again = call(home, "model", "rollback", "--routing")
    assert again.exit_code == exits.FAILED
    assert "the settings' own routing is in use: there is nothing to roll back" in only_line(again)


def _sent(home: Path, number: int) -> str | None:
    """Where a new complaint about a kiosk is sent."""
    settings = load_settings(home)
    pair = said(10_000 + number, True, NOW)
    with closing(settings.open_store()) as store:
        store_records(store, [pair], settings.rules)
        department = store.mentions([pair[0].uid])[pair[0].uid].department
        store.erase([pair[0].uid], [], [])
    return department


def test_the_same_day_again_learns_nothing_and_the_same_rows_give_the_same_bytes(
    worked: Settings, tmp_path: Path
) -> None:
    with closing(worked.open_store()) as store:
        assert challenge(worked, store, NOW.replace(hour=22)).challenger == NAME
        assert worked.routers.names() == [NAME]
    other = settle(tmp_path / "home")
    with closing(other.open_store()) as store:
        fill(store, other)
        assert challenge(other, store, NOW).challenger == NAME
    for file in ("metadata.json", "topics.npz", "contest.json", "cards.md"):
        one, two = (home / "models" / NAME / file for home in (worked.home, other.home))
        assert one.read_bytes() == two.read_bytes()


def test_where_there_is_nothing_to_learn_the_champion_stays(tmp_path: Path) -> None:
    settings = settle(tmp_path / "home")
    with closing(settings.open_store()) as store:
        fill(store, settings, honest=False)
        done = challenge(settings, store, NOW)
    assert (done.challenger, done.won) == (NAME, False)
    refused = call(settings.home, "model", "promote", "--routing")
    assert refused.exit_code == exits.FAILED
    assert "has not won" in only_line(refused)


def test_too_few_corrections_say_how_many_are_needed(tmp_path: Path) -> None:
    settings = settle(tmp_path / "home")
    with closing(settings.open_store()) as store:
        fill(store, settings, count=20)
        done = challenge(settings, store, NOW)
    assert done.challenger is None
    assert "too few corrections to learn from" in done.words
    said_so = call(settings.home, "model", "train", "--routing")
    assert said_so.stdout.startswith("nothing trained: too few corrections")


def test_what_is_damaged_or_gone_is_named_with_the_way_out(unchanged: Settings) -> None:
    unchanged.routers.promote(NAME)
    numbers = unchanged.home / "models" / NAME / "topics.npz"
    kept = numbers.read_bytes()
    try:
        for damage, error in ((kept[:-1], ModelCorrupt), (None, ModelMissing)):
            numbers.unlink() if damage is None else numbers.write_bytes(damage)
            router_of.cache_clear()  # a process reads them once
            settings = load_settings(unchanged.home)
            with (
                closing(settings.open_store()) as store,
                pytest.raises(error, match="outcry model rollback --routing"),
            ):
                store_records(store, [said(20_000, True, NOW)], settings.rules)
    finally:
        numbers.write_bytes(kept)


def test_a_department_that_has_gone_since_is_sent_nothing(unchanged: Settings) -> None:
    unchanged.routers.promote(NAME)
    file = unchanged.home / "outcry.toml"
    kept = file.read_text()
    try:
        file.write_text(kept.replace('name = "machines"', 'name = "devices"'))
        assert _sent(unchanged.home, 4) == "till"
    finally:
        file.write_text(kept)
