from __future__ import annotations

from pathlib import Path

import pytest

from models.corpus import read_corpus
from models.languages import part, read_tongues
from tests.models import tiny_sets


def test_no_held_out_row_nor_its_near_copy_is_learnt_from(tmp_path: Path) -> None:
    folder = tiny_sets.write(tmp_path, rows=150)
    rows = tiny_sets.write_tongues(folder, copied=read_corpus(folder).complaints_test[0].text)
    tongues = read_tongues(folder)
    learnt = {row.text for row in (*tongues.train, *tongues.english)}
    held = {row.text for row in tongues.test}
    assert len(tongues.test) == pytest.approx(rows / 5, abs=2)
    assert learnt.isdisjoint(held)
    corpus = read_corpus(folder)
    kept_back = (*corpus.complaints_test, *corpus.airline_test, *corpus.semeval_test)
    assert learnt.isdisjoint(row.text for row in kept_back)
    assert {row.language for row in tongues.test} == {"en", "es", "de"}


def test_the_same_rows_are_held_out_every_time(tmp_path: Path) -> None:
    folder = tiny_sets.write(tmp_path, rows=150)
    tiny_sets.write_tongues(folder)
    assert read_tongues(folder) == read_tongues(folder)


def test_of_the_public_set_nothing_held_out_is_learnt(labelled_data: Path) -> None:
    corpus = read_corpus(labelled_data)
    from models import data

    rows = data.multilingual(labelled_data)[::6]
    tongues = part(rows, corpus)
    learnt = {row.text for row in (*tongues.train, *tongues.english)}
    assert learnt.isdisjoint(row.text for row in tongues.test)
    assert len(tongues.test) > 400
