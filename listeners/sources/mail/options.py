"""The settings of a mailbox."""

from __future__ import annotations

from typing import Literal

import msgspec

from listeners.contract import Target
from listeners.targets import settings, wrong


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

    mailbox = settings(target, Mailbox)
    if (mailbox.host is None) == (mailbox.path is None):
        raise wrong(target, "give either host, for a server, or path, for a file")
    if mailbox.host is not None and not (mailbox.user and mailbox.password):
        raise wrong(target, "a server wants user, and OUTCRY_EMAIL_PASSWORD in the environment")
    if any(c in f"{mailbox.host}{mailbox.user}{mailbox.folder}" for c in "\r\n\0"):
        raise wrong(target, "host, user or folder holds a line break: remove it")
    if not mailbox.folder.isascii():
        raise wrong(target, f"folder {mailbox.folder!r} is not ASCII: write it in modified UTF-7")
    return mailbox
