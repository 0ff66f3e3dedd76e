"""A search finds what was said, however it was said, and hands it on safely."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insight.frames import Frames
from insight.search import COLUMNS, Way, export, fused, search
from insight.vectors import LsaMeaning
from outcry.demo import AS_OF, run_demo
from outcry.forgetting import forget
from outcry.settings import load_settings
from tests.outcry.shell import call, objects, only_line
from tests.triage.store.samples import mention, minutes
from triage.store import Store, open_store
from triage.store.analysis import SearchFilter

ANY = SearchFilter()
SAID = {
    "m1": "=1+1 They charged me twice for the router.",
    "m2": "The router is dead, the line is dead.",
    "m3": "Charged again, and again, for nothing; the charge is wrong.",
    "m4": "Thank you, all works.",
    "m5": "My line is dead since noon.",
}


@pytest.fixture
def few(tmp_path: Path) -> Iterator[Frames]:
    store = open_store("sqlite", path=tmp_path / "outcry.db")
    store.setup()
    store.save_mentions(
        [
            mention(uid, text=text, created_at=minutes(at), source=("rss", "forum")[at % 2])
            for at, (uid, text) in enumerate(SAID.items())
        ]
    )
    yield Frames(store)
    store.close()


def uids(data: Frames, words: str, *ways: Way, wanted: SearchFilter = ANY) -> list[str]:
    found = search(data, words, wanted, LsaMeaning(), ways, 10)
    return found.rows["uid"].tolist()


def test_each_way_finds_what_it_promises(few: Frames) -> None:
    assert uids(few, "charged twice", "exact") == ["m1"]
    assert uids(few, "chraged", "exact") == []
    assert set(uids(few, "chraged", "fuzzy")) >= {"m1", "m3"}
    assert set(uids(few, "dead line", "meaning")[:2]) == {"m2", "m5"}


def test_together_they_put_first_what_all_of_them_found(few: Frames) -> None:
    found = search(few, "line dead", ANY, LsaMeaning(), limit=3)
    assert set(found.rows["uid"][:2]) == {"m2", "m5"}
    assert found.rows["ways"][0].count(",") == 2
    assert found.ways == ("exact", "fuzzy", "meaning (lsa)")
    assert found.rows["score"].is_monotonic_decreasing


def test_the_filter_holds_for_every_way(few: Frames) -> None:
    only = SearchFilter(sources=("forum",), since=minutes(2))
    for ways in (("exact",), ("fuzzy",), ("meaning",), ("exact", "fuzzy", "meaning")):
        assert set(uids(few, "works", *ways, wanted=only)) <= {"m4"}  # type: ignore[arg-type]


def test_facets_count_what_was_found(few: Frames) -> None:
    found = search(few, "dead", ANY, None, ["exact"], 1)
    assert (len(found.rows), found.total) == (1, 2)
    assert found.facets["source"] == {"rss": 1, "forum": 1}


def test_nothing_found_is_an_empty_list_with_its_columns(few: Frames) -> None:
    found = search(few, "zebra", ANY, LsaMeaning(), ["exact", "fuzzy"])
    assert found.total == 0
    assert [*found.rows.columns] == [*COLUMNS, "score", "ways"]


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True), max_size=4))
def test_fusion_never_ranks_what_is_better_in_every_list_lower(lists: list[list[str]]) -> None:
    scores = fused(lists)
    assert scores.keys() == {item for one in lists for item in one}
    for above in scores:
        for below in scores:
            if all(
                above in one and (below not in one or one.index(above) < one.index(below))
                for one in lists
            ):
                assert scores[above] > scores[below] or above == below


def test_an_export_as_csv_holds_no_formula(few: Frames, tmp_path: Path) -> None:
    file = tmp_path / "found.csv"
    export(search(few, "charged", ANY, None, ["exact"]).rows, file)
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["uid"] for row in rows} == {"m1", "m3"}
    assert {row["text"][0] for row in rows} == {"'", "C"}
    assert rows[0]["title"] == ""


def test_an_export_as_parquet_keeps_the_types(few: Frames, tmp_path: Path) -> None:
    file = tmp_path / "found.parquet"
    rows = search(few, "charged", ANY, None, ["exact"]).rows
    export(rows, file)
    pd.testing.assert_frame_equal(pd.read_parquet(file), rows.drop(columns="ways"))


def test_the_command_finds_and_counts_and_exports(worked: Path, tmp_path: Path) -> None:
    file = tmp_path / "found.csv"
    found = objects(call(worked, "search", "internet", "--exact", "--json", "--export", str(file)))
    assert found[0]["total"] == len(found) - 1 == file.read_text().count("internet") > 0
    shown = call(worked, "search", '"no internet"', "--fuzzy", "--limit", "1")
    assert "1 posts" in shown.stdout or "posts by fuzzy" in shown.stdout


def vectors_in(store: Store) -> set[str]:
    return {key for place, key, _ in store.every_document() if place == "vectors"}


def test_the_command_by_meaning_keeps_vectors_until_somebody_is_forgotten(tmp_path: Path) -> None:
    home = run_demo(tmp_path / "home").home
    found = objects(call(home, "search", "fibre is down", "--json"))
    assert any(way.startswith("meaning (outcry-en/") for way in found[0]["ways"])
    assert "Doornvlei" in found[1]["text"] + found[2]["text"]
    settings = load_settings(home)
    store = settings.open_store()
    before = vectors_in(store)
    assert len(before) > 30
    forgotten = forget(settings, store, "mastodon:thandeka_m", by="test", reason="asked", now=AS_OF)
    gone = before - vectors_in(store)
    store.close()
    assert len(gone) == forgotten.mentions > 0
    searched = {one.place: one.found for one in forgotten.places if one.place != "landing zone"}
    assert searched["store: vectors"] == searched["file outcry.db"] == 0
    assert "thandeka" not in json.dumps(objects(call(home, "search", "fibre is down", "--json")))


def test_nothing_found_is_said(worked: Path) -> None:
    assert "nothing was found" in only_line(call(worked, "search", "zebraquux", "--exact"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x", "--export", "found.xlsx"), "neither .csv nor .parquet; name it so"),
        (("!!!",), "there is no word to look for"),
        (("x", "--department", "gardening"), "no department 'gardening'; there are billing"),
        (("x", "--since", "2026-11-20"), "--since '2026-11-20' has no time zone"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    words: tuple[str, ...], said: str, worked: Path
) -> None:
    done = call(worked, "search", *words)
    assert done.exit_code == 2
    assert said in only_line(done)
