from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from listeners.mention import Author, Deletion, OwnerReply, make_uid
from tests.triage.build import NOW, START, brand, heard, only_ticket, triage
from tests.triage.dict_store import DictStore
from triage import folds, life
from triage.casework import fold_cases
from triage.errors import Conflict
from triage.intake import store_records
from triage.priority import LEARNT_SHARE, in_stream
from triage.rules import Rules
from triage.store.base import Versioned, Write, Written
from triage.ticket import Ticket, make_ticket_id


def uid(native_id: str, source: str = "mastodon") -> str:
    return make_uid(source, "", native_id)


@pytest.fixture
def store() -> DictStore:
    return DictStore()


def test_a_complaint_opens_a_ticket_named_after_its_thread(store: DictStore) -> None:
    report = triage(store, [heard("1", url="https://social.test/1")])
    ticket = only_ticket(store)
    assert report.opened == (make_ticket_id(uid("1")),) == (ticket.ticket,)
    assert ticket.excerpt == "the kettle I bought leaks all over"
    assert ticket.link == "https://social.test/1"
    assert (ticket.opened_at, ticket.last_at) == (START, START)
    assert (ticket.posts, ticket.voices) == (1, 1)
    assert [event.kind for event in store.events(ticket.ticket)] == ["opened"]


def test_folding_again_changes_nothing(store: DictStore) -> None:
    pairs = [heard("1"), brand("2", 1, parent_id="1"), heard("3", hours=2, parent_id="2")]
    triage(store, pairs)
    before = dict(store.kept)
    report = triage(store, pairs)
    assert store.kept == before
    assert report.unchanged == (only_ticket(store).ticket,)
    assert not report.opened
    assert not report.updated


def test_what_is_no_complaint_is_left_out_with_its_reason(store: DictStore) -> None:
    report = triage(
        store,
        [
            heard("1", "thank you all, lovely people", complaint=False),
            heard("2", "buy followers", "bot", cues=("spam",)),
            heard("3", "RT @ann: lovely people at this shop today", "ben", complaint=True),
            heard("4", "...", "cid", complaint=None, language="und"),
            brand("5"),
        ],
    )
    assert not list(store.all_tickets())
    assert report.left_out == {
        "not a complaint": 1,
        "spam": 1,
        "repost": 1,
        "nothing to read": 1,
        "own account": 1,
    }
    assert {example.reason for example in report.examples} == set(report.left_out)


def test_somebody_who_may_come_to_harm_is_a_case_however_calm_the_words(store: DictStore) -> None:
    calm = heard("1", "your router caught fire last night", complaint=False, cues=("safety",))
    triage(store, [calm])
    assert only_ticket(store).excerpt == "your router caught fire last night"
    other = DictStore()
    report = triage(other, [calm], Rules(always=()))
    assert report.left_out == {"not a complaint": 1}


def test_what_was_said_in_private_is_history_and_no_case(store: DictStore) -> None:
    letter = heard("1", "I wrote to you twice about the leaking kettle", flags=("private",))
    report = triage(store, [letter, heard("2", source="email")])
    assert report.left_out == {"private channel": 2}


def test_a_thread_is_one_case_and_a_late_beginning_joins_it(store: DictStore) -> None:
    triage(store, [heard("2", hours=1, parent_id="1"), heard("3", hours=2, parent_id="2")])
    ticket = only_ticket(store)
    assert ticket.threads == (uid("1"),)
    triage(store, [heard("1", "and before that it was late by a week")])
    again = only_ticket(store)
    assert again.ticket == ticket.ticket
    assert [fold.uid for fold in again.mentions] == [uid("1"), uid("2"), uid("3")]
    assert again.opened_at == START


def test_answers_to_an_announcement_are_cases_of_their_own(store: DictStore) -> None:
    triage(
        store,
        [
            brand("0", text="we are launching a new kettle today"),
            heard("1", "mine leaks all over the floor", "ann", 1, parent_id="0"),
            heard("2", "mine arrived in two pieces, great", "ben", 2, parent_id="0"),
            heard("3", "and nobody answers me", "ann", 3, parent_id="1"),
        ],
    )
    tickets = {ticket.threads: ticket.posts for ticket in store.all_tickets()}
    assert tickets == {(uid("1"),): 2, (uid("2"),): 1}


def test_an_announcement_heard_late_frees_those_it_had_bound(store: DictStore) -> None:
    triage(
        store,
        [
            heard("1", "mine leaks all over the floor", "ann", 1, parent_id="0"),
            heard("2", "mine arrived in two pieces, great", "ben", 2, parent_id="0"),
        ],
    )
    first = only_ticket(store)
    assert first.threads == (uid("0"),)
    triage(store, [brand("0", text="we are launching a new kettle today")])
    tickets = {ticket.ticket: ticket for ticket in store.all_tickets()}
    assert len(tickets) == 2
    kept = tickets.pop(first.ticket)
    (other,) = tickets.values()
    assert [fold.uid for fold in kept.mentions] == [uid("1")]
    assert [fold.uid for fold in other.mentions] == [uid("2")]


def test_reposts_and_copies_are_voices_whenever_they_arrive(store: DictStore) -> None:
    text = "the kettle I bought leaks all over the kitchen"
    triage(
        store,
        [
            heard("2", f"RT @ann: {text}", "ben", 1),
            heard("3", "RT @ann: the kettle I bou...", "cid", 2, repost_of="1"),
        ],
    )
    assert not list(store.all_tickets())
    triage(store, [heard("1", text, "ann"), heard("4", f"{text.upper()}!! @acme", "dee", 3)])
    ticket = only_ticket(store)
    assert ticket.ticket == make_ticket_id(uid("1"))
    assert (ticket.voices, ticket.posts) == (4, 1)
    assert [fold.reason for fold in ticket.mentions] == [
        folds.OPENED,
        folds.REPOST,
        folds.REPOST,
        folds.COPY,
    ]


def test_which_of_their_own_posts_is_folded_first_does_not_matter(store: DictStore) -> None:
    parcel = "my parcel has not arrived after two weeks"
    pairs = [
        heard("1", parcel, "ann"),
        heard("2", parcel, "ben", source="reddit"),
        heard("3", "you charged me twice on one invoice", "cid", 1),
        heard("4", parcel, "ann", 12, parent_id="3"),
    ]
    triage(store, pairs)
    other = DictStore()
    stored = store_records(other, pairs, Rules())
    for one in (uid("3"), *stored.uids):
        fold_cases(other, [one], Rules(), NOW)
    assert list(other.all_tickets()) == list(store.all_tickets())


def test_a_storm_of_reposts_hides_neither_the_answer_nor_the_others(store: DictStore) -> None:
    storm = [
        heard(f"r{n}", "RT @ann: the kettle I bought leaks all over", f"fan{n}", n / 100)
        for n in range(1, 700)
    ]
    triage(store, [heard("1"), *storm, brand("2", 20, parent_id="1")])
    ticket = only_ticket(store)
    assert ticket.answered_at == START + timedelta(hours=20)
    assert ticket.voices == 700
    assert len(ticket.mentions) == 500


def test_a_short_text_is_nobodys_copy(store: DictStore) -> None:
    triage(store, [heard("1", "worst ever", "ann"), heard("2", "worst ever", "ben", 1)])
    assert len(list(store.all_tickets())) == 2


def test_the_same_words_months_later_are_another_case(store: DictStore) -> None:
    triage(store, [heard("1", by="ann"), heard("2", by="ben", hours=24 * 20)])
    assert len(list(store.all_tickets())) == 2


def test_one_customer_complaining_in_two_places_is_one_case(store: DictStore) -> None:
    rules = Rules(customers={"ann": ("mastodon:ann", "reddit:annie")}).check()
    triage(
        store,
        [
            heard("1", "my parcel has not arrived", "ann"),
            heard("2", "where is my parcel, people?", "Annie", 30, source="reddit"),
        ],
        rules,
    )
    ticket = only_ticket(store)
    assert ticket.ticket == make_ticket_id(uid("1"))
    assert ticket.threads == tuple(sorted((uid("1"), uid("2", "reddit"))))
    assert [fold.reason for fold in ticket.mentions] == [folds.OPENED, folds.SAME_MATTER]
    assert (ticket.voices, ticket.posts) == (1, 2)


@pytest.mark.parametrize(
    ("text", "hours", "matched"),
    [
        ("my parcel has not arrived", 24 * 40, ("acme",)),
        ("you charged me twice on one invoice", 1, ("acme",)),
        ("my parcel has not arrived either", 1, ("other",)),
    ],
    ids=["too long after", "another department", "another brand"],
)
def test_another_matter_of_the_same_customer_is_another_case(
    store: DictStore, text: str, hours: float, matched: tuple[str, ...]
) -> None:
    triage(
        store,
        [
            heard("1", "my parcel has not arrived", matched=("acme",)),
            heard("2", text, hours=hours, matched=matched),
        ],
    )
    assert len(list(store.all_tickets())) == 2


def test_strangers_without_a_name_are_never_joined(store: DictStore) -> None:
    john = Author(name="John")
    triage(
        store,
        [
            heard("1", "my parcel has not arrived", None),
            heard("2", "my parcel was sent back", None, 1),
            heard("3", "my parcel is in two pieces", author=john, hours=2),
            heard("4", "my parcel is empty", author=john, hours=3),
        ],
    )
    assert len(list(store.all_tickets())) == 4


def test_the_brands_answer_stops_nothing_but_is_noted(store: DictStore) -> None:
    triage(store, [heard("1"), brand("2", 5, parent_id="1"), brand("3", 9, parent_id="1")])
    ticket = only_ticket(store)
    assert ticket.answered_at == START + timedelta(hours=5)
    assert ticket.posts == 1
    assert "answered" in {part.name for part in ticket.parts}


def test_the_brands_answer_to_a_review_counts_as_one(store: DictStore) -> None:
    answer = OwnerReply(text="we are sorry", at=START + timedelta(hours=4))
    triage(store, [heard("1", rating=1, rating_max=5, complaint=None, owner_reply=answer)])
    assert only_ticket(store).answered_at == START + timedelta(hours=4)
    gone = Deletion(source="mastodon", native_id="1", seen_at=NOW)
    triage(store, [(gone, None)])
    assert all(row.deleted for row in store.rows.values())


def test_a_low_rating_opens_a_case_whatever_the_words(store: DictStore) -> None:
    triage(
        store,
        [
            heard("1", "meh", "ann", complaint=False, rating=2, rating_max=5),
            heard("2", "meh", "ben", complaint=None, language="fr", rating=5, rating_max=5),
        ],
    )
    assert only_ticket(store).threads == (uid("1"),)


def test_a_text_that_no_model_reads_is_sorted_by_hand(store: DictStore) -> None:
    pair = heard("1", "la bouilloire fuit de partout", complaint=None, language="fr")
    triage(store, [pair])
    ticket = only_ticket(store)
    assert (ticket.tier, ticket.department) == ("P4", None)
    assert ("unread", "no model reads fr: somebody has to") in [
        (part.name, part.words) for part in ticket.parts
    ]
    left = DictStore()
    report = triage(left, [pair], Rules(unread="leave"))
    assert report.left_out == {"language not read": 1}


def test_a_source_may_have_a_threshold_of_its_own(store: DictStore) -> None:
    rules = Rules(thresholds={"reddit": 0.05})
    pairs = [heard(s, by=s, source=s, complaint=False, probability=0.1) for s in ("reddit", "rss")]
    triage(store, pairs, rules)
    assert only_ticket(store).source == "reddit"


@pytest.mark.parametrize(("wanted", "share"), [(0.5, 0.05), (0.8, 0.05), (0.8, 0.5), (0.3, 0.2)])
def test_a_source_may_have_a_precision_that_holds_in_its_own_stream(
    wanted: float, share: float
) -> None:
    """Posts by a calibrated model, weighted as if so many of the source complained."""
    rules = Rules(
        precision={"reddit": wanted}, complaint_shares={"reddit": share}, complaint_share=0.3
    )
    taken = []
    for chance in [at / 50 for at in range(1, 50)]:
        store = DictStore()
        triage(store, [heard("1", source="reddit", probability=chance)], rules)
        taken += [chance] * len(list(store.all_tickets()))
    right = sum(chance * share / LEARNT_SHARE for chance in taken)
    wrong = sum((1 - chance) * (1 - share) / (1 - LEARNT_SHARE) for chance in taken)
    assert right / (right + wrong) >= wanted
    assert in_stream(min(taken) - 1 / 50, share) < wanted


def test_a_new_complaint_reopens_what_was_dealt_with(store: DictStore) -> None:
    triage(store, [heard("1")], now=START + timedelta(hours=1))
    close(store, START + timedelta(hours=2))
    same = triage(store, [heard("1")])
    assert not same.reopened
    report = triage(store, [heard("2", "it leaks again, hopeless", hours=50, parent_id="1")])
    ticket = only_ticket(store)
    assert report.reopened == (ticket.ticket,)
    assert ticket.status == "reopened"
    assert ticket.handling.reopened_at == START + timedelta(hours=50)
    assert ticket.sla_due > START + timedelta(hours=50)
    assert [event.kind for event in store.events(ticket.ticket)].count("reopened") == 1
    again = triage(store, [heard("2", "it leaks again, hopeless", hours=50, parent_id="1")])
    assert not again.reopened


def test_thanks_and_reposts_do_not_reopen(store: DictStore) -> None:
    triage(store, [heard("1")], now=START + timedelta(hours=1))
    close(store, START + timedelta(hours=2))
    triage(
        store,
        [
            heard("2", "thank you!", hours=3, parent_id="1", complaint=False),
            heard("3", "RT @ann: the kettle I bought leaks all over", "ben", 4),
        ],
    )
    ticket = only_ticket(store)
    assert ticket.status == "resolved"
    assert ticket.voices == 2


def test_what_agents_decided_survives_any_replay(store: DictStore) -> None:
    triage(store, [heard("1")])
    claimed = life.claim(only_ticket(store), "eve", NOW, timedelta(minutes=30)).ticket
    put(store, claimed)
    triage(store, [heard("1"), heard("2", "still leaks", hours=1, parent_id="1")])
    assert only_ticket(store).handling == claimed.handling
    assert only_ticket(store).posts == 2


def test_two_tickets_that_turn_out_to_be_one_thread_are_merged(store: DictStore) -> None:
    # The two middles answer a beginning in different ways: only it shows that they are one.
    triage(store, [heard("2", "it leaks on the floor", "ann", 2, parent_id="1")])
    triage(store, [heard("3", "it smells of burning", "ben", 3, parent_id="x")])
    first, second = sorted(store.all_tickets(), key=lambda ticket: ticket.opened_at)
    triage(store, [heard("x", "same here", "cid", 1, complaint=False, parent_id="1")])
    after = {ticket.ticket: ticket for ticket in store.all_tickets()}
    assert after[second.ticket].status == "dismissed"
    assert after[second.ticket].handling.outcome == f"merged into {first.ticket}"
    assert {fold.uid for fold in after[first.ticket].mentions} == {uid("2"), uid("3"), uid("x")}
    before = dict(store.kept)
    triage(store, [heard("3", "it smells of burning", "ben", 3, parent_id="x")])
    assert store.kept == before


def test_a_merge_leaves_a_ticket_alone_that_somebody_works_on(store: DictStore) -> None:
    triage(store, [heard("2", "it leaks on the floor", "ann", 2, parent_id="1")])
    triage(store, [heard("3", "it smells of burning", "ben", 3, parent_id="x")])
    _, second = sorted(store.all_tickets(), key=lambda ticket: ticket.opened_at)
    put(store, life.claim(second, "eve", NOW, timedelta(minutes=30)).ticket)
    triage(store, [heard("x", "same here", "cid", 1, complaint=False, parent_id="1")])
    assert store.tickets([second.ticket])[second.ticket].ticket.status == "claimed"


def test_a_deleted_post_takes_its_words_with_it(store: DictStore) -> None:
    triage(store, [heard("1"), heard("2", "RT @ann: the kettle I bought leaks all over", "ben", 1)])
    gone = Deletion(source="mastodon", native_id="1", seen_at=NOW)
    report = triage(store, [(gone, None)])
    ticket = only_ticket(store)
    assert report.closed == (ticket.ticket,)
    assert (ticket.excerpt, ticket.link, ticket.customer) == ("", None, "")
    assert ticket.handling.outcome == "withdrawn: the post was deleted"
    assert triage(store, [(gone, None), heard("1")]).left_out == {"deleted": 1}
    assert only_ticket(store) == ticket


def test_an_edit_that_takes_the_complaint_back_withdraws_it(store: DictStore) -> None:
    triage(store, [heard("1"), heard("2", by="ben", hours=1)])
    assert only_ticket(store).voices == 2
    later = START + timedelta(hours=3)
    triage(store, [heard("1", "all is well now, thanks", complaint=False, collected_at=later)])
    tickets = {ticket.status: ticket for ticket in store.all_tickets()}
    assert tickets["dismissed"].handling.outcome == "withdrawn: no longer a complaint"
    assert tickets["new"].threads == (uid("2"),)
    even_later = START + timedelta(hours=4)
    triage(store, [heard("1", "no, it leaks after all, useless thing", collected_at=even_later)])
    assert {ticket.status for ticket in store.all_tickets()} == {"reopened", "new"}


def test_who_reopens_what_was_withdrawn_keeps_it(store: DictStore) -> None:
    triage(store, [heard("1")])
    gone = Deletion(source="mastodon", native_id="1", seen_at=NOW)
    triage(store, [(gone, None)])
    put(store, life.reopen(only_ticket(store), "eve", NOW, "I know them").ticket)
    triage(store, [(gone, None)])
    assert only_ticket(store).status == "reopened"
    assert only_ticket(store).refresh_at is None


def test_cycles_of_parents_end(store: DictStore) -> None:
    triage(
        store,
        [
            heard("1", "it leaks", "ann", 0, parent_id="2"),
            heard("2", "it smells", "ann", 1, parent_id="1"),
            heard("3", "it burns", "ann", 2, parent_id="3"),
            heard("4", "it hums", "dee", 3, parent_id="2"),
        ],
    )
    threads = {row.native_id: row.thread for row in store.rows.values()}
    assert threads["1"] == threads["2"] == threads["4"] == min(uid("1"), uid("2"))
    assert threads["3"] == uid("3")


def test_a_mention_without_an_assessment_is_refused(store: DictStore) -> None:
    mention, _ = heard("1")
    report = store_records(store, [(mention, None)], Rules())
    assert [refusal.id for refusal in report.refused] == [mention.uid]
    assert not store.rows


class Contested(DictStore):
    """Somebody else changes each ticket right before the first ``times`` writes of it."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def write_tickets(self, writes: Sequence[Write]) -> Written:
        if self.times and writes[0].version is not None:
            self.times -= 1
            entry: Versioned = self.tickets([writes[0].ticket.ticket])[writes[0].ticket.ticket]
            note = life.note(entry.ticket, "eve", NOW, f"call back {self.times}").ticket
            super().write_tickets([Write(ticket=note, version=entry.version)])
        return super().write_tickets(writes)


def test_a_lost_race_is_decided_again() -> None:
    store = Contested(3)
    triage(store, [heard("1")])
    report = triage(store, [heard("1"), heard("2", "still leaks", hours=1, parent_id="1")])
    ticket = only_ticket(store)
    assert report.updated == (ticket.ticket,)
    assert ticket.handling.note == "call back 0"
    assert ticket.posts == 2


def test_who_loses_a_race_decides_that_ticket_again_and_counts_nothing_twice() -> None:
    store = Contested(2)
    said = [heard("1"), heard("2", "the lid is loose and nobody answers", "bea")]
    triage(store, said)
    more = heard("3", "still leaks", hours=1, parent_id="1")
    report = triage(store, [*said, more, heard("4", "still loose", "bea", 1, parent_id="2")])
    assert len(report.updated) == 2
    assert sum(report.folded.values()) == 4
    assert not report.left_out
    assert [ticket.posts for ticket in store.all_tickets()] == [2, 2]


def test_a_race_lost_too_often_says_so() -> None:
    store = Contested(99)
    triage(store, [heard("1")])
    stored = store_records(store, [heard("2", "still leaks", hours=1, parent_id="1")], Rules())
    with pytest.raises(Conflict, match="run it again"):
        fold_cases(store, stored.uids, Rules(), NOW)


def put(store: DictStore, ticket: Ticket) -> None:
    entry = store.tickets([ticket.ticket])[ticket.ticket]
    assert store.write_tickets([Write(ticket=ticket, version=entry.version)]).done


def close(store: DictStore, at: datetime) -> None:
    ticket = life.claim(only_ticket(store), "eve", at, timedelta(minutes=30)).ticket
    put(store, life.resolve(ticket, "eve", at, "sent a new one").ticket)
