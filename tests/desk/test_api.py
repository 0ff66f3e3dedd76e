"""The API does everything that agents do, once, and says what is wrong in one form."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from listeners.coverage import coverage
from tests.desk.board import Board, Person
from triage.ticket import OPEN
from triage.vault import reads


def _first(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = person.get("/queue?size=1").json()["items"][0]
    return found


def test_the_queue_is_the_stores_and_pages_without_gaps(board: Board) -> None:
    agent = board.person("ann", "agent")
    whole = [row["ticket"] for row in agent.get("/queue?size=200").json()["items"]]
    paged: list[str] = []
    cursor = ""
    while True:
        page = agent.get(f"/queue?size=4{cursor}").json()
        paged += [row["ticket"] for row in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert paged == whole
    assert len(whole) > 10


def test_the_queue_is_filtered_by_what_the_address_says(board: Board) -> None:
    agent = board.person("ann", "agent")
    every = agent.get("/queue?size=200").json()["items"]
    some = agent.get("/queue?size=200&tier=P1&tier=P2").json()["items"]
    assert some == [row for row in every if row["tier"] in ("P1", "P2")]
    by_hand = agent.get("/queue?size=200&department=none").json()["items"]
    assert {row["department"] for row in by_hand} <= {None}
    assert agent.get("/queue?department=nonsense").status_code == 422


def test_a_case_is_worked_on_from_the_queue_to_its_end(board: Board) -> None:
    agent = board.person("ann", "agent")
    taken = agent.post("/tickets/next")
    row = taken.json()["case"]
    assert (row["status"], row["agent"], row["held"]) == ("claimed", "ann", True)
    case = agent.get(f"/tickets/{row['ticket']}")
    assert case.headers["etag"] == taken.headers["etag"]
    assert case.json()["posts"]
    assert f"priority {row['priority']}, {row['tier']}" in case.json()["sum"][-1]
    name = row["ticket"]
    board.later(minutes=5)
    assert agent.post(f"/tickets/{name}/contact", {"words": "wrote to them"}).status_code == 200
    board.later(minutes=5)
    ended = agent.post(f"/tickets/{name}/resolve", {"words": "new charger sent"})
    assert ended.json()["status"] == "resolved"
    history = agent.get(f"/tickets/{name}").json()["history"]
    assert [(told["kind"], told["by"]) for told in history[-3:]] == [
        ("claimed", "ann"),
        ("contacted", "ann"),
        ("resolved", "ann"),
    ]


def test_a_case_names_nobody_and_the_name_is_told_for_a_reason_that_is_kept(board: Board) -> None:
    agent = board.person("ann", "agent")
    (entry,) = board.store.queue(_all(), size=1).tickets
    handle = board.store.identities([entry.ticket.customer])[entry.ticket.customer].handle or ""
    name = entry.ticket.ticket
    assert handle
    assert handle not in agent.get(f"/tickets/{name}").text
    assert agent.post(f"/tickets/{name}/who", {"reason": " "}).status_code == 403
    assert not list(reads(board.store))
    told = agent.post(f"/tickets/{name}/who", {"reason": "to answer them"})
    assert told.json()["person"]["handle"] == handle
    assert {(read.by, read.reason.partition(":")[2]) for read in reads(board.store)} <= {
        ("ann", " to answer them"),
        ("ann", " to answer them: references"),
    }


def _all() -> Any:
    from triage.store.base import QueueFilter

    return QueueFilter(statuses=OPEN)


def test_what_has_changed_since_it_was_read_is_not_changed_blindly(board: Board) -> None:
    ann, bob = board.person("ann", "agent"), board.person("bob", "agent")
    row = _first(ann)
    path, mark = f"/tickets/{row['ticket']}", f'"{row["mark"]}"'
    assert bob.post(f"{path}/note", {"words": "look here"}, if_match=mark).status_code == 200
    late = ann.post(f"{path}/dismiss", {"words": "no"}, if_match=mark)
    assert late.status_code == 412
    assert "look at it again" in late.json()["detail"]
    fresh = ann.get(path).headers["etag"]
    assert ann.post(f"{path}/dismiss", {"words": "no"}, if_match=fresh).status_code == 200
    assert ann.post(f"{path}/note", {}, if_match="nonsense").status_code == 422


def test_a_heartbeat_changes_no_mark(board: Board) -> None:
    agent = board.person("ann", "agent")
    row = agent.post("/tickets/next").json()["case"]
    board.later(minutes=10)
    longer = agent.post(f"/tickets/{row['ticket']}/heartbeat").json()
    assert longer["mark"] == row["mark"]
    assert longer["lease_until"] > row["lease_until"]


def test_two_agents_who_click_at_once_never_hold_one_case(board: Board) -> None:
    agents = [board.person(f"agent{number}", "agent") for number in range(4)]
    got: list[str] = []

    def click(person: Person) -> None:
        for _ in range(3):
            got.append(person.post("/tickets/next").json()["case"]["ticket"])

    threads = [threading.Thread(target=click, args=[one]) for one in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 12
    assert len(set(got)) == 12


def test_of_two_who_claim_one_case_the_second_is_told_who_has_it(board: Board) -> None:
    ann, bob = board.person("ann", "agent"), board.person("bob", "agent")
    name = _first(ann)["ticket"]
    assert ann.post(f"/tickets/{name}/claim").status_code == 200
    refused = bob.post(f"/tickets/{name}/claim")
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert "claimed by ann until" in refused.json()["detail"]


def test_a_lease_that_runs_out_gives_the_case_back(board: Board) -> None:
    ann, bob = board.person("ann", "agent"), board.person("bob", "agent")
    name = ann.post("/tickets/next").json()["case"]["ticket"]
    board.later(minutes=31)
    assert bob.post(f"/tickets/{name}/claim").json()["agent"] == "bob"
    lost = ann.post(f"/tickets/{name}/resolve", {"words": "done"})
    assert lost.status_code == 409
    assert "claimed by bob" in lost.json()["detail"]
    assert ann.post(f"/tickets/{name}/heartbeat").status_code == 409


def test_a_store_that_is_down_is_said_so_and_nothing_is_lost(board: Board) -> None:
    agent = board.person("ann", "agent")
    name = agent.post("/tickets/next").json()["case"]["ticket"]
    board.down = True
    for answer in (
        agent.get("/queue"),
        agent.post(f"/tickets/{name}/note", {"words": "x"}, idempotency_key="k"),
    ):
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert answer.headers["content-type"] == "application/problem+json"
    board.down = False
    noted = agent.post(f"/tickets/{name}/note", {"words": "x"}, idempotency_key="k")
    assert noted.status_code == 200
    case = agent.get(f"/tickets/{name}").json()
    assert (case["note"], case["row"]["agent"]) == ("x", "ann")


def test_the_same_change_under_one_key_is_made_once(board: Board) -> None:
    agent = board.person("ann", "agent")
    first = agent.post("/tickets/next", idempotency_key="one")
    board.later(minutes=1)
    again = agent.post("/tickets/next", idempotency_key="one")
    assert again.content == first.content
    assert again.headers["idempotent-replay"] == "true"
    assert len(agent.get("/mine").json()["items"]) == 1
    other = agent.post("/tickets/next", {"departments": ["none"]}, idempotency_key="one")
    assert other.status_code == 422
    bob = board.person("bob", "agent")
    assert bob.post("/tickets/next", idempotency_key="one").content != first.content


def test_a_change_whose_answer_was_lost_is_made_once(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The desk dies after the change and before it has kept the answer."""
    from desk.api import repeats

    agent = board.person("ann", "agent")
    name = _first(agent)["ticket"]

    def dies(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(repeats, "_settle", dies)
    with pytest.raises(MemoryError):
        agent.post(f"/tickets/{name}/note", {"words": "x"}, idempotency_key="k")
    monkeypatch.undo()
    board.later(seconds=5)
    assert (
        agent.post(f"/tickets/{name}/note", {"words": "x"}, idempotency_key="k").status_code == 503
    )
    board.later(seconds=20)
    assert (
        agent.post(f"/tickets/{name}/note", {"words": "x"}, idempotency_key="k").status_code == 200
    )
    history = agent.get(f"/tickets/{name}").json()["history"]
    assert [told["kind"] for told in history].count("noted") == 1


def test_who_somebody_is_is_kept_nowhere_but_in_the_vault(board: Board) -> None:
    agent, officer = board.person("ann", "agent"), board.person("pia", "privacy")
    name = _first(agent)["ticket"]
    agent.post(f"/tickets/{name}/who", {"reason": "to answer"}, idempotency_key="one")
    assert not list(board.store.shelf("request"))
    agent.post(f"/tickets/{name}/note", {"words": "x"}, idempotency_key="two")
    assert len(list(board.store.shelf("request"))) == 1
    officer.post("/erasures", {"who": name, "reason": "asked"})
    assert not list(board.store.shelf("request"))


def test_old_keys_are_forgotten(board: Board) -> None:
    from desk.api.repeats import sweep

    agent = board.person("ann", "agent")
    agent.post("/tickets/next", idempotency_key="one")
    board.later(hours=20)
    agent.post("/tickets/next", idempotency_key="two")
    board.later(hours=5)
    assert sweep(board.app.state.desk, board.now) == 1
    assert sweep(board.app.state.desk, board.now) == 0


def test_snoozing_and_waiting_need_a_time_to_come_back(board: Board) -> None:
    agent = board.person("ann", "agent")
    name = agent.post("/tickets/next").json()["case"]["ticket"]
    path = f"/tickets/{name}"
    assert agent.post(f"{path}/snooze").status_code == 409
    assert agent.post(f"{path}/snooze", {"until": "2026-11-21T08:00:00"}).status_code == 422
    until = (board.now + timedelta(hours=3)).isoformat()
    assert agent.post(f"{path}/snooze", {"until": until}).json()["status"] == "new"
    assert name not in [row["ticket"] for row in agent.get("/queue?size=200").json()["items"]]


def test_split_and_merge_are_undone(board: Board) -> None:
    agent = board.person("ann", "agent")
    one, other = agent.get("/queue?size=2").json()["items"]
    into = {"into": other["ticket"], "words": "the same matter"}
    merged = agent.post(f"/tickets/{one['ticket']}/merge", into)
    assert merged.json()["ticket"] == other["ticket"]
    assert agent.get(f"/tickets/{one['ticket']}").json()["row"]["status"] == "dismissed"
    back = agent.post(f"/tickets/{one['ticket']}/unmerge")
    assert back.json()["status"] == "reopened"
    wrong = agent.post(f"/tickets/{one['ticket']}/split", {"posts": ["nonsense"]})
    assert wrong.status_code == 409


def test_how_a_contact_ended_is_a_label(board: Board) -> None:
    from triage.contacts import labels

    agent = board.person("ann", "agent")
    name = _first(agent)["ticket"]
    body = {"outcome": "already solved", "words": "a friend helped"}
    assert agent.post(f"/tickets/{name}/outcome", body).json()["status"] == "resolved"
    assert [(label.ticket, label.outcome) for label in labels(board.store)] == [
        (name, "already solved")
    ]
    case = agent.get(f"/tickets/{name}").json()
    assert case["note"] == "a friend helped"
    assert case["contact"]["allowed"] is False


def test_a_wish_and_a_tone_are_obeyed(board: Board) -> None:
    agent = board.person("ann", "agent")
    name = _first(agent)["ticket"]
    wish = agent.post(f"/tickets/{name}/wish", {"reason": "wrote: leave me alone"})
    assert wish.json()["allowed"] is False
    assert agent.post(f"/tickets/{name}/wish").status_code == 422
    assert agent.post(f"/tickets/{name}/wish", {"zone": "Mars/Base"}).status_code == 422
    kinds = agent.post("/tone", {"text": "We refund R899, calm down!!"}).json()["faults"]
    assert {fault["kind"] for fault in kinds} == {"money", "blame", "shouting"}


def test_an_incident_is_fixed_and_its_notices_are_approved_by_a_lead(board: Board) -> None:
    lead, agent = board.person("lea", "lead"), board.person("ann", "agent")
    (row,) = lead.get("/incidents").json()["items"]
    path = f"/incidents/{row['incident']}"
    shown = lead.get(path)
    assert shown.json()["curve"]
    assert shown.json()["tickets"]
    assert lead.post(f"{path}/notices").status_code == 409
    mark = shown.headers["etag"]
    fixed = lead.post(f"{path}/fix", {"words": "the fibre fault"}, if_match=mark)
    assert fixed.json()["row"]["state"] == "fixed"
    assert lead.post(f"{path}/note", {"words": "x"}, if_match=mark).status_code == 412
    board.later(hours=4)
    proposed = lead.post(f"{path}/notices").json()["notices"]
    assert proposed
    assert {one["state"] for one in proposed} <= {"proposed", "withheld"}
    assert agent.post(f"{path}/notices/approve").status_code == 403
    approved = lead.post(f"{path}/notices/approve").json()["notices"]
    assert {one["approved_by"] for one in approved if one["state"] == "approved"} == {"lea"}
    sheet = agent.post(f"{path}/notices.csv", {"reason": "to send them"})
    assert sheet.text.startswith("\ufeffincident,state")
    told = lead.post(f"{path}/notices/told").json()["notices"]
    assert "told" in {one["state"] for one in told}


def test_links_are_decided_with_a_reason_and_undone(board: Board) -> None:
    agent = board.person("ann", "agent")
    one, other = _two_customers(board)
    path = f"/customers/{one}/links/{other}"
    joined = agent.post(path, {"state": "joined", "reason": "said so in a mail"})
    assert joined.json()["state"] == "joined"
    shown = agent.get(f"/customers/{other}").json()
    assert set(shown["accounts"]) == {one, other}
    assert shown["links"][0]["reasons"] == ["ann says so"]
    undone = agent.post(path, {"state": "refused", "reason": "was a mistake"})
    assert undone.json()["state"] == "undone"
    assert agent.get(f"/customers/{other}").json()["accounts"] == [other]
    assert "link: said so in a mail" in {read.reason for read in reads(board.store)}
    assert agent.get("/customers/nobody").status_code == 404


def _two_customers(board: Board) -> tuple[str, str]:
    found = {
        ticket.customer
        for ticket in board.store.all_tickets()
        if ticket.customer and ticket.source in ("mastodon", "bluesky")
    }
    one, other = sorted(found)[:2]
    return one, other


def test_the_privacy_officer_erases_somebody_everywhere(board: Board) -> None:
    officer = board.person("pia", "privacy")
    name = _first(officer)["ticket"]
    body = {"who": name, "reason": "asked by mail"}
    gone = officer.post("/erasures", body).json()
    assert gone["tickets"] >= 1
    not_ours = {place for place in gone["places"] if "kestrelline.jsonl" in place}
    assert {place for place, left in gone["places"].items() if left} <= not_ours
    assert officer.get(f"/tickets/{name}").status_code == 404
    log = officer.get("/vault/reads").json()["items"]
    assert any("asked by mail" in read["reason"] for read in log)
    assert officer.post("/erasures", {"who": "rss:nobody", "reason": "x"}).status_code == 422


def test_leads_see_the_team_and_the_books(board: Board) -> None:
    ann, lead = board.person("ann", "agent"), board.person("lea", "lead")
    name = ann.post("/tickets/next").json()["case"]["ticket"]
    team = lead.get("/team").json()
    assert {hand["agent"]: hand["tickets"] for hand in team["hands"]} == {"ann": [name]}
    waiting = sum(lane["waiting"] for lane in team["lanes"])
    assert waiting == len(lead.get("/queue?size=200&free=false").json()["items"])
    (heard,) = coverage(board.settings.landing, "day")
    (line,) = lead.get(f"/coverage?day={heard.period}").json()["lines"]
    assert line["new"] == heard.new > 10
    assert lead.get("/coverage?month=2026-11").json()["period"] == "2026-11"
    assert lead.get("/coverage?day=soon").status_code == 422
    sections = lead.get("/settings").json()["sections"]
    assert sections["triage"]["weights"]["certainty"] == 60
    assert "pseudonym_key" not in str(sections)


def test_calls_are_counted_and_too_many_are_told_when_to_come_back(board: Board) -> None:
    from desk.limits import Limits

    board.app.state.desk.limits = Limits(3)
    agent = board.person("ann", "agent")
    answers = [agent.get("/queue") for _ in range(4)]
    last = answers[-1]
    assert last.status_code == 429
    board.later(seconds=int(last.headers["retry-after"]))
    assert agent.get("/queue").status_code == 200


def test_a_body_beyond_measure_is_refused(board: Board) -> None:
    agent = board.person("ann", "agent")
    answer = agent.post("/tone", {"text": "x" * 1_100_000})
    assert answer.status_code == 413


def test_whoever_watches_over_the_desk_learns_of_its_store_and_nothing_else(board: Board) -> None:
    watcher = board.stranger()
    well = {"desk": {"status": "healthy"}, "store": {"status": "healthy"}}
    assert watcher.get("/health").json() == well
    board.down = True
    board.later(seconds=11)
    away = watcher.get("/health")
    assert (away.status_code, away.json()["store"]) == (200, {"status": "unhealthy"})
    board.down = False
    board.later(seconds=11)
    assert watcher.get("/health").json() == well
