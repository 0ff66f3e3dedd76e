"""E-mail from a local IMAP server and from files."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from listeners.contract import Target
from listeners.errors import BadTarget, ListenerError
from listeners.landing import Landing
from listeners.ledger import LedgerRow
from listeners.mention import Mention
from listeners.run import collect
from listeners.sources.mail import Email, message
from tests.listeners.conformance.desk import Desk
from tests.listeners.fakes import NOW, budget, rejected, stored
from tests.servers.imap import Folder, letter, serving_imap
from tests.servers.mail import Station


@pytest.fixture
def station() -> Iterator[Station]:
    """An inbox."""
    station = Station()
    with station.open():
        yield station


@pytest.fixture
def desk(station: Station, tmp_path: Path) -> Desk:
    """Listens to it."""
    return Desk(station, tmp_path)


def mention_of(source: bytes) -> Mention | None:
    """What becomes of one message."""
    return message.mention_of(
        message.read(source), owners=["@brand.example"], container="x", now=NOW, listener="email/1"
    )


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    station: Station, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up: list[str] = []
    real = socket.getaddrinfo

    def changing(host: Any, *args: Any, **more: Any) -> Any:
        """Another answer each time for one name: here first, then where nobody is."""
        if host != "rebinding.example":
            return real(host, *args, **more)
        looked_up.append(host)
        return real("127.0.0.1" if len(looked_up) == 1 else "127.0.0.2", *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    station.params = {"host": "rebinding.example"}
    desk.world.write()
    assert (desk.listen().new, len(looked_up)) == (1, 1)


def test_a_message_becomes_private_history(station: Station, desk: Desk) -> None:
    desk.world.write()
    row = desk.listen()
    assert (row.outcome, row.new) == ("ok", 1)
    (mention,) = desk.mentions()
    assert mention.is_private
    assert (mention.kind, mention.text) == ("message", desk.world.posts[0].text)
    assert (mention.native_id, mention.title) == ("1@mail.example", "Late again")
    assert (mention.author.id, mention.author.name) == ("ann@mail.example", "Ann Example")
    assert mention.created_at == mention.indexed_at == desk.world.posts[0].at
    assert (mention.container, mention.author.is_owner) == ("INBOX", False)


def test_the_folder_is_left_as_it_was(station: Station, desk: Desk) -> None:
    desk.world.write(6)
    desk.listen()
    said = station.folder.commands
    assert [c for c in said if c.startswith("SELECT")] == []
    fetched = [c for c in said if c.startswith("UID FETCH")]
    assert len(fetched) == 2
    assert all("BODY.PEEK[]" in command for command in fetched)


def test_folders_that_are_numbered_anew_cost_and_repeat_nothing(
    station: Station, desk: Desk
) -> None:
    desk.world.write(5)
    desk.settle()
    station.folder.validity = 2
    desk.world.write(2)
    desk.settle()
    desk.complete()


def test_only_the_days_of_history_are_read_at_first(station: Station, desk: Desk) -> None:
    desk.world.now -= timedelta(days=40)
    desk.world.write(3)
    desk.world.now += timedelta(days=40)
    desk.world.write(2)
    assert desk.listen().new == 2


def test_a_huge_message_is_cut_and_says_so(station: Station, desk: Desk) -> None:
    desk.world.write()
    station.folder.before_each = lambda: None
    station.folder.letters = {1: (desk.world.posts[0].at, letter(1, NOW, "late " * 300_000))}
    desk.listen()
    (mention,) = desk.mentions()
    assert mention.flags == ("private", "truncated")


@pytest.mark.parametrize(
    ("params", "error", "words"),
    [
        ({"password": "another"}, "AuthFailed", "OUTCRY_EMAIL_PASSWORD"),
        ({"folder": "Lost"}, "TargetGone", "correct folder"),
        ({"security": "tls"}, "Transient", "failed"),
        ({"host": "localhost.invalid"}, "Transient", "looked up"),
    ],
)
def test_what_is_refused_is_named(
    station: Station, desk: Desk, params: dict[str, object], error: str, words: str
) -> None:
    station.params = params
    row = desk.listen()
    assert (row.error_class, words in (row.error or "")) == (error, True), row
    assert "a secret" not in (row.error or "")


@pytest.mark.parametrize("trusted", [True, False])
def test_a_server_is_believed_by_its_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    folder = Folder(letters={1: (NOW, letter(1, NOW, "Late"))})
    with serving_imap(folder, context) as port:
        params = {"host": "localhost", "port": port, "user": "help", "password": "a secret"}
        target = Target(source="email", key="help", params=params)
        row = collect(Email(), target, Landing(tmp_path), "w1", budget())
    assert (row.new, row.error_class) == ((1, None) if trusted else (0, "BadTarget")), row
    assert folder.logins == trusted, "no password goes to whom we do not trust"


def test_a_machine_of_the_house_is_not_connected_to(station: Station) -> None:
    outside = budget(1)
    closed = type(outside)(max_pages=1, now=NOW)
    with pytest.raises(BadTarget, match="no public address"):
        next(station.listener().collect(station.target(), None, closed))
    assert station.folder.logins == 0


def test_what_it_quotes_is_not_what_it_says() -> None:
    text = (
        "Still nothing.\n\nOn Monday, Help wrote:\n> We are sorry\n> It will come\n\nAnn\n-- \nAnn"
    )
    assert message.said(text) == "Still nothing.\n\nAnn"
    assert message.said("Look:\n> all of it") == "Look:\n> all of it"
    assert message.said("Late\n--- Original Message ---\nFrom: us") == "Late"


def test_a_reply_knows_its_thread_and_the_brand_its_own() -> None:
    reply = letter(
        3,
        NOW,
        "We are sorry",
        From="Help <HELP@brand.example>",
        In_Reply_To="<2@mail.example>",
        References="<1@mail.example> <2@mail.example>",
    )
    mention = mention_of(reply)
    assert mention is not None
    assert (mention.parent_id, mention.root_id) == ("2@mail.example", "1@mail.example")
    assert mention.author.is_owner


@pytest.mark.parametrize(
    "headers",
    [{"Auto-Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"List-Id": "<news.example>"}],
)
def test_automatic_mail_is_left_out(headers: dict[str, str]) -> None:
    assert mention_of(letter(1, NOW, "I am away", **headers)) is None
    assert mention_of(letter(1, NOW, "I am here", Auto_Submitted="no")) is not None


def test_text_is_found_in_all_that_mail_can_be() -> None:
    parts = (
        b"From: =?utf-8?q?Ann=C3=A9?= <ann@mail.example>\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\n"
        b"<p>The tram<br>is late</p>\n--b\nContent-Type: text/plain; name=log.txt\n"
        b"Content-Disposition: attachment\n\nlog\n--b--\n"
    )
    mention = mention_of(parts)
    assert mention is not None
    assert (mention.text, mention.author.name) == ("The tram\nis late", "Ann\u00e9")
    assert mention.raw["attachments"] == ["log.txt"]
    assert (mention.created_at, mention.time_quality) == (NOW, "fetched")
    assert len(mention.native_id) == 32
    odd = b"From: a@b.example\nContent-Type: text/plain; charset=klingon\n\nQapla\xe9"
    assert mention_of(odd).text == "Qapla\u00e9"  # type: ignore[union-attr]


@given(st.binary(max_size=300) | st.binary(max_size=100).map(lambda b: b"From: " + b))
def test_no_message_breaks_the_reader(source: bytes) -> None:
    message.read(source)


class Box:
    """A file of messages, listened to run after run."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "help.mbox"
        self.landing = Landing(folder / "landing")
        self.runs = 0

    def add(self, *numbers: int) -> None:
        """Messages at its end, one of them with a line that looks like a beginning."""
        with self.file.open("ab") as file:
            for number in numbers:
                text = f"Message {number}\n>From here it went wrong\nFrom there too"
                source = letter(number, NOW, text).replace(b"\r\n", b"\n")
                file.write(b"From ann@mail.example Fri Jan  2 12:00:00 2026\n" + source + b"\n")

    def listen(self, page: int = 2, pages: int = 100) -> LedgerRow:
        """A run."""
        self.runs += 1
        target = Target(source="email", key="box", params={"path": str(self.file)})
        window = f"w{self.runs}"
        return collect(Email(page=page), target, self.landing, window, budget(pages))

    def ids(self) -> list[str]:
        """All that is stored."""
        return [record.native_id.partition("@")[0] for record in stored(self.landing)]


def test_a_file_is_read_on_from_where_it_ended(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.add(1, 2, 3)
    assert box.listen(pages=1).cut_off
    assert box.listen().outcome == "ok"
    box.add(4, 5)
    assert (box.listen().new, box.listen().got) == (2, 0)
    assert box.ids() == ["1", "2", "3", "4", "5"]
    texts = [record.text for record in stored(box.landing) if isinstance(record, Mention)]
    assert texts[0] == "Message 1\nFrom here it went wrong\nFrom there too"


def test_a_file_that_was_written_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.add(1, 2, 3)
    box.listen()
    box.file.unlink()
    box.add(7)
    assert box.listen().new == 1
    assert box.ids() == ["1", "2", "3", "7"]


def test_a_message_that_was_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    box = Box(tmp_path)
    box.add(1, 2)
    whole = box.file.read_bytes()
    box.file.write_bytes(whole[:-30])
    box.listen()
    box.file.write_bytes(whole)
    row = box.listen()
    assert (row.changed, sorted(set(box.ids()))) == (1, ["1", "2"])


@pytest.mark.parametrize(
    ("content", "error"), [(None, "TargetGone"), (b"PK\x03\x04", "BadTarget"), (b"", None)]
)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes | None, error: str) -> None:
    box = Box(tmp_path)
    if content is not None:
        box.file.write_bytes(content)
    assert box.listen().error_class == error


def test_a_rejected_message_can_be_mapped_again(station: Station, desk: Desk) -> None:
    desk.world.write(malformed=True)
    desk.listen()
    (reject,) = rejected(desk.landing)
    with pytest.raises(ValueError, match="'from' is missing"):
        Email().remap(reject, station.target(), NOW)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "either host"),
        ({"host": "mail.example", "path": "x"}, "either host"),
        ({"host": "mail.example", "user": "help"}, "OUTCRY_EMAIL_PASSWORD"),
        ({"host": "m\r\nn", "user": "u", "password": "p"}, "line break"),
        ({"host": "m", "user": "u", "password": "p", "folder": "Entwürfe"}, "modified UTF-7"),
        ({"host": "m", "user": "u", "password": "p", "security": "ssl"}, "security"),
    ],
)
def test_wrong_settings_are_named(params: dict[str, object], words: str) -> None:
    with pytest.raises(ListenerError, match=words):
        Email().check(Target(source="email", key="help", params=params))
