"""Vectors put like beside like, and are computed once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from insight.vectors import EncoderMeaning, LsaMeaning, Posts, lsa

TEXTS = ["the bill is wrong again", "wrong bill, twice", "the line is dead", "dead line since noon"]


class Letters:
    """Counts of letters: what an encoder gives, without a model; counts its calls."""

    model = "letters/1"

    def __init__(self) -> None:
        self.read: list[str] = []

    def vectors(self, texts: Sequence[str]) -> list[list[float]]:
        self.read += texts
        counts = np.array(
            [[text.count(letter) for letter in "abcdefghil"] for text in texts], float
        )
        return (counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1)).tolist()


def posts(*texts: str, whole: bool = True) -> Posts:
    return Posts([f"uid {text}" for text in texts], texts, whole)


def test_a_text_is_read_once_and_again_when_it_changes(tmp_path: Path) -> None:
    encoder, file = Letters(), tmp_path / "cache" / "vectors.npz"
    first, _ = EncoderMeaning(encoder, file).vectors(posts("a bad day", "cold"), "q")
    again, _ = EncoderMeaning(encoder, file).vectors(posts("cold", "a bad day"), "q")
    assert encoder.read == ["a bad day", "cold", "q", "q"]
    np.testing.assert_array_equal(first, again[::-1])
    EncoderMeaning(encoder, file).vectors(posts("colder"), "q")
    assert encoder.read[-2:] == ["colder", "q"]


def test_a_post_that_is_gone_leaves_the_file_and_one_that_was_not_asked_for_stays(
    tmp_path: Path,
) -> None:
    encoder, file = Letters(), tmp_path / "vectors.npz"
    meaning = EncoderMeaning(encoder, file)
    meaning.vectors(posts("a bad day", "cold"), "q")
    meaning.vectors(posts("cold", whole=False), "q")
    with np.load(file) as kept:
        assert len(kept["keys"]) == 2
        assert b"cold" not in file.read_bytes()
    meaning.vectors(posts("cold"), "q")
    with np.load(file) as kept:
        assert len(kept["keys"]) == 1
    meaning.vectors(posts(), "q")
    with np.load(file) as kept:
        assert len(kept["keys"]) == 0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"text"])
def test_a_damaged_file_is_made_again(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "vectors.npz"
    file.write_bytes(content)
    rows, _ = EncoderMeaning(Letters(), file).vectors(posts("cold"), "q")
    assert rows.shape == (1, 10)
    with np.load(file) as kept:
        assert len(kept["keys"]) == 1


def test_the_vectors_of_another_model_are_not_used(tmp_path: Path) -> None:
    one, other = Letters(), Letters()
    other.model = "letters/2"
    EncoderMeaning(one, tmp_path / "v.npz").vectors(posts("cold"), "q")
    EncoderMeaning(other, tmp_path / "v.npz").vectors(posts("cold"), "q")
    assert other.read == ["cold", "q"]


def test_semantic_analysis_puts_like_beside_like() -> None:
    rows, query = LsaMeaning().vectors(posts(*TEXTS), "wrong bill")
    near = rows @ query
    assert min(near[:2]) > max(near[2:])
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("texts", [[], [""], ["the"], ["same"], ["one", "two"], ["a b", "a b"]])
def test_few_and_empty_texts_have_vectors_too(texts: list[str]) -> None:
    rows = lsa(texts)
    assert len(rows) == len(texts)
    assert np.isfinite(rows).all()


def test_the_same_texts_give_the_same_vectors() -> None:
    np.testing.assert_array_equal(lsa(TEXTS), lsa(TEXTS))
