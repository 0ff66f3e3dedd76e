from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from listeners.mention import make_uid
from tests.triage.build import brand, heard
from tests.triage.dict_store import DictStore
from triage.intake import store_records
from triage.rules import Rules
from triage.threads import thread_of


def uid(native_id: str | int) -> str:
    return make_uid("mastodon", "", str(native_id))


def test_a_beginning_that_comes_late_moves_more_than_one_page_of_answers() -> None:
    store = DictStore()
    answers = [heard(f"a{n}", by=f"c{n}", hours=n, parent_id="1") for n in range(1100)]
    store_records(store, answers, Rules())
    assert {row.thread for row in store.rows.values()} == {uid(1)}
    store_records(store, [heard("1", parent_id="0")], Rules())
    assert {row.thread for row in store.rows.values()} == {uid(0)}


def test_an_answer_of_the_brand_to_something_unknown_starts_no_thread() -> None:
    store = DictStore()
    store_records(store, [brand("2", parent_id="1"), heard("3", parent_id="2")], Rules())
    assert {row.thread for row in store.rows.values()} == {uid(1)}


def test_the_brand_answering_itself_binds_nobody() -> None:
    store = DictStore()
    pairs = [brand("1"), brand("2", parent_id="1"), heard("3", parent_id="2")]
    store_records(store, [*pairs, heard("4", parent_id="3")], Rules())
    threads = {row.native_id: row.thread for row in store.rows.values()}
    assert threads == {"1": uid(1), "2": uid(1), "3": uid(3), "4": uid(3)}


@given(data=st.data())
def test_threads_do_not_depend_on_the_order(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8))
    parents = st.none() | st.integers(0, count).map(str)
    pairs = [
        (brand if data.draw(st.booleans()) else heard)(str(n), parent_id=data.draw(parents))
        for n in range(count)
    ]
    store = DictStore()
    for pair in data.draw(st.permutations(pairs)):
        store_records(store, [pair], Rules())
    found = {key: row.thread for key, row in store.rows.items()}
    assert found == {key: thread_of(key, store.rows) for key in store.rows}
