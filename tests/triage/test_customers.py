from __future__ import annotations

from datetime import timedelta

import pytest

from bench.customers import play
from listeners.mention import Author
from tests.triage.build import NOW, heard, triage
from tests.triage.dict_store import DictStore
from triage import customers, joining
from triage.errors import BadRules, IllegalMove, NoSuchTicket
from triage.intake import Pair
from triage.outreach import queue_rows
from triage.rows import RowMaker
from triage.rules import Rules

RULES = Rules(phone_region="ZA")
MAKER = RowMaker(RULES)


def said(source: str, by: str, text: str = "where is my parcel", hours: float = 0) -> Pair:
    name = Author(id=by, handle=None if "@" in by else by)
    return heard(f"{source} {by} {hours}", text, None, hours, source=source, author=name)


def account(pair: Pair) -> str:
    return MAKER.customer(pair[0]) or ""


def test_a_scripted_cast_is_joined_where_it_is_certain_and_never_wrongly() -> None:
    result = play(DictStore(), 200)
    assert result.wrong == 0
    assert result.found >= 0.9 * result.certain
    assert result.certain > 200
    assert result.proposed > 50


def test_the_same_verified_address_joins_by_itself_and_public_meets_private_in_one_story() -> None:
    store = DictStore()
    mail = said("email", "Ann@Mail.example", "no parcel. I'm @annie on mastodon, by the way")
    desk = said("helpdesk", "ann@mail.example", "my parcel is still not here", 20)
    post = said("mastodon", "annie", "a parcel that never comes, thanks for nothing", 30)
    triage(store, [mail, desk, post], RULES)
    joining.settle(store, RULES, NOW)
    (ticket,) = store.all_tickets()
    assert [fold.uid for fold in ticket.mentions] == [post[0].uid]
    kinds = sorted(one.kind for link in customers.links(store, "joined") for one in link.evidence)
    assert kinds == ["address", "statement"]
    assert {one.source for one in customers.identities(store, ticket.customer)} == {
        "email",
        "helpdesk",
        "mastodon",
    }
    history = [row.source for row in joining.said(store, ticket)]
    assert history == ["email", "helpdesk", "mastodon"]


@pytest.mark.parametrize(
    "text",
    [
        "I'm stuck on reddit all day because of you",
        "also annie on reddit waits for hers",
        "are you the same person as annie on reddit?",
        "RT @annie: I'm @annie on reddit by the way",
    ],
)
def test_who_speaks_of_others_states_nothing_about_themselves(text: str) -> None:
    store = DictStore()
    other = said("reddit", "annie", "no parcel")
    stuck = said("reddit", "stuck", "no parcel at all, for weeks")
    triage(store, [other, stuck, said("mastodon", "benjamin", text, 1)], RULES)
    assert customers.links(store, "joined") == []


def test_accounts_of_a_network_whose_terms_forbid_it_are_matched_by_nobody() -> None:
    with pytest.raises(BadRules, match=r"terms of x forbid to match 'x:ann'"):
        Rules(customers={"ann": ("x:ann", "reddit:ann")}).check()
    store = DictStore()
    pair = [said("x", "annie_b", "I'm @annie_b on reddit"), said("reddit", "annie_b", hours=1)]
    triage(store, pair, RULES)
    assert customers.links(store) == []
    with pytest.raises(IllegalMove, match="terms of x forbid"):
        joining.join(store, account(pair[0]), account(pair[1]), "eve", NOW, RULES)


def test_what_is_said_in_private_is_history_and_opens_nothing() -> None:
    store = DictStore()
    triage(store, [said("email", "ann@mail.example", "my parcel is still not here")], RULES)
    assert list(store.all_tickets()) == []


def test_who_says_which_account_is_theirs_is_believed_whenever_it_turns_up() -> None:
    store = DictStore()
    triage(store, [said("mastodon", "annie", "no parcel. I'm @ann_k on reddit, by the way")], RULES)
    assert not customers.links(store)
    triage(store, [said("reddit", "Ann_K", "where is my parcel, people", 5)], RULES)
    joining.settle(store, RULES, NOW)
    assert [link.state for link in customers.links(store)] == ["joined"]
    (ticket,) = (one for one in store.all_tickets() if one.status != "dismissed")
    assert ticket.posts == 2


def test_the_same_handle_elsewhere_is_proposed_and_an_agent_decides() -> None:
    store = DictStore()
    one, other = said("mastodon", "kettlefan"), said("reddit", "kettle_fan", hours=3)
    triage(store, [one, other], RULES)
    assert len(list(store.all_tickets())) == 2
    (proposed,) = customers.links(store, "proposed")
    before = {ticket.ticket: ticket.mentions for ticket in store.all_tickets()}
    joining.join(store, proposed.one, proposed.other, "eve", NOW, RULES)
    (live,) = (ticket for ticket in store.all_tickets() if ticket.status != "dismissed")
    assert live.posts == 2
    assert [row["author"] for row in queue_rows(store)] == ["kettlefan"]
    triage(store, [one, other], RULES)
    later = NOW + timedelta(hours=1)
    joining.part(store, proposed.other, proposed.one, "eve", later, RULES)
    after = {ticket.ticket: ticket.mentions for ticket in store.all_tickets()}
    assert after == before
    assert {ticket.status for ticket in store.all_tickets()} == {"new", "reopened"}
    triage(store, [one, other], RULES)
    joining.settle(store, RULES, later)
    assert [link.state for link in customers.links(store)] == ["undone"]
    assert {t.ticket: t.mentions for t in store.all_tickets()} == before


def test_what_was_refused_is_not_joined_by_the_same_evidence() -> None:
    store = DictStore()
    mail, desk = said("email", "a@mail.example"), said("helpdesk", "a@mail.example", hours=1)
    triage(store, [mail, desk], RULES)
    joining.part(store, account(mail), account(desk), "eve", NOW, RULES)
    triage(store, [said("helpdesk", "a@mail.example", hours=9), mail, desk], RULES)
    assert customers.persons(store, [account(mail)]) == {}


def test_a_source_whose_terms_forbid_it_is_left_alone() -> None:
    store = DictStore()
    quiet = said("x", "kettle_fan", "no parcel. I'm @annie on reddit, mail a@mail.example")
    triage(store, [said("email", "a@mail.example"), said("reddit", "annie", hours=1), quiet], RULES)
    assert customers.links(store) == []


def test_a_switchboards_number_is_no_evidence() -> None:
    store = DictStore()
    calls = [
        heard(
            f"c{n}",
            "no answer",
            None,
            n,
            source="telephone" if n % 2 else "helpdesk",
            author=Author(id=f"caller{n}", handle="021 555 0100"),
        )
        for n in range(customers.MOST_OF_MARK + 1)
    ]
    triage(store, calls, RULES)
    assert customers.links(store, "joined") == []


def test_links_need_two_accounts_that_are_known() -> None:
    store = DictStore()
    one = said("mastodon", "annie")
    triage(store, [one], RULES)
    with pytest.raises(IllegalMove, match="itself"):
        joining.join(store, account(one), account(one), "eve", NOW, RULES)
    with pytest.raises(NoSuchTicket, match="no account is known"):
        joining.join(store, account(one), "nobody", "eve", NOW, RULES)


def test_the_queue_names_a_mapped_customer_as_the_tickets_own_network_does() -> None:
    rules = Rules(customers={"ann": ("mastodon:ann", "reddit:annie")}).check()
    store = DictStore()
    triage(store, [said("mastodon", "ann"), said("reddit", "annie", hours=24 * 40)], rules)
    assert {(row["source"], row["author"]) for row in queue_rows(store)} == {
        ("mastodon", "ann"),
        ("reddit", "annie"),
    }
