from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cue_figures import Labelled, cue_figures, labelled_rows
from nlp.cues import CueFinder, load_cues
from nlp.errors import CuesInvalid
from tests.nlp import cue_sentences_blind as blind
from tests.nlp.cue_sentences import SENTENCES

ROWS = Path(__file__).with_name("cue_rows.csv")


def labelled(sentences: tuple[tuple[str, str], ...]) -> list[Labelled]:
    return [(text, frozenset(kinds.split())) for text, kinds in sentences]


@pytest.fixture(scope="module")
def finder() -> CueFinder:
    return load_cues()


def kinds(finder: CueFinder, text: str) -> set[str]:
    return {cue.kind for cue in finder.find([text])[0]}


def test_labelled_sentences_are_read_with_high_precision_and_recall(finder: CueFinder) -> None:
    assert len(SENTENCES) >= 120
    figures = cue_figures(labelled(SENTENCES), finder)
    assert figures["precision"] >= 0.97
    assert figures["recall"] >= 0.97


def test_a_second_set_is_read_better_than_on_its_first_run() -> None:
    assert len(blind.SENTENCES) >= 150
    own = load_cues(products=blind.PRODUCTS, places=blind.PLACES)
    figures = cue_figures(labelled(blind.SENTENCES), own)
    assert figures["precision"] >= 0.95 > blind.FIRST_RUN["precision"]
    assert figures["recall"] >= 0.95 > blind.FIRST_RUN["recall"]


def test_real_rows_that_no_rule_was_mended_by_are_read_as_stated(
    labelled_data: Path, finder: CueFinder
) -> None:
    figures = cue_figures(labelled_rows(labelled_data, ROWS)["second"], finder)
    assert figures["texts"] == 120
    assert figures["precision"] >= 0.89
    assert figures["recall"] >= 0.70


def test_the_operators_products_and_places_are_found_as_people_write_them() -> None:
    own = load_cues(products={"Aqua Jet 2": ("the jet",)}, places={"High Street": ("high st",)})
    texts = ["my AQUAJET2 leaks", "aqua-jet 2 lid", "The Jet, at high st.", "jets on the highway"]
    found = [[(cue.kind, cue.name) for cue in cues] for cues in own.find(texts)]
    assert found == [
        [("product", "Aqua Jet 2")],
        [("product", "Aqua Jet 2")],
        [("product", "Aqua Jet 2"), ("place", "High Street")],
        [],
    ]


@pytest.mark.parametrize("written", ["$25.99", "R4 500", "£1,299.00", "40 dollars", "EUR 12,50"])
def test_amounts_are_found_whole(finder: CueFinder, written: str) -> None:
    assert [cue.text for cue in finder.find([f"took {written} from me"])[0]] == [written]


@pytest.mark.parametrize(
    "written",
    ["2026-02-14", "21/02/2026", "3 March", "March 3rd, 2026", "yesterday", "two weeks ago"],
)
def test_dates_are_found_whole(finder: CueFinder, written: str) -> None:
    assert [cue.text for cue in finder.find([f"it came {written} in a box"])[0]] == [written]


def test_a_file_may_add_to_the_rules_that_come_with_outcry(tmp_path: Path) -> None:
    path = tmp_path / "more.toml"
    path.write_text('extends = true\n[refund]\nwords = ["store credit"]\n', "utf-8")
    own = load_cues(path)
    assert kinds(own, "store credit, please, or my money back") == {"refund"}
    assert kinds(own, "it caught fire") == {"safety"}


def test_a_stream_of_new_words_leaves_the_memory_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlp.cues._MOST_WORDS", 500)
    own = load_cues(products={"x": ("y",)})
    least = len(own._pipeline.vocab)
    for start in range(0, 1600, 400):
        own.find([f"w{number}q" for number in range(start, start + 400)])
        assert len(own._pipeline.vocab) <= least + 1000
    assert kinds(own, "it caught fire") == {"safety"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The lamp is dangerous", {"safety"}),
        ("The lamp is not dangerous", set()),
        ("It's not only slow, it's not just dangerous", {"safety"}),
        ("Not happy. The lamp is dangerous", {"safety"}),
        ("If you don't fix it I will leave", {"churn"}),
        ("I don't think we will leave you", set()),
        ("I won’t be back", {"churn"}),
        ("THIS IS A SCAM", {"fraud"}),
        ("Unless it is a scam", set()),
    ],
)
def test_negation_and_condition_end_where_their_clause_does(
    finder: CueFinder, text: str, expected: set[str]
) -> None:
    assert kinds(finder, text) == expected


def test_offsets_are_those_of_the_original_text(finder: CueFinder) -> None:
    text = "\U0001f621 I can’t log in,\nand the charger CAUGHT   FIRE! caught fire"
    cues = finder.find([text])[0]
    assert {cue.kind for cue in cues} >= {"outage", "safety"}
    for cue in cues:
        assert text[cue.start : cue.end].replace("’", "'") == cue.text


def test_overlapping_cues_of_one_kind_become_the_longest(finder: CueFinder) -> None:
    cues = finder.find(["still no refund"])[0]
    assert [(cue.kind, cue.text) for cue in cues] == [
        ("repeat_contact", "still no refund"),
        ("refund", "refund"),
    ]


@given(st.lists(st.text(), max_size=4))
def test_any_text_is_searched_and_offsets_lie_inside(texts: list[str]) -> None:
    for text, cues in zip(texts, load_cues().find(texts), strict=True):
        assert all(0 <= cue.start < cue.end <= len(text) for cue in cues)


def test_lone_surrogates_and_nulls_are_no_obstacle(finder: CueFinder) -> None:
    assert kinds(finder, "\ud800 it caught fire \x00") == {"safety"}


def test_an_operator_brings_their_own_cues(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('[refund]\nwords = ["store|shop credit", "want ~ voucher"]\n', "utf-8")
    own = load_cues(path)
    assert kinds(own, "we want that old voucher, or shop credit") == {"refund"}
    assert kinds(own, "it caught fire") == set()
    assert kinds(own, "we want. A voucher") == set()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[refund\n", "not a file of cues"),
        ('[refund]\nwords = "voucher"\n', "not a file of cues"),
        ('[refund]\nwords = ["~ voucher"]\n', "must begin and end with a word"),
        ('[refund]\nwords = ["a||b"]\n', "empty choice"),
        ('[joy]\nwords = ["yay"]\n', "unknown here, 'joy'"),
        ("[refund]\nnegatable = true\n", "words"),
        ('[refund]\npatterns = ["("]\n', "not a file of cues"),
        ("extends = 1\n", "extends must be true or false"),
    ],
)
def test_a_broken_file_of_cues_is_refused_in_one_line(
    tmp_path: Path, content: str, reason: str
) -> None:
    path = tmp_path / "broken.toml"
    path.write_text(content, "utf-8")
    with pytest.raises(CuesInvalid) as caught:
        load_cues(path)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_of_cues_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CuesInvalid, match="cannot read"):
        load_cues(tmp_path / "none.toml")


@pytest.mark.parametrize("repeated", ["@acme, , ", "hi so. ", "so and but ", ".@a ,,!! "])
def test_time_grows_with_the_text_and_no_faster(finder: CueFinder, repeated: str) -> None:
    begin = time.process_time()
    finder.find([repeated * 2_000])
    assert time.process_time() - begin < 3
