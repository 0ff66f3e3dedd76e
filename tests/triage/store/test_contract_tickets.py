"""What `triage.store.base.Store` promises about tickets, their history and the queue."""

from __future__ import annotations

import threading
from datetime import timedelta

import msgspec
import pytest

from tests.triage.store.conftest import Opener
from tests.triage.store.samples import T0, event, minutes, new, ticket
from triage.errors import StoreRefused
from triage.store import Store
from triage.store.base import QueueFilter, Versioned, Write, Written
from triage.ticket import Event, Handling, Ticket

replace = msgspec.structs.replace


def _stored(store: Store, id: str) -> Versioned:
    return store.tickets([id])[id]


def _claimed(ticket: Ticket, agent: str = "ann") -> Ticket:
    handling = Handling(status="claimed", agent=agent, lease_until=minutes(30))
    return replace(ticket, handling=handling)


def test_a_new_ticket_reads_back_as_it_was(store: Store) -> None:
    write = new("T-1", excerpt="Ärger 🚆", department=None, last_at=T0 + timedelta(microseconds=1))
    assert store.write_tickets([write]) == Written(done=("T-1",))
    assert _stored(store, "T-1").ticket == write.ticket
    assert store.tickets(["unknown", "T-1", "\ud800"]).keys() == {"T-1"}


def test_a_ticket_is_created_once(store: Store) -> None:
    store.write_tickets([new("T-1", event("T-1", key="first"))])
    second = new("T-1", event("T-1", key="second"), priority=99)
    assert store.write_tickets([second]) == Written(conflicts=("T-1",))
    assert _stored(store, "T-1").ticket.priority == 50
    assert [found.id for found in store.events("T-1")] == [event("T-1", key="first").id]


def test_a_change_needs_the_version_that_was_read(store: Store) -> None:
    store.write_tickets([new("T-1")])
    read = _stored(store, "T-1")
    write = Write(
        ticket=_claimed(read.ticket), version=read.version, events=(event(kind="claimed"),)
    )
    assert store.write_tickets([write]) == Written(done=("T-1",))
    assert store.write_tickets([write]) == Written(conflicts=("T-1",))
    assert _stored(store, "T-1").ticket.status == "claimed"
    assert _stored(store, "T-1").version != read.version
    for version in ("nonsense", "", "99.1", "1.2.3", "\u00b2.1"):
        assert store.write_tickets([replace(write, version=version)]).conflicts == ("T-1",)


def test_a_version_of_a_ticket_that_is_not_there_is_a_conflict(store: Store) -> None:
    store.write_tickets([new("T-1")])
    version = _stored(store, "T-1").version
    write = Write(ticket=ticket("T-2"), version=version)
    assert store.write_tickets([write]) == Written(conflicts=("T-2",))


def test_a_call_reports_each_ticket_in_the_order_given(store: Store) -> None:
    store.write_tickets([new("T-2")])
    bad = new("T-3", excerpt="half \ud800")
    foreign = new("T-5", event("T-1"))
    written = store.write_tickets([new("T-4"), new("T-2"), bad, new("T-1"), foreign])
    assert written.done == ("T-4", "T-1")
    assert written.conflicts == ("T-2",)
    assert [one.id for one in written.refused] == ["T-3", "T-5"]
    assert store.events("T-1") == []


def test_the_same_ticket_twice_in_a_call_is_written_once(store: Store) -> None:
    assert store.write_tickets([new("T-1"), new("T-1")]) == Written(
        done=("T-1",), conflicts=("T-1",)
    )


def test_history_comes_by_time_and_an_event_counts_once(store: Store) -> None:
    opened = event("T-1", "opened", at=5)
    claimed, noted = event("T-1", "claimed", at=1), event("T-1", "noted", at=1)
    store.write_tickets([new("T-1", opened)])
    for events in ((claimed,), (opened, noted), ()):
        read = _stored(store, "T-1")
        store.write_tickets([Write(ticket=read.ticket, version=read.version, events=events)])
    expected = sorted([opened, claimed, noted], key=lambda one: (one.at, one.id))
    assert store.events("T-1") == expected
    assert store.events("T-2") == []


@pytest.mark.parametrize("same_object", [True, False])
def test_of_many_who_claim_at_once_exactly_one_wins(opener: Opener, same_object: bool) -> None:
    shared = opener()
    shared.write_tickets([new("T-1")])
    read = _stored(shared, "T-1")
    stores = [shared if same_object else opener() for _ in range(6)]
    start = threading.Barrier(len(stores))
    results: list[tuple[str, Written]] = []

    def claim(store: Store, agent: str) -> None:
        entry = Event(id=f"claim-{agent}", ticket="T-1", kind="claimed", at=minutes(1), by=agent)
        write = Write(ticket=_claimed(read.ticket, agent), version=read.version, events=(entry,))
        start.wait()
        results.append((agent, store.write_tickets([write])))

    threads = [
        threading.Thread(target=claim, args=(one, f"agent-{n}")) for n, one in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [agent for agent, written in results if written.done]
    assert len(winners) == 1
    assert sum(len(written.conflicts) for _, written in results) == 5
    assert _stored(shared, "T-1").ticket.handling.agent == winners[0]
    assert [found.by for found in opener().events("T-1")] == winners


def test_tickets_are_found_by_the_beginning_of_their_id(store: Store) -> None:
    store.write_tickets([new(id) for id in ("T-ab2", "T-ab1", "T-b", "T-aB3", "T-a%")])
    assert [one.ticket.ticket for one in store.tickets_starting("T-ab")] == ["T-ab1", "T-ab2"]
    assert [one.ticket.ticket for one in store.tickets_starting("T-a", limit=2)] == [
        "T-a%",
        "T-aB3",
    ]
    assert len(store.tickets_starting("")) == 5
    assert store.tickets_starting("T-a_") == []


def test_tickets_are_found_by_thread_and_by_customer(store: Store) -> None:
    store.write_tickets(
        [
            new("T-2", threads=("a", "b"), customer="c1", opened_at=minutes(2)),
            new("T-1", threads=("b", "c"), customer="c1", opened_at=minutes(2)),
            new("T-3", threads=("d",), customer="c2", opened_at=minutes(1)),
        ]
    )
    assert [one.ticket.ticket for one in store.tickets_of_threads(["b", "a", "x"])] == [
        "T-1",
        "T-2",
    ]
    many = [f"x{n}" for n in range(3000)]
    assert [one.ticket.ticket for one in store.tickets_of_threads([*many, "d"])] == ["T-3"]
    found = store.tickets_of_customers(["c1", "c2", "c2"])
    assert [one.ticket.ticket for one in found] == ["T-3", "T-1", "T-2"]
    read = _stored(store, "T-2")
    store.write_tickets([Write(ticket=replace(read.ticket, threads=("z",)), version=read.version)])
    assert [one.ticket.ticket for one in store.tickets_of_threads(["a", "b"])] == ["T-1"]


def test_the_queue_is_best_first_and_pages_lose_nothing(store: Store) -> None:
    best_first = [
        new("T-3", tier="P1", sla_due=minutes(9), priority=99),
        new("T-2", tier="P2", sla_due=minutes(5), priority=60),
        new("T-1", tier="P3", sla_due=minutes(1), priority=50),
        new("T-4", tier="P2", sla_due=minutes(1), priority=50),
        new("T-0", tier="P2", sla_due=minutes(1) + timedelta(microseconds=1), priority=50),
        new("T-9", tier="P1", sla_due=minutes(0), priority=7),
    ]
    store.write_tickets(best_first[::-1])
    expected = [write.ticket.ticket for write in best_first]
    found, after = [], None
    for _ in range(3):
        page = store.queue(QueueFilter(), after, size=2)
        found += [one.ticket.ticket for one in page.tickets]
        after = page.next
    assert found == expected
    assert after is None
    assert [one.ticket for one in store.queue(QueueFilter()).tickets] == [
        write.ticket for write in best_first
    ]
    assert _stored(store, "T-3").version == store.queue(QueueFilter(), size=1).tickets[0].version


def test_the_queue_shows_what_is_asked_for(store: Store) -> None:
    store.write_tickets(
        [
            new("T-1", department=None, status="new"),
            new("T-2", department="billing", status="reopened", source="mastodon"),
            new("T-3", department="legal", status="resolved", tier="P1"),
            new("T-4", handling=Handling(status="claimed", lease_until=minutes(10))),
        ]
    )

    def ids(**wanted: object) -> list[str]:
        page = store.queue(msgspec.convert(wanted, QueueFilter))
        assert store.count(msgspec.convert(wanted, QueueFilter)) == len(page.tickets)
        return sorted(one.ticket.ticket for one in page.tickets)

    assert ids(statuses=["new", "reopened"]) == ["T-1", "T-2"]
    assert ids(departments=[None]) == ["T-1"]
    assert ids(departments=["legal", None]) == ["T-1", "T-3"]
    assert ids(departments=["legal"], tiers=["P2"]) == []
    assert ids(sources=["mastodon"]) == ["T-2"]
    assert ids(tiers=["P1"]) == ["T-3"]
    assert ids(free_at=minutes(10) - timedelta(microseconds=1)) == ["T-1", "T-2", "T-3"]
    assert ids(free_at=minutes(10)) == ["T-1", "T-2", "T-3", "T-4"]


@pytest.mark.parametrize("cursor", ["", "x", "bm90IGpzb24=", "WzFd", "é", "\ud800"])
def test_a_wrong_cursor_is_refused_in_one_line(store: Store, cursor: str) -> None:
    with pytest.raises(StoreRefused, match="cursor"):
        store.queue(QueueFilter(), cursor)


def test_only_open_tickets_whose_time_has_come_are_due_for_refresh(store: Store) -> None:
    instant = timedelta(microseconds=1)
    store.write_tickets(
        [
            new("T-4", refresh_at=minutes(5)),
            new("T-1", refresh_at=minutes(5) + instant),
            new("T-2", refresh_at=minutes(1)),
            new("T-3", refresh_at=minutes(1), status="resolved"),
            new("T-5"),
        ]
    )
    due = store.due_for_refresh(minutes(5))
    assert [one.ticket.ticket for one in due] == ["T-2", "T-4"]
    assert [one.ticket.ticket for one in store.due_for_refresh(minutes(5), size=1)] == ["T-2"]


def test_all_tickets_come_by_id_even_while_they_change(store: Store) -> None:
    writes = [new(f"T-{n:04}") for n in range(1200)]
    store.write_tickets(writes)
    seen: list[str] = []
    for found in store.all_tickets():
        if not seen:
            read = _stored(store, "T-1100")
            changed = replace(read.ticket, priority=1)
            store.write_tickets([Write(ticket=changed, version=read.version)])
        seen.append(found.ticket)
    assert seen == [write.ticket.ticket for write in writes]


def test_open_tickets_are_counted(store: Store) -> None:
    store.write_tickets([new("T-1"), new("T-2", status="dismissed"), new("T-3", status="claimed")])
    counts = store.counts()
    assert (counts["tickets"], counts["open"]) == (3, 2)


def test_the_longest_waiting_ticket_is_the_first_that_nobody_has_answered(store: Store) -> None:
    assert store.longest_waiting() is None
    store.write_tickets(
        [
            new("T-1", opened_at=minutes(5)),
            new("T-2", opened_at=minutes(1), answered_at=minutes(2)),
            new("T-3", opened_at=minutes(0), status="contacted"),
            new("T-4", opened_at=minutes(4), status="claimed"),
            new("T-5", opened_at=minutes(4) - timedelta(seconds=0.5), status="reopened"),
            new("T-6", opened_at=minutes(3), status="dismissed"),
        ]
    )
    found = store.longest_waiting()
    assert found is not None
    assert found.ticket == "T-5"
