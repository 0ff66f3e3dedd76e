"""The encoder that is shipped: its folder, its card, and that both say what is measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from models import registry
from models.corpus import part
from models.evaluate import megabytes, written_card
from models.judge_encoder import complaint_figures, sentiment_recall
from models.promote import MOST_MEGABYTES
from models.seal import read
from nlp.encoder import KIND, load_encoder, read_encoder_metadata
from tests.models.public import public_sets

FOLDER = registry.folder("outcry-en")
POINT = 0.01


@pytest.fixture(scope="module")
def metrics() -> dict[str, Any]:
    figures: dict[str, Any] = msgspec.json.decode((FOLDER / "metrics.json").read_bytes())
    return figures


def test_the_folder_is_small_enough_for_the_repository() -> None:
    assert megabytes(FOLDER) <= MOST_MEGABYTES[KIND]


def test_figures_and_card_belong_to_the_files(metrics: dict[str, Any]) -> None:
    assert metrics["files"] == read_encoder_metadata(FOLDER).files
    assert (FOLDER / "card.md").read_text("utf-8") == written_card(FOLDER, metrics)


def test_the_card_says_what_is_measured(metrics: dict[str, Any], labelled_data: Path) -> None:
    corpus = part(public_sets(labelled_data))
    reader = load_encoder(FOLDER)
    complaints = read(reader, corpus.complaints_test)
    found = complaint_figures(complaints, corpus.complaints_test_groups, reader.metadata.blend)
    for name in ("macro_f1", "precision", "recall", "calibration_error"):
        assert found[name] == pytest.approx(metrics["complaint"][name], abs=POINT)
    graded = complaints.at(
        [at for at, row in enumerate(complaints.rows) if row.sentiment is not None]
    )
    assert sentiment_recall(graded, reader.metadata.blend) == pytest.approx(
        metrics["sentiment"]["complaints_csv_held_out_macro_recall"], abs=POINT
    )


def test_the_blend_beats_the_linear_model_and_equals_the_encoder(metrics: dict[str, Any]) -> None:
    complaint = metrics["complaint"]
    assert complaint["macro_f1"] > complaint["macro_f1_linear_alone"] + POINT
    assert complaint["macro_f1"] >= complaint["macro_f1_encoder_alone"] - POINT


def test_the_figures_hold_the_floors(metrics: dict[str, Any]) -> None:
    assert metrics["complaint"]["macro_f1"] >= 0.85
    assert metrics["complaint"]["calibration_error_at_5_percent"] <= 0.02
    assert metrics["sentiment"]["airline_held_out_macro_recall"] >= 0.76
    assert metrics["severity"]["macro_f1"] >= 0.44
    assert metrics["evidence"]["token_f1"] > metrics["evidence"]["token_f1_random_words"]


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
    found = load_encoder(FOLDER, threads=1).read([text])[0]
    assert found.complaint is complaint
    assert found.sentiment == sentiment
    assert found.evidence
