"""A challenger learns from what agents decided, wins only by right, and remembers no word."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from models import data, registry
from models.adapt import adapt, challenge, correction, main
from models.contest import Contest, better_share, cards, contest
from models.decided import LATEST, Decided, shortage, split
from models.errors import ModelUnfit
from nlp.loading import load
from tests.models import tiny_sets
from tests.models.decided_rows import NOW, rows

SHIPPED = registry.folder("baseline-en")


@pytest.fixture(scope="module")
def won(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Contest]:
    out = tmp_path_factory.mktemp("own") / "baseline-en-own~1"
    return out, challenge(rows(), NOW, SHIPPED, SHIPPED, out, 1, inputs="i")


def test_what_agents_said_is_learnt_and_the_rest_stays(won: tuple[Path, Contest]) -> None:
    out, found = won
    assert found.won, found.why
    assert found.challenger.model == "baseline-en-own/1"
    for before, after in (
        (found.champion.held_out, found.challenger.held_out),
        (found.champion.latest, found.challenger.latest),
    ):
        assert after.log_loss < before.log_loss
        assert after.macro_f1 >= before.macro_f1
    old, new = load(SHIPPED), load(out)
    (play,) = new.read(["watching the awful murder scene again"])
    assert (play.complaint_probability or 0) < 0.5
    plain = ["The worst airline ever, they lost my bag and nobody cares", "Lovely soup today"]
    assert [r.complaint for r in new.read(plain)] == [r.complaint for r in old.read(plain)]
    assert [r.sentiment_probabilities for r in new.read(plain)] == [
        r.sentiment_probabilities for r in old.read(plain)
    ]


def test_the_same_rows_give_the_same_bytes(won: tuple[Path, Contest], tmp_path: Path) -> None:
    again = tmp_path / "again"
    challenge(rows(), NOW, SHIPPED, SHIPPED, again, 1, inputs="i")
    files = sorted(path.name for path in won[0].iterdir())
    assert files == ["cards.md", "contest.json", "metadata.json", "weights.npz"]
    assert [(again / name).read_bytes() for name in files] == [
        (won[0] / name).read_bytes() for name in files
    ]


def test_both_cards_stand_side_by_side(won: tuple[Path, Contest]) -> None:
    text = (won[0] / "cards.md").read_text()
    assert "| what | champion baseline-en/1 | challenger baseline-en-own/1 |" in text
    assert "The challenger won." in text
    assert msgspec.json.decode((won[0] / "contest.json").read_bytes(), type=Contest) == won[1]
    assert cards(won[1]) == text


def test_a_challenger_that_is_worse_in_the_last_weeks_does_not_win(tmp_path: Path) -> None:
    # Until then the agents said the opposite of what they say now.
    known = [
        row if row.at >= NOW - LATEST else msgspec.structs.replace(row, complaint=not row.complaint)
        for row in rows()
    ]
    found = challenge(known, NOW, SHIPPED, SHIPPED, tmp_path / "c", 1)
    assert not found.won
    assert any("in the last weeks fell" in line for line in found.why)
    assert "The champion stays." in (tmp_path / "c" / "cards.md").read_text()


def test_forgetting_what_the_labelled_set_taught_costs_the_victory(
    won: tuple[Path, Contest], tmp_path: Path
) -> None:
    labelled = data.complaints(tiny_sets.write(tmp_path))
    # Rows of which the play's words are complaints: there the challenger is the worse one.
    turned = [msgspec.structs.replace(row, complaint=not row.complaint) for row in labelled]
    hard = [
        msgspec.structs.replace(row, text=f"{row.text}, awful murder scene tonight", complaint=True)
        for row in turned
    ]
    found = contest(load(SHIPPED), load(won[0]), split(rows(), NOW), [*labelled, *hard], "")
    assert not found.won
    assert any("on the labelled complaints fell" in line for line in found.why)


def test_too_few_outcomes_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnfit, match=r"too few outcomes to learn from: .* of each 30"):
        challenge(rows(40), NOW, SHIPPED, SHIPPED, tmp_path / "c", 1)
    assert not (tmp_path / "c").exists()


def test_an_encoder_is_corrected_in_its_linear_part(tmp_path: Path) -> None:
    shipped = registry.folder("outcry-en")
    taught = split(rows(160), NOW).taught
    adapt(shipped, taught, tmp_path / "own", "outcry-en-own", 3)
    old, new = load(shipped), load(tmp_path / "own")
    assert new.model == "outcry-en-own/3"
    texts = [row.text for row in taught if not row.complaint]
    before, after = (
        float(np.mean([one.complaint_probability or 0 for one in reader.read(texts)]))
        for reader in (old, new)
    )
    assert after < before


def test_the_command_reads_rows_and_says_who_won(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(main)
    lines = b"".join(msgspec.json.encode(row) + b"\n" for row in rows(30))
    words = ["--parent", str(SHIPPED), "--champion", str(SHIPPED), "--out", str(tmp_path / "c")]
    done = CliRunner().invoke(
        app, [*words, "--version", "1", "--as-of", NOW.isoformat()], input=lines
    )
    assert done.exit_code == 1
    assert "too few outcomes" in done.output


@settings(max_examples=40)
@given(st.integers(0, 400), st.integers(0, 200))
def test_a_row_keeps_its_side_as_time_goes_on(count: int, later: int) -> None:
    known = rows(count)
    parts, after = split(known, NOW), split(known, NOW + timedelta(days=later))
    names = [{row.ticket for row in side} for side in (parts.taught, parts.held_out, parts.latest)]
    assert len(names[0] | names[1] | names[2]) == sum(map(len, names))
    # What was taught once is never judged on; what was held out stays so.
    assert names[0].isdisjoint(row.ticket for row in after.judged)
    assert names[1] <= {row.ticket for row in after.held_out}
    assert all(row.at >= NOW - LATEST for row in parts.latest)


def test_a_near_copy_of_a_judged_row_teaches_nothing() -> None:
    known = rows(60)
    late = max(known, key=lambda row: row.at)
    copied = Decided(
        ticket="T-copy-1", text=f"@someone {late.text}", complaint=True, at=NOW - 2 * LATEST
    )
    assert copied not in split([*known, copied], NOW).taught


def test_few_rows_change_little_and_a_clear_sign_much() -> None:
    from scipy import sparse

    matrix = sparse.csr_matrix(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]))
    truth, given_odds = np.array([0, 0, 1, 1]), np.zeros(4)
    loose = correction(matrix, truth, given_odds, strength=100.0)
    tight = correction(matrix, truth, given_odds, strength=0.01)
    assert loose[0] < -1 < 1 < loose[1]
    assert abs(tight).max() < 0.05


def test_the_bootstrap_is_sure_of_gains_and_not_of_noise() -> None:
    assert better_share(np.full(20, 0.1)) == 1.0
    assert better_share(np.zeros(0)) == 0.0
    noise = np.random.default_rng(1).normal(0, 1, 200)
    assert 0.02 < better_share(noise - noise.mean()) < 0.98


def test_enough_is_enough() -> None:
    assert shortage(split(rows(), NOW)) is None
    one_sided = [row for row in rows() if row.complaint]
    assert "0 that were none" in (shortage(split(one_sided, NOW)) or "")


def test_no_word_of_a_row_is_in_the_artefact(won: tuple[Path, Contest]) -> None:
    with np.load(won[0] / "weights.npz") as arrays:
        numbers = b"".join(arrays[name].tobytes() for name in arrays.files)
    held = numbers + b"".join(path.read_bytes() for path in won[0].iterdir())
    for row in rows():
        assert row.text.encode() not in held
        assert row.ticket.encode() not in held
    assert json.loads((won[0] / "metadata.json").read_text())["training_rows"]["outcomes"] > 60
