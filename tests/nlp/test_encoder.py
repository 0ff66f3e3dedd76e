"""The reader over an encoder, on the model that is shipped."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import registry
from nlp import heads
from nlp.assess import Assessor
from nlp.assessment import Passage
from nlp.cues import load_cues
from nlp.encoder import BlendedEncoder, at_prevalence, complaint_chance, load_encoder, pulls
from nlp.errors import ModelCorrupt, ModelMissing
from nlp.loading import load, model_id

FOLDER = registry.folder("outcry-en")
TEXTS = [
    "@acme still no refund after three weeks, worst service ever",
    "thank you so much, your team made my day!",
    "",
    "😡😡😡",
    "https://example.org/a",
    "I am \ud83d broken \x00 but still here",
    "the parcel \u200bnever \u202ecame, مرحبا 你好 привет",
    "a" * 3_000,
]


@pytest.fixture(scope="module")
def reader() -> BlendedEncoder:
    return load_encoder(FOLDER, threads=2)


def test_a_reading_does_not_depend_on_its_neighbours(reader: BlendedEncoder) -> None:
    many = TEXTS * 20
    together = reader.read(many)
    alone = [reader.read([text])[0] for text in TEXTS]
    assert together == alone * 20
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda text: reader.read([text])[0], TEXTS)) == alone
    assert reader.read([]) == []


def test_one_thread_reads_as_two_do(reader: BlendedEncoder) -> None:
    assert load_encoder(FOLDER, threads=1).read(TEXTS * 10) == reader.read(TEXTS * 10)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=80))
def test_any_text_has_a_reading_with_evidence_from_it(reader: BlendedEncoder, text: str) -> None:
    reading = reader.read([text])[0]
    assert reading.complaint_probability is not None
    assert 0 <= reading.complaint_probability <= 1
    assert reading.sentiment_probabilities is not None
    assert sum(reading.sentiment_probabilities.values()) == pytest.approx(1)
    assert (reading.severity == 0) == (not reading.complaint)
    for item in reading.evidence:
        assert text[item.start : item.end] == item.text


def test_a_text_of_a_hundred_thousand_characters_is_read_by_its_beginning(
    reader: BlendedEncoder,
) -> None:
    start = "my order never arrived " * 900
    long, longer = reader.read([start + "x" * 80_000, start + "y" * 90_000])
    assert long.complaint
    assert long == longer


def test_the_encoders_pulls_add_up_to_its_score(reader: BlendedEncoder) -> None:
    raw = reader.raw([TEXTS[0]])[0]
    again = reader.raw(["worst service ever"])[0]
    bias = float(raw.encoder.scores[heads.COMPLAINT]) - float(raw.encoder.pulls.sum())
    other = float(again.encoder.scores[heads.COMPLAINT]) - float(again.encoder.pulls.sum())
    assert bias == pytest.approx(other, abs=1e-3)
    assert len(pulls(raw, reader.metadata.blend)) == len(raw.tokens)


def test_stars_move_a_complaint_and_nothing_else(reader: BlendedEncoder) -> None:
    text = "it is what it is"
    worst, plain, best = (reader.read([text], [own])[0] for own in (0.0, None, 1.0))
    chances = [one.complaint_probability or 0.0 for one in (worst, plain, best)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > chances[1] > chances[2]
    assert worst.sentiment == plain.sentiment == best.sentiment
    assert complaint_chance(reader.raw([text])[0], reader.metadata.blend) == chances[1]


def test_a_rating_reaches_the_reader_through_an_assessment(reader: BlendedEncoder) -> None:
    assessor = Assessor(reader, load_cues())
    text = "we stayed there for two nights in the summer"
    low, high = assessor.assess(
        [
            Passage(uid="1", text=text, lang="en", rating=1, rating_max=5),
            Passage(uid="2", text=text, lang="en", rating=5, rating_max=5),
        ]
    )
    assert low.complaint_probability is not None
    assert high.complaint_probability is not None
    assert low.complaint_probability > 3 * high.complaint_probability


def test_texts_about_the_same_have_near_vectors(reader: BlendedEncoder) -> None:
    parcel, package, singer = reader.vectors(
        ["my parcel is lost", "where is my missing package", "that singer was lovely last night"]
    )

    def likeness(one: list[float], other: list[float]) -> float:
        return sum(a * b for a, b in zip(one, other, strict=True))

    assert likeness(parcel, parcel) == pytest.approx(1)
    assert likeness(parcel, package) > likeness(parcel, singer)


def test_a_reason_is_named_for_an_airlines_passenger(reader: BlendedEncoder) -> None:
    delayed, lost = reader.reasons(
        ["my flight is delayed by five hours", "you lost my suitcase, where is my luggage"]
    )
    assert max(delayed, key=lambda name: delayed[name]) == "Late Flight"
    assert max(lost, key=lambda name: lost[name]) == "Lost Luggage"
    assert sum(lost.values()) == pytest.approx(1)


@pytest.mark.parametrize("chance", [0.01, 0.3, 0.5, 0.97])
def test_a_rarer_complaint_is_less_likely_and_the_same_share_changes_nothing(
    chance: float,
) -> None:
    assert at_prevalence(chance, 0.35, 0.35) == pytest.approx(chance)
    assert at_prevalence(chance, 0.35, 0.05) < chance


@pytest.mark.parametrize(
    "name", ["metadata.json", "encoder.onnx", "tokenizer.json", "linear/weights.npz"]
)
def test_a_missing_or_damaged_file_is_named_with_what_restores_it(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(FOLDER, folder)
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelCorrupt, match=Path(name).name) as damaged:
        load_encoder(folder)
    (folder / name).unlink()
    with pytest.raises(ModelMissing, match=Path(name).name) as missing:
        load_encoder(folder)
    for error in (damaged, missing):
        assert "\n" not in str(error.value)
        assert "git checkout -- models" in str(error.value)


def test_the_folder_says_what_it_holds() -> None:
    assert model_id(FOLDER).startswith("outcry-en/")
    assert isinstance(load(FOLDER), BlendedEncoder)
