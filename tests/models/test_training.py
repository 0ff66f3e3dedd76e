from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from models import recipe
from models.data import Row
from models.errors import DataMissing
from models.groups import folds, near_duplicates
from models.train import main as train_command
from models.train import train
from nlp.artefact import HEADS, pack, unpack
from nlp.baseline import Baseline
from nlp.features import Spellings
from nlp.loading import load
from tests.models import tiny_sets
from tests.models.public import public_sets


@pytest.fixture(scope="module")
def sets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sets.write(tmp_path_factory.mktemp("sets"))


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(train_command)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_the_same_data_give_the_same_bytes(sets_folder: Path) -> None:
    one, other = train(sets_folder), train(sets_folder)
    assert msgspec.json.encode(one[0]) == msgspec.json.encode(other[0])
    assert one[1] == other[1]


def test_a_trained_model_loads_and_has_learnt(sets_folder: Path, tmp_path: Path) -> None:
    code, output = run("--data", str(sets_folder), "--out", str(tmp_path / "m"))
    assert code == 0, output
    reader = load(tmp_path / "m")
    bad, good = reader.read(["@shop my parcel never came again", "@shop love this place today"])
    assert bad.complaint
    assert not good.complaint
    assert bad.sentiment == "negative"
    assert good.sentiment == "positive"


def test_the_reader_scores_as_the_training_does(sets_folder: Path) -> None:
    metadata, packed = train(sets_folder)
    weights = unpack(packed, 1 << recipe.SETTINGS.bits, HEADS)
    rows = recipe.read_sets(sets_folder).complaints
    rows += [Row(text=text) for text in ("", "😡 \ufe0f!! WHY @AcmeHelp", "x " * 50)]
    matrix = recipe.count(rows, Spellings(recipe.SETTINGS)).weighted(weights.idf)
    expected = matrix @ weights.heads + weights.intercepts
    scores = Baseline(metadata, weights).scores([row.text for row in rows])
    np.testing.assert_allclose(scores, expected, atol=1e-9)
    assert pack(weights) == packed


def test_no_near_copy_of_a_complaint_row_teaches_anything_else(sets_folder: Path) -> None:
    sets = recipe.read_sets(sets_folder)
    known = {row.text for row in sets.complaints}
    assert known.isdisjoint(row.text for row in (*sets.semeval, *sets.airline, *sets.threads))
    assert len(sets.semeval) < 120
    assert len(sets.other_groups) == len(sets.semeval) + len(sets.airline)


def test_no_row_of_a_test_part_is_in_its_training_part(labelled_data: Path) -> None:
    sets = public_sets(labelled_data)
    texts = [row.text for row in (*sets.complaints, *sets.semeval, *sets.airline)]
    n = len(sets.complaints)
    assert set(texts[:n]).isdisjoint(texts[n:])
    for part in folds(sets.complaint_groups, recipe.FOLDS, recipe.SEED):
        held = {texts[row] for row in part}
        rest = {texts[row] for row in range(n) if row not in set(part)}
        assert held.isdisjoint(rest)
    held_rows = set(folds(sets.other_groups, recipe.FOLDS, recipe.SEED)[0])
    held = {texts[n + row] for row in held_rows}
    assert held.isdisjoint(texts[n + row] for row in range(len(texts) - n) if row not in held_rows)


def test_groups_survive_being_counted_with_other_rows(sets_folder: Path) -> None:
    sets = recipe.read_sets(sets_folder)
    alone = near_duplicates([row.text for row in sets.complaints])
    for one in range(len(alone)):
        for other in range(one):
            if alone[one] == alone[other]:
                assert sets.complaint_groups[one] == sets.complaint_groups[other]


@pytest.mark.parametrize("missing", ["folder", "file", "column"])
def test_missing_data_are_said_in_one_line(sets_folder: Path, tmp_path: Path, missing: str) -> None:
    folder = tmp_path / "sets"
    if missing != "folder":
        tiny_sets.write(folder)
    if missing == "file":
        (folder / "airline.csv").unlink()
    if missing == "column":
        (folder / "airline.csv").write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(DataMissing):
        train(folder)
    code, output = run("--data", str(folder), "--out", str(tmp_path / "out"))
    assert code == 1
    assert len(output.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()
