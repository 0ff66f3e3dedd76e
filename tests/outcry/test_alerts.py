"""The people on duty are told of an incident once, when somebody listens."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from listeners.coverage import Alert as Silence
from outcry.alerts import AlertSettings, alert, alert_silences
from outcry.demo import AS_OF, Demo
from tests.servers.helpdesks import help_desk
from triage import deliveries
from triage.store import Store, open_store

LATER = AS_OF + timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store("sqlite", path=tmp_path / "outcry.db")
    made.setup()
    yield made
    made.close()


def test_one_incident_is_one_alert_however_often_it_changes(demo: Demo, store: Store) -> None:
    with help_desk() as far:
        settings = AlertSettings(webhook=f"{far.url}/api/v1/tickets/1")
        far.faults.append("500")
        first = alert(settings, store, demo.incidents, AS_OF)
        assert (first.sent, first.waiting, len(first.errors)) == (0, 1, 1)
        far.tickets[1] = {"id": 1}
        for now in (LATER, LATER, LATER + timedelta(days=1)):
            alert(settings, store, demo.incidents, now)
        assert len(far.posts) == 2
        assert far.posts[1]["incident"] == demo.incidents[0].incident
        assert "5 customers" in far.posts[1]["text"]


def test_a_wrong_address_fails_and_says_what_to_correct(demo: Demo, store: Store) -> None:
    with help_desk() as far:
        settings = AlertSettings(webhook=f"{far.url}/api/v1/nowhere")
        report = alert(settings, store, demo.incidents, AS_OF)
    assert report.failed == 1
    assert "correct OUTCRY_ALERT_WEBHOOK" in report.errors[0]


def test_a_source_that_fell_silent_is_one_alert_for_each_silence(store: Store) -> None:
    def silent(since: str) -> Silence:
        return Silence(source="rss", target="forum", since=since, windows=3, words="sends nothing")

    with help_desk() as far:
        settings = AlertSettings(webhook=f"{far.url}/api/v1/tickets/1")
        far.tickets[1] = {"id": 1}
        for since in ("20261120T084500Z", "20261120T084500Z", "20261125T084500Z"):
            alert_silences(settings, store, [silent(since)], LATER)
        assert [post["since"] for post in far.posts] == ["20261120T084500Z", "20261125T084500Z"]
        assert far.posts[0]["text"] == ("rss/forum is silent since 20261120T084500Z: sends nothing")


@contextmanager
def mail_server() -> Iterator[tuple[str, list[str]]]:
    """A mail server that takes what it gets, as RFC 5321 has it: its address, and its letters."""
    letters: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while line := self.rfile.readline().decode().strip():
                word = line[:4].upper()
                if word == "DATA":
                    self.wfile.write(b"354 go on\r\n")
                    lines = iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ".")
                    letters.append("\n".join(lines))
                self.wfile.write(b"221 bye\r\n" if word == "QUIT" else b"250 fine\r\n")
                if word == "QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}", letters
        server.shutdown()
        thread.join()


def test_by_mail_it_is_one_letter(demo: Demo, store: Store) -> None:
    with mail_server() as (address, letters):
        settings = AlertSettings(email_to=("duty@kestrelline.example",), smtp=address)
        for now in (AS_OF, LATER):
            alert(settings, store, demo.incidents, now)
    (letter,) = letters
    assert "Subject: Outcry: minor incident" in letter
    assert list(deliveries.waiting(store, "email")) == []


def test_a_mail_server_that_is_down_costs_nothing_but_time(demo: Demo, store: Store) -> None:
    settings = AlertSettings(email_to=("duty@kestrelline.example",), smtp="127.0.0.1:9")
    report = alert(settings, store, demo.incidents, AS_OF)
    assert (report.sent, report.waiting) == (0, 1)
    with mail_server() as (address, letters):
        settings = AlertSettings(email_to=("duty@kestrelline.example",), smtp=address)
        assert alert(settings, store, demo.incidents, LATER).sent == 1
    assert len(letters) == 1
