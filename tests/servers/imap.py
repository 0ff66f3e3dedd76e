"""An IMAP server as far as reading one folder goes, well and badly behaved.

Shaped from RFC 3501 and the response codes of RFC 5530, with the surprise that ``n:*``
always means the last message too. The client is Python's own `imaplib`.
"""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

_COMMAND = re.compile(rb"(\S+) (UID )?(\S+) ?(.*?)\r?\n")


@dataclass
class Folder:
    """What the server has, and what it does next."""

    letters: dict[int, tuple[datetime, bytes]] = field(default_factory=dict)
    """By uid: when it arrived, and the message."""
    validity: int = 1
    password: str = "a secret"
    fault: Callable[[], str | None] = lambda: None
    """Asked at each search and fetch: the text of a refusal, or ``silence``, ``hang up`` or
    ``garbage``; None for a good answer."""
    before_each: Callable[[], None] = lambda: None
    patience: float = 0.5
    after_fetch: Callable[[], None] = lambda: None
    logins: int = 0
    commands: list[str] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    server: _Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with suppress(OSError, ssl.SSLError):
            if self.server.tls is not None:
                self.request.settimeout(5)
                self.connection = self.server.tls.wrap_socket(self.request, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", 0)
            self._say(b"* OK ready")
            while match := _COMMAND.fullmatch(self.rfile.readline()):
                tag, uid, name, rest = match.groups()
                command = ((uid or b"") + name.upper()).decode()
                self.server.folder.commands.append(f"{command} {rest.decode()}")
                if not self._answer(tag, command, rest):
                    return

    def finish(self) -> None:
        """Hang up."""
        super().finish()
        self.connection.close()

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    def _answer(self, tag: bytes, command: str, rest: bytes) -> bool:
        folder = self.server.folder
        folder.before_each()
        fault = folder.fault() if command in ("UID SEARCH", "UID FETCH") else None
        if fault is not None:
            return self._bad_day(tag, fault)
        if command == "LOGIN":
            folder.logins += 1
            if f'"{folder.password}"'.encode() not in rest:
                self._say(tag + b" NO [AUTHENTICATIONFAILED] Invalid credentials")
                return True
        elif command == "CAPABILITY":
            self._say(b"* CAPABILITY IMAP4rev1")
        elif command in ("SELECT", "EXAMINE"):
            if rest != b'"INBOX"':
                self._say(tag + b" NO [NONEXISTENT] Unknown mailbox")
                return True
            self._say(b"* %d EXISTS" % len(folder.letters))
            self._say(b"* OK [UIDVALIDITY %d] UIDs valid" % folder.validity)
        elif command == "UID SEARCH":
            self._say(b" ".join([b"* SEARCH", *(b"%d" % n for n in self._found(rest.decode()))]))
        elif command == "UID FETCH":
            self._fetch(rest.decode())
            folder.after_fetch()
        elif command == "LOGOUT":
            self._say(b"* BYE")
        self._say(tag + b" OK done")
        return command != "LOGOUT"

    def _bad_day(self, tag: bytes, fault: str) -> bool:
        if fault == "silence":
            time.sleep(self.server.folder.patience)
            return False
        if fault == "hang up":
            self.wfile.write(b"* 1 FETCH (UID 1 BODY[]<0> {500}\r\nFrom: ann@ma")
            return False
        if fault == "garbage":
            self._say(b"<!doctype html><html><body><p>We are back soon.</p></body></html>")
            return False
        self._say(tag + b" NO " + fault.encode())
        return True

    def _found(self, criterion: str) -> list[int]:
        letters = self.server.folder.letters
        if match := re.fullmatch(r"UID (\d+):\*", criterion):
            above = {uid for uid in letters if uid >= int(match[1])}
            return sorted(above | set(list(letters)[-1:]))
        day = datetime.strptime(criterion.removeprefix("SINCE "), "%d-%b-%Y").replace(tzinfo=UTC)
        return sorted(uid for uid, (arrived, _) in letters.items() if arrived >= day)

    def _fetch(self, rest: str) -> None:
        letters = self.server.folder.letters
        uids, _, what = rest.partition(" ")
        most = int(re.search(r"BODY\.PEEK\[\]<0\.(\d+)>", what)[1])  # type: ignore[index]
        for number, uid in enumerate(map(int, uids.split(",")), start=1):
            if uid not in letters:
                continue
            arrived, source = letters[uid]
            part = source[:most]
            at = arrived.strftime("%d-%b-%Y %H:%M:%S +0000")
            about = f'UID {uid} RFC822.SIZE {len(source)} INTERNALDATE "{at}"'
            self.wfile.write(f"* {number} FETCH ({about} BODY[]<0> {{{len(part)}}}\r\n".encode())
            self._say(part + b")")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    folder: Folder
    tls: ssl.SSLContext | None


@contextmanager
def serving_imap(folder: Folder, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that runs until the block ends."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.folder, server.tls = folder, tls
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def letter(number: int, at: datetime, text: str, **headers: str | None) -> bytes:
    """A message of plain text, as it goes over the wire; a header that is None is left out."""
    given: dict[str, str | None] = {
        "From": "Ann Example <ann@mail.example>",
        "To": "help@brand.example",
        "Date": at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        "Subject": "Late again",
        "Message-ID": f"<{number}@mail.example>",
        "Content-Type": "text/plain; charset=utf-8",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"{name}: {value}" for name, value in given.items() if value is not None]
    return "\r\n".join([*lines, "", *text.split("\n"), ""]).encode()
