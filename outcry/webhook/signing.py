"""Who may send: signed as `triage.signing` says, good for five minutes and for one use."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from pathlib import Path

from triage.signing import SIGNATURE, TIMESTAMP, signature

__all__ = ["SIGNATURE", "SKEW", "TIMESTAMP", "Refused", "Seen", "signature", "verify"]

SKEW = timedelta(minutes=5)


class Refused(Exception):
    """The request is not to be believed; ``status`` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def verify(secret: str, timestamp: str, given: str, body: bytes, now: datetime) -> None:
    """Return if the body was signed with the secret at about this time.

    Raises:
        Refused: if not; with one message for all reasons that a stranger could learn from.
    """
    wanted = signature(secret, timestamp, body)
    signed = hmac.compare_digest(wanted.encode(), given.encode())
    if not signed or not timestamp.isascii() or not timestamp.isdecimal():
        raise Refused(401, f"the signature is wrong: sign the body as {SIGNATURE} says")
    if abs(now.timestamp() - int(timestamp)) > SKEW.total_seconds():
        raise Refused(401, "the timestamp is more than five minutes off: set the sender's clock")


class Seen:
    """Signatures that were used, as empty files: safe across threads, processes and restarts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def use(self, given: str, now: datetime) -> None:
        """Let a signature through once.

        Raises:
            Refused: if it was used before.
            OSError: if the folder cannot be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            (self._folder / given.removeprefix("sha256=")).touch(exist_ok=False)
        except FileExistsError:
            raise Refused(409, "it was sent before: sign it anew to send it again") from None
        self._forget(now)

    def unused(self, given: str) -> None:
        """Let a signature through once more: nothing came of its use."""
        (self._folder / given.removeprefix("sha256=")).unlink(missing_ok=True)

    def _forget(self, now: datetime) -> None:
        """Remove those that their timestamp refuses by now."""
        old = (now - 3 * SKEW).timestamp()
        for path in self._folder.iterdir():
            try:
                if path.stat().st_mtime < old:
                    path.unlink()
            except FileNotFoundError:
                continue
