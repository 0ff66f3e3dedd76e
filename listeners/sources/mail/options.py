"""The settings of a mailbox."""

from __future__ import annotations

from typing import Literal

import msgspec

from listeners.contract import Target
from listeners.errors import BadTarget


class Mailbox(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A target's params: a folder of an IMAP server, or a file."""

    host: str | None = None
    port: int = 993
    security: Literal["tls", "starttls", "none"] = "tls"
    """``none`` sends the password in the clear: for a server on the same machine."""
    user: str | None = None
    password: str | None = None
    folder: str = "INBOX"
    path: str | None = None
    """Of a file in mbox form, instead of a server."""
    history_days: float = 30
    """How far back the first run goes; a file is read from its beginning."""
    owners: tuple[str, ...] = ()
    """The brand's own addresses, or whole domains as ``@brand.example``."""


def mailbox_of(target: Target) -> Mailbox:
    """The target's params, checked.

    Raises:
        BadTarget: if they are wrong.
    """

    def wrong(words: str) -> BadTarget:
        return BadTarget(f"email target {target.key}: {words}")

    try:
        mailbox = msgspec.convert(target.params, Mailbox)
    except msgspec.ValidationError as error:
        raise wrong(f"{error}: correct its settings") from error
    if (mailbox.host is None) == (mailbox.path is None):
        raise wrong("give either host, for a server, or path, for a file")
    if mailbox.host is not None and not (mailbox.user and mailbox.password):
        raise wrong("a server wants user, and OUTCRY_EMAIL_PASSWORD in the environment")
    if any(c in f"{mailbox.host}{mailbox.user}{mailbox.folder}" for c in "\r\n\0"):
        raise wrong("host, user or folder holds a line break: remove it")
    if not mailbox.folder.isascii():
        raise wrong(f"folder {mailbox.folder!r} is not ASCII: write it in modified UTF-7")
    return mailbox
