"""A folder of an IMAP server, read without changing it. Speaks through `imaplib`."""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from listeners.contract import Budget
from listeners.errors import (
    AuthFailed,
    BadTarget,
    ListenerError,
    RateLimited,
    SchemaChanged,
    TargetGone,
    Transient,
)
from listeners.sources.mail.options import Mailbox

MOST = 1024 * 1024
"""Bytes that are fetched of one message; the rest is mostly attachments."""
TIMEOUT = 30.0
"""Seconds without a word after which a server is given up."""
_WAIT = timedelta(minutes=15)
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_ARRIVED = re.compile(rb'\bINTERNALDATE "([^"]+)"')
_CODE = re.compile(r"\[([A-Z-]+)")
_LATER = ("UNAVAILABLE", "INUSE", "SERVERBUG")
_SLOWER = ("LIMIT", "OVERQUOTA", "THROTTLED")
_REFUSED = ("AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED")


class Letter(NamedTuple):
    """A message as the server keeps it."""

    uid: int
    source: bytes
    truncated: bool
    arrived_at: str | None


class Imap:
    """One folder. Connects when it is first asked, and again after a failure."""

    def __init__(self, mailbox: Mailbox, budget: Budget, *, timeout: float = TIMEOUT) -> None:
        self._mailbox = mailbox
        self._budget = budget
        self._timeout = timeout
        self._session: imaplib.IMAP4 | None = None
        self.validity = 0
        """Uids mean something while this number stays the same."""
        self.count = 0
        """Messages in the folder when it was opened."""

    def open(self) -> None:
        """Select the folder, for reading only.

        Raises:
            ListenerError: by class, as the server's answer means.
        """
        if self._session is not None:
            return
        self._budget.take()
        with self._named("open"):
            self._session = self._connect()
        with self._named("sign in"):
            self._session.login(self._mailbox.user or "", self._mailbox.password or "")
        with self._named("select"):
            folder = '"' + self._mailbox.folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
            (count, *_) = self._do("select", self._session.select(folder, readonly=True))
            _, values = self._session.response("UIDVALIDITY")
        self.validity = int(values[0]) if values and values[0] else 0
        self.count = int(count or 0)

    def uids(self, after: int | None, since: datetime) -> list[int]:
        """The uids above ``after``, rising; those of the days from ``since`` on if it is None."""
        self.open()
        assert self._session is not None
        self._budget.take()
        criterion = f"UID {after + 1}:*" if after is not None else f"SINCE {_day(since)}"
        with self._named("search"):
            (found, *_) = self._do("search", self._session.uid("SEARCH", criterion))
        uids = sorted({int(uid) for uid in (found or b"").split()})
        # ``n:*`` means the last message too when its uid is below n.
        return [uid for uid in uids if after is None or uid > after]

    def fetch(self, uids: list[int]) -> list[Letter]:
        """Those of the messages that are still there, in the order of ``uids``."""
        self.open()
        assert self._session is not None
        self._budget.take()
        what = f"(UID RFC822.SIZE INTERNALDATE BODY.PEEK[]<0.{MOST}>)"
        with self._named("fetch"):
            parts = self._do("fetch", self._session.uid("FETCH", ",".join(map(str, uids)), what))
        letters = {letter.uid: letter for letter in _letters(parts)}
        return [letters[uid] for uid in uids if uid in letters]

    def close(self) -> None:
        """Sign out; whether the server hears it does not matter."""
        session, self._session = self._session, None
        if session is not None:
            try:
                session.logout()
            except (imaplib.IMAP4.error, OSError):
                session.shutdown()

    def _connect(self) -> imaplib.IMAP4:
        host, port = self._mailbox.host or "", self._mailbox.port
        addresses = self._budget.reach.addresses(host, port)
        tls = _context() if self._mailbox.security == "tls" else None
        session = _Pinned(host, port, self._timeout, addresses, tls)
        if self._mailbox.security == "starttls":
            session.starttls(_context())
        return session

    def _do(self, step: str, answer: tuple[str, list[Any]]) -> list[Any]:
        status, data = answer
        if status == "OK":
            return data
        words = data[0].decode("utf-8", "replace") if data and isinstance(data[0], bytes) else ""
        raise self._refusal(step, words)

    @contextmanager
    def _named(self, step: str) -> Iterator[None]:
        """Failures by our classes; the connection is given up."""
        try:
            yield
        except ListenerError:
            self.close()
            raise
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise BadTarget(
                f"{self._here}: its certificate is not trusted ({error.verify_message}): "
                "correct host, or trust its authority"
            ) from error
        except (imaplib.IMAP4.abort, OSError) as error:
            self.close()
            raise Transient(f"{self._here}: {step} failed ({_line(error)}): tried again") from error
        except imaplib.IMAP4.error as error:
            self.close()
            raise self._refusal(step, _line(error)) from error
        except (ValueError, LookupError, AttributeError) as error:
            self.close()
            raise SchemaChanged(
                f"{self._here}: {step} was not answered as IMAP: see its log"
            ) from error

    def _refusal(self, step: str, words: str) -> ListenerError:
        """What a server that says no means, by its response code (RFC 5530)."""
        match = _CODE.search(words)
        code = match[1] if match else ""
        words = f"{self._here}: {step} refused ({words[:150]})"
        if code in _LATER:
            return Transient(f"{words}: tried again next time")
        if code in _SLOWER:
            at = self._budget.now + _WAIT
            return RateLimited(f"{words}: wait until {at.isoformat()}", at)
        if step == "sign in" or code in _REFUSED:
            return AuthFailed(f"{words}: check user and OUTCRY_EMAIL_PASSWORD")
        if step == "open":
            return SchemaChanged(f"{words}: is it an IMAP server?")
        if step == "select" or code == "NONEXISTENT":
            return TargetGone(f"{words}: correct folder")
        return SchemaChanged(f"{words}: see the server's log")

    @property
    def _here(self) -> str:
        return f"{self._mailbox.host} {self._mailbox.folder}"


class _Pinned(imaplib.IMAP4):
    """Connects to an address that was checked; the host's name stays for its certificate."""

    def __init__(
        self,
        host: str,
        port: int,
        timeout: float,
        addresses: list[str],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._addresses = addresses
        self._tls = tls
        super().__init__(host, port, timeout=timeout)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        problem = OSError("no address")
        for address in self._addresses:
            try:
                plain = socket.create_connection((address, self.port), timeout)
            except OSError as error:
                problem = error
                continue
            return plain if self._tls is None else self._wrapped(plain)
        raise problem

    def _wrapped(self, plain: socket.socket) -> socket.socket:
        assert self._tls is not None
        try:
            return self._tls.wrap_socket(plain, server_hostname=self.host)
        except OSError:
            plain.close()
            raise


def _letters(parts: list[Any]) -> Iterator[Letter]:
    """Of an answer to FETCH: what precedes a message's bytes and what follows them."""
    for number, part in enumerate(parts):
        if not isinstance(part, tuple):
            continue
        after = parts[number + 1] if number + 1 < len(parts) else b""
        about = part[0] + (b" " + after if isinstance(after, bytes) else b"")
        uid, size, arrived = _UID.search(about), _SIZE.search(about), _ARRIVED.search(about)
        if uid is not None:
            yield Letter(
                int(uid[1]),
                part[1],
                size is not None and int(size[1]) > len(part[1]),
                arrived[1].decode("ascii", "replace").strip() if arrived else None,
            )


def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _day(at: datetime) -> str:
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{at.day:02}-{months[at.month - 1]}-{at.year}"


def _line(error: Exception) -> str:
    words = error.args[0] if error.args else type(error).__name__
    if isinstance(words, bytes):
        words = words.decode("utf-8", "replace")
    return " ".join(str(error if isinstance(error, OSError) else words).split())[:150]
