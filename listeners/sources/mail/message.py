"""An e-mail to plain values, and those to a mention. Attachments are named, not kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from typing import Any

from listeners.mapping import MALFORMED
from listeners.mention import PRIVATE, Author, Mention
from listeners.text import plain_text
from listeners.times import parse_time

_HEADERS = (
    "auto-submitted",
    "date",
    "from",
    "in-reply-to",
    "list-id",
    "message-id",
    "precedence",
    "references",
    "subject",
    "to",
)
_MESSAGE_ID = re.compile(r"<([^<>\s]+)>")
_ATTRIBUTION = re.compile(r".*\S.*:\s*$")
_ORIGINAL = re.compile(r"\s*-{2,}\s*original message\s*-{2,}\s*$", re.IGNORECASE)
_BULK = ("bulk", "junk", "list")


def read(source: bytes) -> dict[str, Any]:
    """What we keep of an e-mail: some headers, its text, its HTML, attachments by name.

    Never raises: what cannot be decoded by its own rules is read as Latin-1.
    """
    message = message_from_bytes(source, policy=policy.default)
    assert isinstance(message, EmailMessage)
    headers = {name: value for name in _HEADERS if (value := _header(message, name))}
    kept: dict[str, Any] = {"headers": headers}
    for part in _parts(message):
        kind, name = part.get_content_type(), _filename(part)
        if name is not None:
            kept.setdefault("attachments", []).append(name)
        elif kind in ("text/plain", "text/html"):
            kept.setdefault(kind.partition("/")[2], _content(part))
    return kept


def mention_of(
    mail: Mapping[str, Any],
    *,
    owners: Sequence[str],
    container: str,
    now: datetime,
    listener: str,
) -> Mention | None:
    """The mention of what `read` gave, or None for mail that no person wrote to us.

    Raises:
        ValueError, or what looking into malformed values raises: if it cannot be one.
    """
    headers = mail["headers"]
    if _is_automatic(headers):
        return None
    name, address = getaddresses([headers["from"]])[0]
    if "@" not in address:
        raise ValueError(f"it has no sender's address: {headers['from'][:80]!r}")
    address = address.lower()
    subject = headers.get("subject") or None
    text = said(mail["plain"]) if (mail.get("plain") or "").strip() else ""
    text = text or plain_text(mail.get("html") or "") or subject or ""
    if not text:
        raise ValueError("it has neither a text nor a subject")
    arrived = mail.get("arrived_at")
    arrived_at = parse_time(arrived, UTC)[0] if arrived else None
    created_at = _date(headers) or arrived_at
    answered = _ids(headers.get("in-reply-to"))
    thread = _ids(headers.get("references"))
    return Mention(
        source="email",
        native_id=next(iter(_ids(headers.get("message-id"))), None) or _digest(headers, text),
        kind="message",
        text=text,
        title=subject if text != subject else None,
        created_at=created_at or now,
        time_quality="client" if _date(headers) else "server" if arrived_at else "fetched",
        indexed_at=arrived_at,
        collected_at=now,
        listener=listener,
        author=Author(
            id=address, handle=address, name=name or None, is_owner=_is_own(address, owners)
        ),
        container=container,
        parent_id=next(iter(answered or thread[-1:]), None),
        root_id=thread[0] if thread else None,
        flags=(PRIVATE, "truncated") if mail.get("truncated") else (PRIVATE,),
        raw=mail,
    )


def said(text: str) -> str:
    """A plain text without what it quotes: its writer's own words.

    Quoted lines go with the line that introduces them, and so does all that follows a
    signature's dashes or the words "Original Message". A text that is nothing else stays
    as it is.
    """
    own: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.rstrip() == "--" or _ORIGINAL.match(line):
            break
        if not line.startswith(">"):
            own.append(line.rstrip())
            continue
        while own and not own[-1]:
            own.pop()
        if own and _ATTRIBUTION.match(own[-1]):
            own.pop()
    return "\n".join(own).strip() or text.strip()


def _parts(message: EmailMessage) -> list[EmailMessage]:
    """The leaves, without those of forwarded messages."""
    found: list[EmailMessage] = []
    open_parts = [message]
    while open_parts:
        part = open_parts.pop(0)
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            open_parts = [p for p in part.get_payload() if isinstance(p, EmailMessage)] + open_parts
        else:
            found.append(part)
    return found


def _header(message: EmailMessage, name: str) -> str | None:
    try:
        value = message[name]
    except MALFORMED:
        # The parser gives up over some headers; their text is still of use.
        raw = (value for key, value in message.raw_items() if key.lower() == name)
        value = next(raw, None)
    return None if value is None else _clean(" ".join(str(value).split()))


def _content(part: EmailMessage) -> str:
    try:
        content = part.get_content()
    except MALFORMED:
        payload = part.get_payload(decode=True)
        content = payload.decode("latin-1") if isinstance(payload, bytes) else ""
    return _clean(str(content))


def _filename(part: EmailMessage) -> str | None:
    try:
        name = part.get_filename()
        if name is None and part.get_content_disposition() == "attachment":
            name = "unnamed"
    except MALFORMED:
        name = "unnamed"
    return None if name is None else _clean(name)


def _clean(text: str) -> str:
    """Without lone surrogates, which the parser leaves where bytes have no meaning."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _is_automatic(headers: Mapping[str, Any]) -> bool:
    return (
        headers.get("auto-submitted", "no").lower() != "no"
        or headers.get("precedence", "").lower() in _BULK
        or "list-id" in headers
    )


def _is_own(address: str, owners: Sequence[str]) -> bool:
    ours = {owner.lower() for owner in owners}
    return address in ours or f"@{address.rpartition('@')[2]}" in ours


def _ids(value: str | None) -> list[str]:
    return _MESSAGE_ID.findall(value or "")


def _date(headers: Mapping[str, Any]) -> datetime | None:
    try:
        return parse_time(headers["date"], UTC)[0]
    except (KeyError, ValueError):
        return None


def _digest(headers: Mapping[str, Any], text: str) -> str:
    """An identity for a message that has none."""
    words = "\x1f".join((str(headers.get("from")), str(headers.get("date")), text))
    return hashlib.sha256(words.encode()).hexdigest()[:32]
