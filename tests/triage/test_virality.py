from __future__ import annotations

from datetime import timedelta

from listeners.mention import Author, Engagement
from nlp.assessment import Assessment
from tests.triage.build import START, heard, only_ticket, triage
from tests.triage.dict_store import DictStore
from triage.outreach import queue_rows, refresh
from triage.rules import Rules

RULES = Rules()


def fan(n: int, minutes: float, followers: int) -> tuple[object, Assessment]:
    author = Author(id=f"fan{n}", handle=f"fan{n}", followers=followers)
    return heard(f"r{n}", "RT @ann: mine", None, minutes / 60, repost_of="1", author=author)


def test_a_spreading_case_climbs_and_comes_down_again_when_it_stops() -> None:
    store = DictStore()
    calm = heard("9", "your shop was rude to me again today", "ben", probability=0.95)
    triage(store, [heard("1"), calm], RULES, START)
    assert queue_rows(store)[0]["excerpt"].startswith("your shop")
    now = START + timedelta(minutes=40)
    triage(store, [fan(n, n, 20_000) for n in range(1, 36)], RULES, now)
    first = queue_rows(store)[0]
    assert first["voices"] == 36
    parts = {part["name"]: part["words"] for part in first["parts"]}
    assert parts["virality"].startswith("spreads: 700,000 more people in the last hour")
    refresh(store, RULES, now + timedelta(hours=2))
    (after,) = (one for one in store.all_tickets() if one.voices == 36)
    assert "virality" not in {part.name for part in after.parts}
    assert after.gained is None


def test_views_grow_between_collections_and_only_then() -> None:
    store = DictStore()
    quiet = heard("1", engagement=Engagement(views=50_000), collected_at=START)
    triage(store, [quiet], RULES, START + timedelta(hours=2))
    assert only_ticket(store).gained is None
    at = START + timedelta(hours=2)
    grown = heard("1", engagement=Engagement(views=90_000), collected_at=at)
    triage(store, [grown], RULES, at + timedelta(minutes=5))
    ticket = only_ticket(store)
    assert (ticket.reach, ticket.gained) == (90_000, 40_000)
    assert ticket.refresh_at is not None
    assert ticket.refresh_at <= at + timedelta(hours=1)
    triage(store, [grown, quiet], RULES, at + timedelta(minutes=5))
    assert only_ticket(store) == ticket


def test_a_second_collection_moves_what_spreads_to_the_head_of_the_list() -> None:
    store = DictStore()
    late = START + timedelta(hours=1)
    first = [
        heard("1", "the kettle leaks", engagement=Engagement(views=90), probability=0.95),
        heard("2", "your shop was rude to me again", "ben", probability=0.97),
    ]
    triage(store, first, RULES, START)
    assert [row["excerpt"][:8] for row in queue_rows(store)] == ["your sho", "the kett"]
    seen = heard(
        "1",
        "the kettle leaks",
        engagement=Engagement(views=300_000),
        collected_at=late,
        probability=0.95,
    )
    triage(store, [seen], RULES, late)
    rows = queue_rows(store)
    assert [row["excerpt"][:8] for row in rows] == ["the kett", "your sho"]
    assert {"reach", "virality"} <= {part["name"] for part in rows[0]["parts"]}
    triage(store, [*first, seen], RULES, late)
    assert queue_rows(store) == rows


def test_a_valued_customer_is_worth_more() -> None:
    rules = Rules(customers={"ann": ("mastodon:ann",)}, customer_values={"ann": 0.5}).check()
    store = DictStore()
    triage(store, [heard("1")], rules, START)
    (part,) = (part for part in only_ticket(store).parts if part.name == "value")
    assert (part.points, part.words) == (2.4, "valued customer (50%) (counts 49%)")
