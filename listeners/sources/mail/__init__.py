"""E-mail: a folder of an IMAP server, or a file in mbox form.

What customers write to the brand is private: every mention says so (`PRIVATE`), so that it
counts as history of a case and is never answered or quoted in public. The folder is opened
for reading only, and messages stay unread. Messages go by their Message-ID, so that one
which lies in several folders or comes twice is one mention. Automatic mail, by the headers
that it must have (RFC 3834, RFC 2919), is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from listeners.contract import Budget, Page, Reject, State, Target, Traits
from listeners.http import with_retries
from listeners.mapping import map_again, map_items
from listeners.mention import Deletion, Mention
from listeners.sources.mail.imap import TIMEOUT, Imap
from listeners.sources.mail.mbox import messages
from listeners.sources.mail.message import mention_of, read
from listeners.sources.mail.options import Mailbox, mailbox_of
from listeners.times import parse_time

__all__ = ["Email", "Mailbox"]

_PAGE = 50


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The state: of a server, or of a file."""

    validity: int | None = None
    uid: int | None = None
    """The last message that was read."""
    arrived_at: str | None = None
    """When it arrived, by which reading goes on after the server has numbered anew."""
    offset: int = 0


class Email:
    """One folder or file."""

    name: ClassVar[str] = "email"
    version: ClassVar[str] = "1"
    traits: ClassVar[Traits] = Traits(
        order="oldest_first", rate_by=("host", "user"), rate_family="email"
    )

    def __init__(
        self,
        *,
        page: int = _PAGE,
        timeout: float = TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._page = page
        self._timeout = timeout
        self._sleep = sleep

    def check(self, target: Target) -> None:
        """Whether the settings can be used.

        Raises:
            BadTarget: if not.
        """
        mailbox_of(target)

    def whoami(self, target: Target, budget: Budget) -> str:
        """What the credential may do; see `listeners.contract.Identifies`."""
        mailbox = mailbox_of(target)
        if mailbox.path is not None:
            return ""
        server = Imap(mailbox, budget, timeout=self._timeout)
        try:
            with_retries(server.open, sleep=self._sleep)
            return f"signed in as {mailbox.user}, may read {mailbox.folder} ({server.count} in it)"
        finally:
            server.close()

    def collect(self, target: Target, state: State | None, budget: Budget) -> Iterator[Page]:
        """Yield pages of up to fifty messages, in the order in which they arrived.

        Raises:
            AuthFailed: if the server refuses the password.
            TargetGone: if there is no such folder or file.
            RateLimited: if the server says that it was asked too often.
            BadTarget: if its certificate is not trusted, or the file is no mbox.
            Transient, SchemaChanged: as their classes say.
        """
        mailbox = mailbox_of(target)
        place = msgspec.convert(state or {}, Place)
        walk = self._file if mailbox.path is not None else self._folder
        for mails, after, done in walk(mailbox, place, budget):
            items, rejects = map_items(
                mails,
                lambda mail: self._map(mail, mailbox, budget.now),
                listener=self,
                target=target,
                at=budget.now,
            )
            yield Page(
                items=items,
                rejects=rejects,
                state=msgspec.to_builtins(after),
                raw_count=len(items) + len(rejects),
                done=done,
            )

    def remap(self, reject: Reject, target: Target, now: datetime) -> Mention | Deletion:
        """The mention of a rejected message.

        Raises:
            ValueError: if it still cannot be understood, or no person wrote it.
        """
        mailbox = mailbox_of(target)
        return map_again(
            reject.raw, lambda raw: self._map(raw, mailbox, now), "it is automatic mail"
        )

    def _map(self, mail: Mapping[str, Any], mailbox: Mailbox, now: datetime) -> Mention | None:
        return mention_of(
            mail,
            owners=mailbox.owners,
            container=Path(mailbox.path).name if mailbox.path else mailbox.folder,
            now=now,
            listener=f"{self.name}/{self.version}",
        )

    def _folder(self, mailbox: Mailbox, place: Place, budget: Budget) -> Iterator[_Step]:
        server = Imap(mailbox, budget, timeout=self._timeout)
        retried = partial(with_retries, sleep=self._sleep)
        try:
            retried(server.open)
            since = budget.now - timedelta(days=mailbox.history_days)
            if place.validity not in (None, server.validity):
                if place.arrived_at is not None:
                    since = parse_time(place.arrived_at, UTC)[0] - timedelta(days=2)
                place = Place()
            place = msgspec.structs.replace(place, validity=server.validity)
            uids = retried(lambda: server.uids(place.uid, since))
            while True:
                batch, uids = uids[: self._page], uids[self._page :]
                letters = retried(partial(server.fetch, batch)) if batch else []
                if batch:
                    arrived_at = letters[-1].arrived_at if letters else None
                    place = msgspec.structs.replace(
                        place, uid=batch[-1], arrived_at=arrived_at or place.arrived_at
                    )
                mails = [_kept(one.source, one.truncated, one.arrived_at) for one in letters]
                yield mails, place, not uids
                if not uids:
                    return
        finally:
            server.close()

    def _file(self, mailbox: Mailbox, place: Place, budget: Budget) -> Iterator[_Step]:
        found = messages(Path(mailbox.path or ""), place.offset)
        while True:
            batch = list(islice(found, self._page))
            mails = [_kept(source, truncated, None) for source, truncated, _ in batch]
            if batch:
                place = Place(offset=batch[-1][2])
            done = len(batch) < self._page
            yield mails, place, done
            if done:
                return


_Step = tuple[list[dict[str, Any]], Place, bool]
"""Messages, the place after them, and whether they are the last."""


def _kept(source: bytes, truncated: bool, arrived_at: str | None) -> dict[str, Any]:
    mail = read(source)
    if truncated:
        mail["truncated"] = True
    if arrived_at:
        mail["arrived_at"] = arrived_at
    return mail
