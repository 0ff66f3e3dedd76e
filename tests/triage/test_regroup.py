from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest

from tests.triage.build import NOW, RULES, START, heard, triage
from tests.triage.dict_store import CrashError, DictStore
from tests.triage.test_casework import uid
from triage import folds, regroup
from triage.casebook import is_merged
from triage.errors import IllegalMove
from triage.ticket import Ticket

WORDS = "the kettle I bought leaks all over the kitchen floor"
PAIRS = [
    heard("1", WORDS, "ann"),
    heard("2", f"{WORDS} every single day", "ben", 1),
    heard("3", "my invoice is wrong by ninety rand", "cid", 2, parent_id="1"),
    heard("4", "where is my parcel", "ann", 3),
]


@pytest.fixture
def store() -> DictStore:
    store = DictStore()
    triage(store, PAIRS)
    return store


def live(store: DictStore) -> dict[str, Ticket]:
    """Live tickets by their opening mention."""
    found = (ticket for ticket in store.all_tickets() if ticket.status != "dismissed")
    return {folds.opening_of(ticket) or "": ticket for ticket in found}


def test_near_copies_by_others_are_voices_and_say_so(store: DictStore) -> None:
    ticket = live(store)[uid("1")]
    reasons = {fold.uid: fold.reason for fold in ticket.mentions}
    assert reasons[uid("2")] == folds.NEAR
    assert reasons[uid("3")] == folds.AGAIN
    assert ticket.voices == 3


@pytest.mark.parametrize("off", ["2", "3", "4"], ids=["a copy", "a reply", "another post"])
def test_what_is_split_off_is_a_case_that_every_replay_respects(store: DictStore, off: str) -> None:
    first = live(store)[uid("1")]
    if uid(off) not in {fold.uid for fold in first.mentions}:
        regroup.merge(store, live(store)[uid(off)].ticket, first.ticket, "eve", NOW, RULES)
    regroup.split(store, first.ticket, [uid(off)], "eve", NOW, RULES, "another matter")
    tickets = live(store)
    assert [fold.uid for fold in tickets[uid(off)].mentions] == [uid(off)]
    assert uid(off) not in {fold.uid for fold in tickets[uid("1")].mentions}
    kinds = {event.kind for event in store.events(first.ticket)}
    assert "split" in kinds
    before = dict(store.kept)
    triage(store, PAIRS)
    assert store.kept == before


def test_a_merge_takes_everything_and_undoing_it_gives_it_back(store: DictStore) -> None:
    triage(store, [heard("9", "the shop in town was rude to me", "dee", 5)])
    first, other = live(store)[uid("1")], live(store)[uid("9")]
    merged = regroup.merge(store, other.ticket, first.ticket, "eve", NOW, RULES)
    assert {fold.uid: fold.reason for fold in merged.mentions}[uid("9")] == folds.JOINED
    replayed = [*PAIRS, heard("9", "the shop in town was rude to me", "dee", 5)]
    before = dict(store.kept)
    triage(store, replayed)
    assert store.kept == before
    back = regroup.unmerge(store, other.ticket, "eve", NOW + timedelta(hours=1), RULES)
    assert back.status == "reopened"
    assert [fold.uid for fold in back.mentions] == [uid("9")]
    assert uid("9") not in {fold.uid for fold in live(store)[uid("1")].mentions}
    before = dict(store.kept)
    triage(store, replayed, now=NOW)
    assert store.kept == before


def test_a_merge_can_be_undone_after_its_taker_was_merged_in_its_turn(store: DictStore) -> None:
    others = [
        heard(n, f"the shop in {n} was rude", who, 5) for n, who in [("8", "dee"), ("9", "eli")]
    ]
    triage(store, others)
    tickets = {key: ticket.ticket for key, ticket in live(store).items()}
    regroup.merge(store, tickets[uid("9")], tickets[uid("8")], "eve", NOW, RULES)
    regroup.merge(store, tickets[uid("8")], tickets[uid("1")], "eve", NOW, RULES)
    regroup.unmerge(store, tickets[uid("9")], "eve", NOW, RULES)
    regroup.unmerge(store, tickets[uid("8")], "eve", NOW, RULES)
    for off in ("8", "9"):
        assert [fold.uid for fold in live(store)[uid(off)].mentions] == [uid(off)]
    assert {uid("8"), uid("9")}.isdisjoint(fold.uid for fold in live(store)[uid("1")].mentions)


@pytest.mark.parametrize("writes", range(5))
def test_undoing_a_merge_is_made_good_by_running_it_again(store: DictStore, writes: int) -> None:
    triage(store, [heard("9", "the shop in town was rude to me", "dee", 5)])
    first, other = live(store)[uid("1")], live(store)[uid("9")]
    regroup.merge(store, other.ticket, first.ticket, "eve", NOW, RULES)
    store.writes_left = writes
    with contextlib.suppress(CrashError):
        regroup.unmerge(store, other.ticket, "eve", NOW, RULES)
    store.writes_left = None
    if is_merged(store.tickets([other.ticket])[other.ticket].ticket):
        regroup.unmerge(store, other.ticket, "eve", NOW, RULES)
    triage(store, [*PAIRS, heard("9", "the shop in town was rude to me", "dee", 5)])
    assert [fold.uid for fold in live(store)[uid("9")].mentions] == [uid("9")]
    assert uid("9") not in {fold.uid for fold in live(store)[uid("1")].mentions}


def test_undoing_a_merge_does_not_undo_a_later_split(store: DictStore) -> None:
    shops = [
        heard(n, f"the shop in {n} was rude", who, 5) for n, who in [("8", "dee"), ("9", "eli")]
    ]
    triage(store, shops)
    tickets = {key: ticket.ticket for key, ticket in live(store).items()}
    regroup.merge(store, tickets[uid("9")], tickets[uid("8")], "eve", NOW, RULES)
    regroup.merge(store, tickets[uid("8")], tickets[uid("1")], "eve", NOW, RULES)
    regroup.split(store, tickets[uid("1")], [uid("9")], "eve", NOW, RULES)
    back = regroup.unmerge(store, tickets[uid("8")], "eve", NOW, RULES)
    assert [fold.uid for fold in back.mentions] == [uid("8")]
    assert [fold.uid for fold in live(store)[uid("9")].mentions] == [uid("9")]


def test_only_a_complaint_of_the_ticket_can_be_split_off(store: DictStore) -> None:
    ticket = live(store)[uid("1")].ticket
    with pytest.raises(IllegalMove, match="split off the others"):
        regroup.split(store, ticket, [uid("1")], "eve", NOW, RULES)
    with pytest.raises(IllegalMove, match="is not in"):
        regroup.split(store, ticket, ["nothing"], "eve", NOW, RULES)
    with pytest.raises(IllegalMove, match="itself"):
        regroup.merge(store, ticket, ticket, "eve", NOW, RULES)


def test_another_customers_help_lets_the_case_rest_until_the_author_complains_again() -> None:
    store = DictStore()
    help_ = heard("2", "try to reset it and it works", "ben", 1, parent_id="1", complaint=False)
    triage(store, [heard("1"), help_])
    (ticket,) = store.all_tickets()
    assert ticket.community_at == START + timedelta(hours=1)
    assert ticket.free_from == START + timedelta(hours=25)
    assert "community" in {part.name for part in ticket.parts}
    assert {fold.reason for fold in ticket.mentions} == {folds.OPENED, folds.HELPFUL}
    triage(store, [heard("3", "no, it still leaks", hours=2, parent_id="2")])
    (ticket,) = store.all_tickets()
    assert (ticket.community_at, ticket.free_from) == (None, None)


@pytest.mark.parametrize(
    ("text", "by", "cues"),
    [
        ("did you try to reset it?", "ben", ()),
        ("same here, useless", "ben", ()),
        ("try to reset it", "ann", ()),
    ],
    ids=["a question", "no advice", "the author"],
)
def test_not_every_answer_is_help(text: str, by: str, cues: tuple[str, ...]) -> None:
    store = DictStore()
    triage(store, [heard("1"), heard("2", text, by, 1, parent_id="1", complaint=False)])
    assert next(store.all_tickets()).community_at is None


def test_a_pressing_case_never_rests() -> None:
    store = DictStore()
    help_ = heard("2", "try to reset it and it works", "ben", 1, parent_id="1", complaint=False)
    triage(store, [heard("1", cues=("safety",)), help_])
    (ticket,) = store.all_tickets()
    assert ticket.community_at is not None
    assert ticket.free_from is None
