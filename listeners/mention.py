"""The canonical record of something said in public, and of its deletion.

``None`` always means "the source did not say"; it never stands for zero or for "no".
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

SCHEMA_VERSION = 1
PRIVATE = "private"
"""The flag of what was said to the brand alone, by e-mail or in a help desk: part of a
customer's history, and never to be answered or quoted in public."""

Kind = Literal["post", "comment", "review", "article", "message"]
TimeQuality = Literal["server", "client", "assumed_zone", "day_only", "fetched"]


class Author(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who said it, as the source names them."""

    id: str | None = None
    handle: str | None = None
    name: str | None = None
    url: str | None = None
    followers: int | None = None
    is_owner: bool = False
    """True for the brand's own accounts."""


class Engagement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts as they stood at ``Mention.collected_at``."""

    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    views: int | None = None
    score: int | None = None


class OwnerReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The brand's answer where a store or review site attaches it to the review."""

    text: str
    at: datetime | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where it happened; ``lat`` and ``lon`` in degrees, WGS 84."""

    country: str | None = None
    region: str | None = None
    city: str | None = None
    lat: float | None = None
    lon: float | None = None
    native_id: str | None = None


@lru_cache(maxsize=4_096)
def make_uid(source: str, instance: str, native_id: str) -> str:
    """32 hex digits that identify one item of one network, for ever."""
    identity = "\x1f".join((source, instance, native_id))
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


class Mention(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="record", tag="mention"
):
    """One post, comment, review, article or message; public unless `is_private`.

    Raises:
        ValueError: on construction, if a time has no zone, the identity is empty, or
            only one of ``rating`` and ``rating_max`` is given.
    """

    source: str
    native_id: str
    text: str
    """Plain text, block elements as line breaks; never HTML."""
    created_at: datetime
    """The author's claim, aware, UTC. Cursors follow ``indexed_at`` instead."""
    collected_at: datetime
    """When the source was read; for a file, when the file was last written."""
    listener: str
    """Name and version of the code that mapped it, as ``name/1``."""
    instance: str = ""
    kind: Kind = "post"
    title: str | None = None
    lang: str | None = None
    """BCP 47, as declared by the source; what we detect belongs to the assessment."""
    url: str | None = None
    time_quality: TimeQuality = "server"
    indexed_at: datetime | None = None
    edited_at: datetime | None = None
    author: Author = Author()
    container: str | None = None
    """Subreddit, channel, app id, business or branch."""
    parent_id: str | None = None
    """Native id, same source and instance, of what this answers."""
    root_id: str | None = None
    """Native id of the thread's first item, where the source says it."""
    repost_of: str | None = None
    """Native id of the original when this is a plain repost without words of its own."""
    engagement: Engagement = Engagement()
    rating: float | None = None
    rating_max: float | None = None
    owner_reply: OwnerReply | None = None
    place: Place | None = None
    matched: tuple[str, ...] = ()
    """Which brand queries hit, or which brand was addressed."""
    flags: tuple[str, ...] = ()
    """Sorted words out of: scraped, truncated, translated, nsfw, backfill, private."""
    raw: Any = None
    """The source's own payload, for replay and re-mapping."""
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        if not self.source or not self.native_id:
            raise ValueError("a mention needs a source and a native_id")
        for name in ("created_at", "collected_at", "indexed_at", "edited_at"):
            at = getattr(self, name)
            if at is not None and at.tzinfo is None:
                raise ValueError(f"{name} has no time zone")
        if (self.rating is None) != (self.rating_max is None):
            raise ValueError("rating and rating_max go together")

    @property
    def uid(self) -> str:
        """32 hex digits; see `make_uid`."""
        return make_uid(self.source, self.instance, self.native_id)

    @property
    def is_private(self) -> bool:
        """Whether it was said to the brand alone; see `PRIVATE`."""
        return PRIVATE in self.flags

    @property
    def content_hash(self) -> str:
        """16 hex digits over title, text and rating: changes when the item is edited."""
        words = "\x1f".join((self.title or "", self.text, str(self.rating)))
        return hashlib.sha256(words.encode()).hexdigest()[:16]


class Deletion(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="record",
    tag="deletion",
):
    """The source no longer shows an item: text and author go from every store."""

    source: str
    native_id: str
    seen_at: datetime
    instance: str = ""
    reason: str = "deleted"

    @property
    def uid(self) -> str:
        """The uid of the mention that is gone."""
        return make_uid(self.source, self.instance, self.native_id)

    @property
    def content_hash(self) -> str:
        """A constant: two deletions of one item are the same deletion."""
        return "deletion"


Record = Mention | Deletion

_encoder = msgspec.json.Encoder(order="deterministic")
_decoder: msgspec.json.Decoder[Mention | Deletion] = msgspec.json.Decoder(Mention | Deletion)


def encode(record: Record) -> bytes:
    """One line of JSON without its line break; the same bytes for the same record."""
    return _encoder.encode(record)


def decode(line: bytes) -> Record:
    """The record of one line of JSON.

    Raises:
        msgspec.ValidationError: if the line is not a mention or a deletion.
    """
    return _decoder.decode(line)


def utc(at: datetime) -> datetime:
    """The same instant in UTC.

    Raises:
        ValueError: if ``at`` has no zone; a zone is never guessed.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no time zone")
    return at.astimezone(UTC)
