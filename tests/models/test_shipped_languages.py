"""The reader of several languages that is shipped: its folders, its card, and what it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from models import registry
from models.evaluate import megabytes, written_card
from models.languages import read_tongues, sentiment_figures
from models.promote import MOST_MEGABYTES
from nlp.assess import Assessor, load_assessor
from nlp.assessment import Passage
from nlp.plain import KIND, load_plain
from nlp.session import Encoder

FOLDER = registry.folder("outcry-many")
POINT = 0.01


@pytest.fixture(scope="module")
def metrics() -> dict[str, Any]:
    figures: dict[str, Any] = msgspec.json.decode((FOLDER / "metrics.json").read_bytes())
    return figures


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return load_assessor(registry.folder("outcry"), threads=1)


def test_figures_and_card_belong_to_the_files(metrics: dict[str, Any]) -> None:
    assert metrics["files"] == load_plain(FOLDER).metadata.files
    assert (FOLDER / "card.md").read_text("utf-8") == written_card(FOLDER, metrics)
    assert megabytes(FOLDER) <= MOST_MEGABYTES[KIND]


def test_the_card_says_what_is_measured(metrics: dict[str, Any], labelled_data: Path) -> None:
    own = load_plain(FOLDER).metadata
    encoder = Encoder(FOLDER, longest=own.longest, batch=own.batch)
    found = sentiment_figures(encoder, read_tongues(labelled_data).test)
    assert found["rows"] == metrics["sentiment"]["rows"]
    for language in (*own.languages, "mean"):
        assert found[language] == pytest.approx(metrics["sentiment"][language], abs=POINT)


@pytest.mark.parametrize(
    ("text", "language", "sentiment"),
    [
        ("@acme still no refund after three weeks, worst service ever", "en", "negative"),
        ("Seit drei Wochen kein Paket und niemand antwortet, das ist furchtbar", "de", "negative"),
        ("¡Muchas gracias por la ayuda, un servicio excelente!", "es", "positive"),
        ("Le pire service client que je connaisse, je suis très en colère", "fr", "negative"),
        ("Servizio fantastico, grazie mille a tutti, sono felicissima", "it", "positive"),
        ("Que serviço horrível, nunca mais compro nada nesta loja", "pt", "negative"),
        ("خدمة رائعة جدا شكرا لكم من القلب", "ar", "positive"),
        ("Bahut ghatiya service hai, main bahut gussa hoon aur koi sunta nahi", "hi", "negative"),
    ],
)
def test_each_language_is_read(
    assessor: Assessor, text: str, language: str, sentiment: str
) -> None:
    (found,) = assessor.assess([Passage(uid="1", text=text)])
    assert (found.language, found.sentiment) == (language, sentiment)
    assert found.complaint_probability is not None
    assert found.model.startswith("outcry/")


def test_a_language_that_no_model_reads_is_named_and_not_scored(assessor: Assessor) -> None:
    text = "Mijn pakket is na drie weken nog steeds niet aangekomen en niemand antwoordt"
    (found,) = assessor.assess([Passage(uid="1", text=text)])
    assert found.language == "nl"
    assert (found.sentiment, found.complaint_probability, found.severity) == (None, None, None)
