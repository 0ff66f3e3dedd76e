"""What analysts read of a record: readable, whole, and without who somebody is."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from tests.triage.store.samples import event, mention, minutes, ticket
from triage.publishing import (
    Hidden,
    event_fact,
    mention_fact,
    publish,
    severity_of,
    teams_of,
    ticket_fact,
)
from triage.rules import Agent, Rules
from triage.store.base import Account, Identity
from triage.ticket import Handling

NOBODY = Hidden(None)
MIRA = Hidden(
    Identity(
        customer="c1",
        source="rss",
        handle="@mira_k",
        name="Mira Kay",
        native_id="did:plc:abc",
        accounts=(Account(source="x", handle="kay77"),),
    )
)


def test_a_deleted_mention_is_not_published() -> None:
    assert mention_fact(mention("a", deleted=True), NOBODY) is None


def test_who_wrote_it_is_taken_out_of_words_and_addresses() -> None:
    row = mention(
        "a",
        text="Mira Kay here, @MIRA_K or kay77; not mira_kay",
        url="https://social.example/posts/did%3Aplc%3Aabc/1",
        container="mira kay",
    )
    fact = mention_fact(row, MIRA)
    assert fact is not None
    assert fact.text == "[author] here, [author] or [author]; not mira_kay"
    assert fact.link is None
    assert fact.container is None


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://reviews.example/item/17", True),
        ("https://social.example/@somebody/17", False),
        ("https://social.example/users/somebody/17", False),
        ("https://social.example/profile/somebody", False),
        ("https://forum.example/t/usersupport/17", True),
    ],
)
def test_a_link_through_somebodys_page_is_left_out(address: str, kept: bool) -> None:
    assert (NOBODY.link(address) is not None) is kept


def test_what_is_not_read_is_neither_a_complaint_nor_none() -> None:
    fact = mention_fact(mention("a", complaint=None, severity=None), NOBODY)
    assert fact is not None
    assert (fact.reading, fact.complaint_share, fact.not_read_share) == ("not read", None, 1)
    assert fact.severity == "not read"
    assert [severity_of(level) for level in (0, 4)] == ["0 no complaint", "4 blame"]


def test_the_clock_of_a_case_is_that_of_the_desk() -> None:
    opened = ticket("T-1")
    assert ticket_fact(opened, {}, NOBODY).sla == "running"
    late = opened.sla_due + timedelta(minutes=1)
    reached = msgspec.structs.replace(
        opened, handling=Handling(status="contacted", agent="ann", contacted_at=late)
    )
    fact = ticket_fact(reached, {"ann": "billing"}, NOBODY)
    assert (fact.sla, fact.sla_kept_share, fact.team) == ("breached", 0, "billing")
    assert fact.first_response_minutes == (late - opened.opened_at).total_seconds() / 60
    assert fact.resolution_minutes is None
    assert "ann" not in msgspec.json.encode(fact).decode()


def test_what_agents_wrote_by_hand_is_left_out() -> None:
    noted = msgspec.structs.replace(
        ticket("T-1"), handling=Handling(note="spoke to her son", outcome="rang twice")
    )
    assert ticket_fact(noted, {}, NOBODY).outcome is None
    said = event_fact(msgspec.structs.replace(event(), words="her son", by="ann"), noted, {})
    assert said.team == "no team"
    assert "son" not in msgspec.json.encode(said).decode()


def test_the_team_of_an_agent_is_their_first_department() -> None:
    rules = Rules(agents={"ann": Agent(departments=("billing", "delivery")), "bo": Agent()})
    assert teams_of(rules) == {"ann": "billing", "bo": "all departments"}


def test_lag_is_from_the_post_until_it_was_heard() -> None:
    fact = mention_fact(mention("a", created_at=minutes(0), collected_at=minutes(90)), NOBODY)
    assert fact is not None
    assert fact.lag_minutes == 90


def test_only_one_process_publishes_at_a_time(tmp_path: object) -> None:
    from triage.store import open_store
    from triage.turns import Turn

    store = open_store("sqlite", path=f"{tmp_path}/outcry.db")
    store.setup()
    with Turn(store, "publish"):
        assert publish(store, Rules()) == 0
    store.close()
