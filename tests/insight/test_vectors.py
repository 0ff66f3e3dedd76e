"""Vectors put like beside like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from insight.frames import Frames
from insight.vectors import LsaMeaning, lsa
from tests.triage.store.samples import mention, minutes
from triage.store import open_store
from triage.store.analysis import SearchFilter

TEXTS = ["the bill is wrong again", "wrong bill, twice", "the line is dead", "dead line since noon"]
ANY = SearchFilter()


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Frames]:
    store = open_store("sqlite", path=tmp_path / "outcry.db")
    store.setup()
    store.save_mentions(
        [mention(f"m{at}", text=text, created_at=minutes(at)) for at, text in enumerate(TEXTS)]
    )
    yield Frames(store)
    store.close()


def test_semantic_analysis_puts_like_beside_like(data: Frames) -> None:
    hits = LsaMeaning().nearest(data, "wrong bill", ANY, 10)
    assert {hit.uid for hit in hits[:2]} == {"m0", "m1"}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert (
        LsaMeaning().nearest(data, "wrong bill", SearchFilter(since=minutes(1)), 1)[0].uid == "m1"
    )
    assert LsaMeaning().nearest(data, "", ANY, 10) == []
    np.testing.assert_allclose(np.linalg.norm(lsa(TEXTS), axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("texts", [[], [""], ["the"], ["same"], ["one", "two"], ["a b", "a b"]])
def test_few_and_empty_texts_have_vectors_too(texts: list[str]) -> None:
    rows = lsa(texts)
    assert len(rows) == len(texts)
    assert np.isfinite(rows).all()


def test_the_same_texts_give_the_same_vectors() -> None:
    np.testing.assert_array_equal(lsa(TEXTS), lsa(TEXTS))
