from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from listeners.mention import Author, Deletion
from tests.triage.build import NOW, RULES, START, heard, only_ticket, triage
from tests.triage.dict_store import DictStore
from triage import outreach
from triage.errors import Conflict, IllegalMove, NoSuchTicket
from triage.store import open_store
from triage.store.base import QueueFilter, Store, Write, Written

TEXTS = ("the bill is wrong", "the parcel is lost", "the staff was rude")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store("sqlite", path=tmp_path / "triage.db")
    opened.setup()
    yield opened
    opened.close()


def fill(store: Store, count: int) -> None:
    triage(
        store,
        [heard(str(n), f"{TEXTS[n % 3]} number {n}", f"c{n}", n) for n in range(count)],
        now=START,
    )


def test_next_hands_out_the_best_ticket_once(store: Store) -> None:
    fill(store, 5)
    best = outreach.queue_rows(store)[0]["ticket"]
    first = outreach.claim_next(store, "eve", START + timedelta(minutes=1), RULES)
    second = outreach.claim_next(store, "eve", START, RULES)
    assert first is not None
    assert second is not None
    assert first.ticket == best != second.ticket
    assert [event.kind for event in store.events(best)] == ["opened", "claimed"]


def test_next_obeys_the_departments(store: Store) -> None:
    fill(store, 6)
    ticket = outreach.claim_next(store, "eve", START, RULES, ["delivery"])
    assert ticket is not None
    assert ticket.department == "delivery"
    assert outreach.claim_next(store, "eve", START, RULES, ["nobody"]) is None


def test_a_lease_that_ran_out_frees_the_ticket(store: Store) -> None:
    fill(store, 1)
    assert outreach.claim_next(store, "eve", START, RULES)
    assert outreach.claim_next(store, "joe", START, RULES) is None
    later = START + RULES.lease
    again = outreach.claim_next(store, "joe", later, RULES)
    assert again is not None
    assert again.handling.agent == "joe"


def test_many_agents_at_once_never_get_the_same_ticket(store: Store) -> None:
    fill(store, 60)

    def work(agent: str) -> list[str]:
        taken = []
        while ticket := outreach.claim_next(store, agent, START, RULES):
            taken.append(ticket.ticket)
        return taken

    with ThreadPoolExecutor(8) as pool:
        taken = [one for got in pool.map(work, (f"agent {n}" for n in range(8))) for one in got]
    assert len(taken) == len(set(taken)) == 60


class Rival(DictStore):
    """Somebody else is always faster."""

    def write_tickets(self, writes: Sequence[Write]) -> Written:
        if writes[0].version is None:
            return super().write_tickets(writes)
        return Written(conflicts=tuple(write.ticket.ticket for write in writes))


def test_losing_every_race_is_said_not_hidden() -> None:
    store = Rival()
    triage(store, [heard("1")])
    with pytest.raises(Conflict):
        outreach.claim_next(store, "eve", NOW, RULES)
    with pytest.raises(Conflict):
        outreach.act(store, only_ticket(store).ticket, "claim", "eve", NOW, RULES)


def test_a_ticket_is_found_by_the_beginning_of_its_id(store: Store) -> None:
    fill(store, 1)
    ticket = only_ticket(store)
    for name in (ticket.ticket, ticket.ticket[:6], ticket.ticket[2:8].upper()):
        assert outreach.find(store, name).ticket == ticket
    with pytest.raises(NoSuchTicket, match="no ticket begins with 'T-zzz0'"):
        outreach.find(store, "T-zzz0")
    with pytest.raises(NoSuchTicket):
        outreach.find(store, "")
    fill(store, 50)
    with pytest.raises(NoSuchTicket, match="give more of it"):
        outreach.find(store, first_letter_of_two(store))


def first_letter_of_two(store: Store) -> str:
    letters = Counter(ticket.ticket[:3] for ticket in store.all_tickets())
    return letters.most_common(1)[0][0]


def test_an_agent_works_a_ticket_through(store: Store) -> None:
    fill(store, 1)
    name = only_ticket(store).ticket[:8]
    for action, words in (("claim", ""), ("contact", "rang"), ("note", "ok"), ("resolve", "paid")):
        outreach.act(store, name, action, "eve", NOW, RULES, words)  # type: ignore[arg-type]
    ticket = only_ticket(store)
    assert (ticket.status, ticket.handling.outcome, ticket.handling.note) == (
        "resolved",
        "paid",
        "ok",
    )
    with pytest.raises(IllegalMove):
        outreach.act(store, name, "release", "eve", NOW, RULES)
    assert len(store.events(ticket.ticket)) == 5


def test_rows_have_the_promised_keys_and_the_author_from_the_vault(store: Store) -> None:
    named = Author(id="7", handle="ann@social.test")
    triage(store, [heard("1", author=named, url="https://s.test/1"), heard("2", "bah", None, 1)])
    rows = outreach.queue_rows(store)
    assert all(tuple(row) == outreach.COLUMNS for row in rows)
    assert {row["author"] for row in rows} == {"ann@social.test", None}
    assert {row["link"] for row in rows} == {"https://s.test/1", None}
    assert rows[0]["parts"][0].keys() == {"name", "points", "words"}


def test_the_list_is_as_long_as_asked_and_filtered(store: Store) -> None:
    fill(store, 9)
    assert len(outreach.queue_rows(store, size=4)) == 4
    assert len(outreach.queue_rows(store, QueueFilter(departments=("delivery",)))) == 3
    assert outreach.queue_rows(store, size=0) == []


def test_no_cell_of_a_csv_is_a_formula() -> None:
    store = DictStore()
    evil = '=HYPERLINK("https://evil.test";"pay, here")'
    triage(store, [heard("1", evil, author=Author(id="7", handle="@ann")), heard("2", "-1+1", "b")])
    out = outreach.as_csv(outreach.queue_rows(store))
    head, *rows = csv.reader(io.StringIO(out))
    assert tuple(head) == outreach.COLUMNS
    cells = {cell for row in rows for cell in row}
    assert {f"'{evil}", "'@ann", "'-1+1"} <= cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_refreshing_moves_what_waits_and_then_rests(store: Store) -> None:
    fill(store, 3)
    before = {ticket.ticket: ticket.priority for ticket in store.all_tickets()}
    later = START + timedelta(hours=20)
    assert outreach.refresh(store, RULES, later) == 3
    after = {ticket.ticket: ticket.priority for ticket in store.all_tickets()}
    assert all(after[ticket] > before[ticket] for ticket in before)
    assert outreach.refresh(store, RULES, later) == 0
    assert outreach.refresh(store, RULES, START + timedelta(days=30)) == 3
    assert outreach.refresh(store, RULES, START + timedelta(days=60)) == 0


def test_refreshing_ends_even_if_the_posts_are_gone() -> None:
    store = DictStore()
    triage(store, [heard("1")], now=START)
    outreach.act(store, only_ticket(store).ticket, "claim", "eve", START, RULES)
    store.rows.clear()
    assert outreach.refresh(store, RULES, NOW) == 1
    assert outreach.refresh(store, RULES, NOW) == 0


def test_a_claimed_ticket_stays_with_its_agent_when_the_post_is_deleted(store: Store) -> None:
    triage(store, [heard("1", url="https://s.test/1")], now=START)
    outreach.claim_next(store, "eve", START, RULES)
    triage(store, [(Deletion(source="mastodon", native_id="1", seen_at=NOW), None)])
    ticket = only_ticket(store)
    assert (ticket.status, ticket.excerpt, ticket.link) == ("claimed", "", None)
    assert outreach.queue_rows(store)[0]["author"] is None
