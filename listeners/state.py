"""What is remembered of a target between runs, and which items were stored lately."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Literal

import msgspec

from listeners.contract import Reject, Target
from listeners.errors import Busy
from listeners.landing import Landing, slug
from listeners.ledger import Counts
from listeners.mention import Deletion, Record
from listeners.places import damaged

RECENT = 1000
"""How many stored items a target remembers at least; twice its page where that is more, and
what its last walk saw, which the next one may see again."""
MOST = 10_000
"""How many it remembers for the sake of a walk; the document is written with every page."""

Verdict = Literal["new", "changed", "deleted", "duplicate"]


class TargetState(msgspec.Struct, frozen=True, kw_only=True):
    """The one document per target. Parts below ``next_part`` of ``window`` are accounted for."""

    version: int
    """Grows by one with every write; a writer that read another version is refused."""
    window: str
    state: dict[str, Any] | None = None
    """The listener's own."""
    recent: dict[str, str] = {}
    """Content hash by uid of the items stored or seen last, the latest at the end."""
    recent_rejects: tuple[str, ...] = ()
    seen: int = 0
    """Items since the last page that ended a walk."""
    span: int = 0
    """Items of the walk that it ended."""
    next_part: int = 0
    next_reject: int = 0
    counts: Counts = Counts()
    """Of ``window``."""
    quota_left: int | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(TargetState)


class _Version(msgspec.Struct):
    version: int


_version_decoder = msgspec.json.Decoder(_Version)


def load(landing: Landing, target: Target) -> TargetState | None:
    """The target's state, or None before its first run.

    Raises:
        LandingError: if it cannot be read.
    """
    name = _name(target)
    content = landing.read_document(name)
    if content is None:
        return None
    try:
        return _decoder.decode(content)
    except msgspec.MsgspecError as error:
        raise damaged(landing.root / name, error) from error


def save(landing: Landing, target: Target, state: TargetState) -> None:
    """Store ``state`` if the stored version is the one just before it.

    Raises:
        Busy: if another writer came between; nothing is written.
        LandingError: if it cannot be written.
    """
    content = landing.read_document(_name(target))
    try:
        stored = _version_decoder.decode(content).version if content is not None else 0
    except msgspec.MsgspecError as error:
        raise damaged(landing.root / _name(target), error) from error
    if state.version != stored + 1:
        raise Busy(
            f"the state of {target.source}/{target.key} was moved by another run: "
            "run again, this run's items are stored once all the same"
        )
    landing.write_document(_name(target), _encoder.encode(state))


class Memory:
    """Tells stored items from new ones, as far back as it reaches.

    It keeps the latest version of each item, so that an item edited and edited back is
    two changes. It is a function of the records shown to it, in order.
    """

    def __init__(self, recent: Mapping[str, str], rejects: Iterable[str]) -> None:
        self._recent = dict(recent)
        self._rejects = dict.fromkeys(rejects, "")

    def judge(self, record: Record) -> Verdict:
        """What storing ``record`` means; remembers it as stored."""
        uid, version = record.uid, record.content_hash
        known = self._recent.pop(uid, None)
        self._recent[uid] = version
        if known == version:
            return "duplicate"
        if isinstance(record, Deletion):
            return "deleted"
        return "new" if known is None else "changed"

    def is_new(self, reject: Reject) -> bool:
        """Whether a reject is not remembered; remembers it."""
        known = self._rejects.pop(reject.id, None)
        self._rejects[reject.id] = ""
        return known is None

    def recent(self, page_size: int, walked: int = 0) -> dict[str, str]:
        """The items to remember: the latest `RECENT`, two pages' worth, or those ``walked``."""
        kept = max(RECENT, 2 * page_size, min(walked, MOST))
        if len(self._recent) <= kept:
            return self._recent
        return dict(islice(self._recent.items(), len(self._recent) - kept, None))

    def recent_rejects(self, page_size: int) -> tuple[str, ...]:
        """The rejects to remember, as many."""
        return tuple(self._rejects)[-max(RECENT, 2 * page_size) :]


def _name(target: Target) -> str:
    return f"state/source={slug(target.source, 'source')}/target={slug(target.key, 'target')}.json"
