"""A deployment's own model: trained in another process, promoted when it wins, rolled back."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import pytest

from listeners.landing import RAW, Part
from listeners.mention import Author, Mention, encode
from models.contest import Contest
from models.errors import ModelUnfit, TrainingFailed
from nlp.loading import model_id
from outcry import exits
from outcry.champions import Champions
from outcry.pipeline import score, triage
from outcry.retraining import challenge
from outcry.settings import Settings, load_settings
from tests.models.decided_rows import NOW
from tests.outcry.decided_home import LATER, fill, settle
from tests.outcry.shell import call, objects, only_line

NAME = "baseline-en-own~1"


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A deployment whose agents have closed many tickets, and what was trained from them."""
    settings = settle(tmp_path_factory.mktemp("deployment") / "home")
    with closing(settings.open_store()) as store:
        fill(store, settings)
        done = challenge(settings, store, LATER)
    assert (done.challenger, done.won) == (NAME, True), done.words
    return settings


@pytest.fixture
def unchanged(worked: Settings) -> Iterator[Settings]:
    yield worked
    (worked.home / "models" / "baseline-en.json").unlink(missing_ok=True)


def test_nothing_of_the_vault_is_in_what_was_trained(worked: Settings) -> None:
    with closing(worked.open_store()) as store:
        customers = sorted({ticket.customer for ticket in store.all_tickets()})
        known = store.identities(customers)
    assert len(known) == len(customers) > 200
    secret = {
        str(word)
        for who in known.values()
        for word in (who.customer, who.handle, who.name, who.native_id, who.url)
        if word and not str(word).isdecimal()
    } | {f"ayanda.{n}@mailbox.example" for n in range(240)}
    held = b""
    for path in sorted((worked.home / "models").rglob("*")):
        if path.is_file():
            held += path.read_bytes()
            if path.suffix == ".npz":
                with np.load(io.BytesIO(path.read_bytes())) as arrays:
                    held += b"".join(arrays[name].tobytes() for name in arrays.files)
    assert len(held) > 1_000_000
    assert [word for word in sorted(secret) if word.encode() in held] == []


def test_the_same_day_again_trains_nothing(worked: Settings) -> None:
    before = (worked.home / "models" / NAME / "metadata.json").stat().st_mtime_ns
    with closing(worked.open_store()) as store:
        done = challenge(worked, store, LATER.replace(hour=22))
    assert done.challenger == NAME
    assert worked.champions.names() == [NAME]
    assert (worked.home / "models" / NAME / "metadata.json").stat().st_mtime_ns == before


def test_the_winner_reads_from_then_on_and_one_command_takes_it_back(unchanged: Settings) -> None:
    home = unchanged.home
    shipped = unchanged.model_folder
    assert objects(call(home, "model", "list", "--json"))[0]["in_use"] is True
    assert call(home, "model", "promote").stdout == f"in use from now on: {NAME}\n"
    assert model_id(unchanged.model_folder) == "baseline-en-own/1"
    assert [k.rpartition("=")[2] for k in unchanged.scored_kinds] == [
        "baseline-en-own~1", "baseline-en~1",
    ]  # fmt: skip
    assert "* baseline-en-own~1  won" in call(home, "model", "list").stdout
    (found,) = objects(call(home, "model", "compare", NAME, "--json"))
    assert found["won"] is True
    assert "| challenger baseline-en-own/1 |" in call(home, "model", "compare").stdout
    (said,) = objects(call(home, "model", "rollback", "--json"))
    assert said == {"in_use": "baseline-en"}
    assert unchanged.model_folder == shipped
    # What the challenger has read stays read.
    assert unchanged.scored_kinds[1].endswith("baseline-en-own~1")
    again = call(home, "model", "rollback")
    assert again.exit_code == exits.FAILED
    assert "nothing to roll back" in only_line(again)


def test_what_the_last_champion_has_read_is_worked_in_and_not_read_again(
    worked: Settings, tmp_path: Path
) -> None:
    settings = settle(tmp_path / "home")
    shutil.copytree(worked.home / "models", settings.home / "models")
    _hear(settings, 1)
    assert score(settings).parts == 1
    settings.champions.promote(NAME)
    assert score(settings).parts == 0
    with closing(settings.open_store()) as store:
        first = triage(settings, store, now=LATER)
        _hear(settings, 2)
        assert score(settings).parts == 1
        second = triage(settings, store, now=LATER)
        assert [first.new, second.new] == [1, 1]
        models = {row.model for row in store.members([_said(1).uid, _said(2).uid])}
    assert models == {"baseline-en/1", "baseline-en-own/1"}


def _hear(settings: Settings, number: int) -> None:
    part = Part("import", "posts", "file", number)
    settings.landing.write_part(RAW, part, [encode(_said(number))])


def _said(number: int) -> Mention:
    words = ["The router is broken", "You have charged me twice"][number % 2]
    return Mention(
        source="import",
        native_id=f"said-{number}",
        text=f"{words} and nobody answers. The worst service, I want my money back!",
        author=Author(handle=f"someone-{number}"),
        created_at=LATER,
        collected_at=LATER,
        listener="import/1",
        raw={},
    )


def test_a_loser_is_promoted_only_on_purpose(worked: Settings, tmp_path: Path) -> None:
    home = settle(tmp_path / "home").home
    shutil.copytree(worked.home / "models", home / "models")
    file = home / "models" / NAME / "contest.json"
    found = msgspec.json.decode(file.read_bytes(), type=Contest)
    lost = msgspec.structs.replace(found, won=False, why=("its loss is higher",))
    file.write_bytes(msgspec.json.encode(lost))
    refused = call(home, "model", "promote", NAME)
    assert refused.exit_code == exits.FAILED
    assert "has not won (its loss is higher); --lost-too promotes it" in only_line(refused)
    assert call(home, "model", "promote", NAME, "--lost-too").exit_code == exits.DONE
    assert load_settings(home).model_folder == home / "models" / NAME
    unknown = call(home, "model", "promote", "baseline-en-own~9")
    assert unknown.exit_code == exits.WRONG


def test_without_an_environment_or_rows_it_says_so_and_nothing_fails(
    tmp_path: Path, worked: Settings
) -> None:
    settings = settle(tmp_path / "home", "")
    with closing(settings.open_store()) as store:
        none = challenge(settings, store, NOW)
    assert (none.challenger, none.rows) == (None, 0)
    assert "too few outcomes to learn from: 0 complaints" in none.words
    nowhere = msgspec.structs.replace(worked, retraining=settings.retraining)
    with closing(worked.open_store()) as store:
        done = challenge(nowhere, store, LATER)
    assert done.challenger is None
    assert "name its interpreter as python in [retraining]" in done.words


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ("/nowhere/python", "cannot start /nowhere/python: No such file or directory"),
        ("/bin/false", "training failed: it said nothing"),
    ],
)
def test_an_environment_that_does_not_work_is_named(
    worked: Settings, python: str, words: str
) -> None:
    broken = msgspec.structs.replace(
        worked, retraining=msgspec.structs.replace(worked.retraining, python=python)
    )
    with closing(worked.open_store()) as store, pytest.raises(TrainingFailed, match=words):
        challenge(broken, store, LATER.replace(day=21))
    assert worked.champions.names() == [NAME]


def test_nobody_but_the_shipped_model_is_champion_of_a_new_home(tmp_path: Path) -> None:
    shipped = load_settings(tmp_path).model_folder
    champions = Champions(tmp_path, shipped)
    assert (champions.champion, champions.names(), champions.line.was) == (shipped, [], ())
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "baseline-en.json").write_text("{")
    with pytest.raises(ModelUnfit, match=r"is damaged .* remove it to use the shipped model"):
        load_settings(tmp_path).model_folder  # noqa: B018


def test_a_model_that_is_made_of_others_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settle(tmp_path / "home")
    made = tmp_path / "shipped" / "both"
    made.mkdir(parents=True)
    (made / "metadata.json").write_text('{"kind": "several", "name": "both", "version": 1}')
    monkeypatch.setattr("outcry.settings.model_folder", lambda name: made)
    with closing(settings.open_store()) as store:
        done = challenge(settings, store, LATER)
    assert (done.challenger, done.words) == (
        None, "both cannot be corrected: it is made of others",
    )  # fmt: skip
