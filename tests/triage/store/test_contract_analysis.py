"""What `triage.store.analysis.Analysis` promises: histories, books, and words looked for."""

from __future__ import annotations

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
