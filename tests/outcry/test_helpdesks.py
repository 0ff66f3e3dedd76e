"""Tickets reach a help desk once, whatever it does, and its outcomes come back once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from outcry import exits
from outcry.helpdesks import Helpdesk, adapter, pull, push
from outcry.helpdesks.sync import outcome_of
from outcry.home import SettingsError
from outcry.sections import HelpdeskSettings
from tests.outcry.shell import call, only_line
from tests.servers.helpdesks import TOKEN, Desk, help_desk
from tests.triage.build import NOW, RULES, heard, triage
from triage import deliveries
from triage.contacts import contacts_of, labels
from triage.store import Store, open_store

LATER = NOW + timedelta(hours=12)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store("sqlite", path=tmp_path / "outcry.db")
    made.setup()
    texts = ("the kettle leaks all over", "nobody answers my letters", "charged twice again")
    triage(made, [heard(f"m{n}", text, by=f"by{n}") for n, text in enumerate(texts)])
    yield made
    made.close()


@pytest.fixture
def far() -> Iterator[Desk]:
    with help_desk() as desk:
        yield desk


@pytest.fixture(params=["zammad", "chatwoot", "zendesk"])
def desk(request: pytest.FixtureRequest, far: Desk) -> Helpdesk:
    return adapter(
        HelpdeskSettings(
            kind=request.param, url=far.url, account="1", inbox="7", user="a@b.example", token=TOKEN
        )
    )


def test_each_ticket_arrives_once_and_outcomes_come_back_once(
    store: Store, far: Desk, desk: Helpdesk
) -> None:
    assert push(store, desk, NOW).sent == 3
    assert push(store, desk, NOW).sent == 0
    assert len(far.tickets) == 3
    assert pull(store, desk, RULES, NOW).closed == 0
    far.close(("vip", "outcry-already-solved"))
    assert pull(store, desk, RULES, LATER).closed == 3
    assert pull(store, desk, RULES, LATER).looked_at == 0
    assert {one.status for one in store.all_tickets()} == {"resolved"}
    assert [label.outcome for label in labels(store)] == ["already solved"] * 3
    assert push(store, desk, LATER).sent == 0


@pytest.mark.parametrize("fault", ["500", "429", "401", "html", "lost", "lacks"])
def test_whatever_it_answers_nothing_is_lost_and_nothing_doubled(
    fault: str, store: Store, far: Desk, desk: Helpdesk
) -> None:
    far.faults.extend([fault] * 2)
    far.only_posts = True
    first = push(store, desk, NOW)
    assert first.sent == 0
    assert first.waiting == 3
    assert len(first.errors) == 1
    second = push(store, desk, NOW)  # the one that was tried waits for its time
    assert (second.sent, second.waiting) == (0, 3)
    assert push(store, desk, NOW).sent == 1
    assert push(store, desk, LATER).sent == 2
    assert len(far.tickets) == 3
    assert list(deliveries.waiting(store, desk.name)) == []


def test_a_server_that_is_down_is_asked_once_a_run(store: Store, far: Desk) -> None:
    nobody = adapter(HelpdeskSettings(kind="zammad", url="http://127.0.0.1:9", token=TOKEN))
    report = push(store, nobody, NOW)
    assert (report.sent, report.waiting) == (0, 3)
    assert report.errors == ["zammad does not answer (ConnectError)"]
    back = adapter(HelpdeskSettings(kind="zammad", url=far.url, token=TOKEN))
    assert push(store, back, LATER).sent == 3


def test_a_worker_that_dies_leaves_its_claim_to_run_out(store: Store, far: Desk) -> None:
    one = adapter(HelpdeskSettings(kind="zendesk", url=far.url, token=TOKEN))

    def die(delivery: deliveries.Delivery) -> str:
        raise KeyboardInterrupt

    push(
        store, adapter(HelpdeskSettings(kind="zendesk", url="http://127.0.0.1:9", token=TOKEN)), NOW
    )
    with pytest.raises(KeyboardInterrupt):
        deliveries.work(store, "zendesk", die, LATER)
    assert push(store, one, LATER).sent == 2
    assert push(store, one, LATER + deliveries.LEASE).sent == 1
    assert len(far.tickets) == 3


def test_a_ticket_that_is_gone_there_is_left_alone(store: Store, far: Desk, desk: Helpdesk) -> None:
    push(store, desk, NOW)
    far.tickets.clear()
    assert pull(store, desk, RULES, NOW).closed == 0
    assert {one.status for one in store.all_tickets()} == {"new"}
    assert pull(store, desk, RULES, NOW).looked_at == 0


@pytest.mark.parametrize(
    ("tag", "status", "contacted"),
    [
        ("outcry-no-answer", "contacted", True),
        ("outcry_wrong_person", "dismissed", True),
        ("outcry-not-a-complaint", "dismissed", False),
        ("anything", "resolved", True),
    ],
)
def test_tags_say_how_it_ended(
    tag: str, status: str, contacted: bool, store: Store, far: Desk
) -> None:
    one = adapter(HelpdeskSettings(kind="zendesk", url=far.url, token=TOKEN))
    push(store, one, NOW)
    far.close((tag,))
    pull(store, one, RULES, LATER)
    tickets = list(store.all_tickets())
    assert {ticket.status for ticket in tickets} == {status}
    assert bool(contacts_of(store, [ticket.customer for ticket in tickets])) == contacted


def test_no_tag_means_resolved() -> None:
    assert outcome_of([]) == "resolved"


def test_what_goes_there_names_nobody_and_says_why(store: Store, far: Desk) -> None:
    triage(store, [heard("order", "my order number KF-2291-88 never came", by="carl")])
    push(store, adapter(HelpdeskSettings(kind="zammad", url=far.url, token=TOKEN)), NOW)
    said = str(far.posts)
    assert "carl" not in said
    assert "KF-2291-88" not in said
    assert "[reference]" in said
    assert "certainty" in said


def test_without_a_token_or_a_kind_it_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="OUTCRY_HELPDESK_TOKEN"):
        adapter(HelpdeskSettings(kind="zammad", url="https://help.example"))
    result = call(tmp_path, "helpdesk")
    assert result.exit_code == exits.WRONG
    assert "[helpdesk]" in only_line(result)


def test_the_command_pushes_and_pulls(
    desk: Helpdesk, far: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outcry.toml").write_text(
        f'[helpdesk]\nkind = "{desk.name}"\nurl = "{far.url}"\naccount = "1"\ninbox = "7"\n'
    )
    monkeypatch.setenv("OUTCRY_HELPDESK_TOKEN", TOKEN)
    store = open_store("sqlite", path=tmp_path / "outcry.db")
    store.setup()
    triage(store, [heard("m1")])
    store.close()
    result = call(tmp_path, "helpdesk")
    assert result.exit_code == exits.DONE
    assert "push: 1 sent" in result.stdout
    far.faults.append("500")
    assert call(tmp_path, "helpdesk").exit_code == exits.LATER
