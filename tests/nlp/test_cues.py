from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.cues import CueFinder, load_cues
from nlp.errors import CuesInvalid
from tests.nlp.cue_sentences import SENTENCES


@pytest.fixture(scope="module")
def finder() -> CueFinder:
    return load_cues()


def kinds(finder: CueFinder, text: str) -> set[str]:
    return {cue.kind for cue in finder.find([text])[0]}


def test_labelled_sentences_are_read_with_high_precision_and_recall(finder: CueFinder) -> None:
    assert len(SENTENCES) >= 120
    right = said = true = 0
    for (_, wanted), cues in zip(SENTENCES, finder.find([s for s, _ in SENTENCES]), strict=True):
        found, labels = {cue.kind for cue in cues}, set(wanted.split())
        right += len(found & labels)
        said += len(found)
        true += len(labels)
    assert right / said >= 0.95
    assert right / true >= 0.95


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
