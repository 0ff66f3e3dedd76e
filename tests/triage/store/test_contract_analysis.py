"""What `triage.store.analysis.Analysis` promises: histories, books, and words looked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.triage.store.samples import event, mention, minutes, new
from triage.store import Store
from triage.store.analysis import SearchFilter
from triage.store.base import StoredMention
from triage.store.sqlite_analysis import distance

ANY = SearchFilter()


def found(store: Store, words: str, how: str = "exact", wanted: SearchFilter = ANY) -> set[str]:
    hits = store.search(words, how, wanted, 100)  # type: ignore[arg-type]
    assert hits.total == len(hits.best)
    return {hit.uid for hit in hits.best}


def posts() -> list[StoredMention]:
    return [
        mention("m1", text="They charged me twice for the router.", department="billing"),
        mention("m2", text="The router is broken, twice now!", severity=3, source="forum"),
        mention("m3", title="Billing", text="Nobody's charging fairly.", language="en"),
        mention("m4", text="Twice charged is too much.", created_at=minutes(60), language="en"),
    ]


def test_the_history_of_all_tickets_comes_by_time(store: Store) -> None:
    first, second = event("T-1", at=5), event("T-2", at=1)
    third = event("T-2", "noted", "again", at=9)
    store.write_tickets([new("T-1", first), new("T-2", second, third)])
    assert list(store.all_events()) == [second, first, third]


def test_the_ledger_comes_back_by_source_target_and_window(store: Store) -> None:
    late = {"source": "rss", "target": "a", "window": "w2", "got": 4, "gaps": []}
    early = {"source": "rss", "target": "a", "window": "w1", "got": 3, "gaps": ["a hole"]}
    other = {"source": "forum", "target": "z", "window": "w9", "got": 0, "unheard": {"of": 1}}
    store.save_ledger([late, early, other])
    assert list(store.ledger_rows()) == [other, early, late]


def test_the_rejects_come_back_by_id(store: Store) -> None:
    store.save_rejects([{"id": "r2", "source": "rss"}, {"id": "r1", "error": "no time"}])
    assert [row["id"] for row in store.reject_rows()] == ["r1", "r2"]


def test_an_empty_store_has_no_history_and_no_books(store: Store) -> None:
    assert list(store.all_events()) == []
    assert list(store.ledger_rows()) == list(store.reject_rows()) == []
    assert store.search("anything", "exact", ANY, 5).total == 0


def test_all_words_must_be_there_in_title_or_text_in_any_case(store: Store) -> None:
    store.save_mentions(posts())
    assert found(store, "TWICE charged") == {"m1", "m4"}
    assert found(store, "billing") == {"m3"}
    assert found(store, "router nowhere") == set()


def test_words_in_quotes_stand_together(store: Store) -> None:
    store.save_mentions(posts())
    assert found(store, '"twice charged"') == {"m4"}
    assert found(store, '"charged me" router') == {"m1"}


@pytest.mark.parametrize("words", ["", "   ", "!!!", '""', "' - '"])
def test_without_a_word_nothing_is_found(words: str, store: Store) -> None:
    store.save_mentions(posts())
    assert found(store, words) == found(store, words, "fuzzy") == set()


@pytest.mark.parametrize("words", ["NEAR(", 'a"b', "text:router", "router OR twice", "rout*", "{}"])
def test_what_looks_like_a_query_language_is_taken_as_words(words: str, store: Store) -> None:
    store.save_mentions(posts())
    assert found(store, words) == set()


def test_fuzzy_forgives_letters_by_the_length_of_the_word(store: Store) -> None:
    store.save_mentions(posts())
    assert found(store, "ruoter", "fuzzy") == {"m1", "m2"}
    assert found(store, "brokken rooter", "fuzzy") == {"m2"}
    assert found(store, "xouter", "fuzzy") == set()  # the first letter must be right
    assert found(store, "chargde", "fuzzy") == {"m1", "m4"}


def test_a_search_can_be_narrowed(store: Store) -> None:
    store.save_mentions(posts())
    assert found(store, "twice", wanted=SearchFilter(sources=("forum",))) == {"m2"}
    assert found(store, "charged", wanted=SearchFilter(departments=("billing",))) == {"m1"}
    assert found(store, "charged", wanted=SearchFilter(languages=("en",))) == {"m4"}
    assert found(store, "twice", wanted=SearchFilter(since=minutes(60))) == {"m4"}


def test_facets_count_all_hits_and_the_best_come_first(store: Store) -> None:
    store.save_mentions([*posts(), mention("m5", text="twice twice twice")])
    hits = store.search("twice", "exact", ANY, 1)
    assert [hit.uid for hit in hits.best] == ["m5"]
    assert hits.total == 4
    assert hits.facets["source"] == {"rss": 3, "forum": 1}
    assert hits.facets["department"] == {"billing": 1, "": 3}
    assert hits.facets["severity"] == {"3": 1, "": 3}


class Letters:
    """Counts of letters: what an encoder gives, without a model; keeps what it was asked."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.read += texts
        return [[float(text.count(letter)) for letter in "abcdefghij"] for text in texts]


def quiet(done: int, total: int) -> None:
    assert done <= total


def near(
    store: Store, words: str, wanted: SearchFilter = ANY, model: str = "letters/1"
) -> list[str]:
    """What is near, beyond what rounding makes of nothing."""
    (vector,) = Letters()([words])
    return [hit.uid for hit in store.nearest(model, vector, wanted, 10) if hit.score > 0.05]


def test_the_nearest_come_first_with_their_cosine(store: Store) -> None:
    store.save_mentions([mention("m1", text="aab"), mention("m2", title="bb", text="a")])
    assert store.nearest("letters/1", [1.0] * 10, ANY, 5) == ()
    assert store.make_vectors("letters/1", Letters(), quiet) == 2
    best = store.nearest("letters/1", [1.0] + [0.0] * 9, ANY, 5)
    assert [hit.uid for hit in best] == ["m1", "m2"]
    assert [hit.score for hit in best] == pytest.approx([2 / 5**0.5, 1 / 5**0.5], abs=0.01)
    assert [hit.uid for hit in store.nearest("letters/1", [0.0, 1.0] + [0.0] * 8, ANY, 1)] == ["m2"]
    assert near(store, "c") == near(store, "") == []


def test_a_text_is_read_once_and_again_when_its_words_change(store: Store) -> None:
    letters = Letters()
    store.save_mentions([mention("m1", text="aa"), mention("m2", text="bb")])
    store.make_vectors("letters/1", letters, quiet)
    later = {"collected_at": minutes(90)}
    store.save_mentions([mention("m1", text="aa", likes=7, **later)])
    store.save_mentions([mention("m2", text="dd", content_hash="changed", **later)])
    store.make_vectors("letters/1", letters, quiet)
    assert sorted(letters.read) == ["aa", "bb", "dd"]
    assert near(store, "d") == ["m2"]
    assert near(store, "b") == []


def test_what_is_deleted_or_erased_takes_its_vector_with_it(store: Store) -> None:
    store.save_mentions([mention(uid, text="aa") for uid in ("m1", "m2", "m3")])
    store.make_vectors("letters/1", Letters(), quiet)
    store.delete_mentions(["m1"])
    store.erase(["m2"], [], [])
    assert near(store, "a") == ["m3"]
    kept = [place for place, _, _ in store.every_document() if place.endswith("vectors")]
    assert len(kept) == 1


def test_who_is_erased_while_the_text_is_read_leaves_no_vector(store: Store) -> None:
    store.save_mentions([mention("m1", text="aa"), mention("m2", text="ab")])

    def read(texts: Sequence[str]) -> list[list[float]]:
        store.erase(["m1"], [], [])
        return Letters()(texts)

    store.make_vectors("letters/1", read, quiet)
    assert near(store, "a") == ["m2"]
    assert not [
        key for place, key, _ in store.every_document() if "vectors" in place and key == "m1"
    ]


def test_another_model_s_vectors_are_dropped_whatever_their_length(store: Store) -> None:
    store.save_mentions([mention("m1", text="aa")])
    store.make_vectors("letters/1", Letters(), quiet)
    store.make_vectors("short/1", lambda texts: [[1.0, 0.0] for _ in texts], quiet)
    assert near(store, "a") == []
    assert [hit.uid for hit in store.nearest("short/1", [1.0, 0.0], ANY, 5)] == ["m1"]


def test_the_nearest_can_be_narrowed(store: Store) -> None:
    store.save_mentions(posts())
    store.make_vectors("letters/1", Letters(), quiet)
    assert near(store, "abcdefghij", SearchFilter(sources=("forum",))) == ["m2"]
    assert near(store, "abcdefghij", SearchFilter(departments=("billing",))) == ["m1"]
    assert set(near(store, "abcdefghij", SearchFilter(languages=("en",)))) == {"m3", "m4"}
    assert near(store, "abcdefghij", SearchFilter(since=minutes(60))) == ["m4"]


def test_what_was_deleted_is_not_found(store: Store) -> None:
    store.save_mentions(posts())
    store.delete_mentions(["m1"])
    assert found(store, "charged") == {"m4"}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("router", "ruoter", 1), ("router", "rooter", 1), ("ab", "", 2), ("a cat", "an act", 2)],
)
def test_a_swap_of_neighbours_is_one_mistake(one: str, other: str, expected: int) -> None:
    assert distance(one, other) == distance(other, one) == expected
