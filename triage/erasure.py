"""Forgetting one person: what to look for, what stands in its place, what is remembered of it."""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from listeners.mention import Mention
from triage.rules import Rules
from triage.store.base import Store

GONE = "[erased]"
SHORTEST_TEXT = 20
_NAME = re.compile(r"[^\W\d_]{4,}")
_WORDLIKE = re.compile(r"[a-z]{1,7}")


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """The tombstone of a person: that somebody asked, and nothing of who it was."""

    at: str
    by: str
    reason: str


class Needles:
    """Everything by which a person would be found, and how to take it out of JSON.

    A handle that could be a plain word counts as ``@handle``, in an address, and as a whole
    value; a longer one anywhere. Names of one word and ids of digits count as whole values only.
    Case does not matter. A document in which they are found at all loses each longer word of their
    name and handle, too: "@thea_m Hello Thea".
    """

    def __init__(self) -> None:
        self._anywhere: set[str] = set()
        self._values: set[str] = set()
        self._names: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add_author(self, mention: Mention) -> None:
        """Take up how a mention names its author."""
        author = mention.author
        for handle in (author.handle, author.id):
            self.add_handle(handle or "")
        name = (author.name or "").strip()
        self._add(name, anywhere=" " in name)
        self._names |= {word.casefold() for word in _NAME.findall(name)}
        self._add(author.url or "", anywhere=True)

    def add_handle(self, handle: str) -> None:
        """Take up a handle or an id."""
        handle = handle.strip().removeprefix("@")
        self._names |= {word.casefold() for word in _NAME.findall(handle)}
        distinct = not _WORDLIKE.fullmatch(handle.casefold()) and not handle.isdecimal()
        self._add(handle, anywhere=distinct and len(handle) > 3)
        if handle and not handle.isdecimal():
            self._add(f"@{handle}", anywhere=True)
            self._add(f"/{handle}", anywhere=True)

    def add_text(self, text: str) -> None:
        """Take up what they said; a text of a few words is nobody's."""
        text = text.strip()
        self._add(text, anywhere=len(text) >= SHORTEST_TEXT)

    def add_pseudonym(self, customer: str) -> None:
        """Take up what stands for them, or for their words, in the store."""
        self._add(customer, anywhere=True)

    def _add(self, needle: str, *, anywhere: bool) -> None:
        if len(needle) < 2:
            return
        self._values.add(needle.casefold())
        if anywhere:
            self._anywhere.add(needle.casefold())
        self._pattern = None

    @property
    def pattern(self) -> re.Pattern[str]:
        """What is found anywhere in a text, between the ends of words."""
        if self._pattern is None:
            self._pattern = _any_of(self._anywhere)
        return self._pattern

    def clean(self, document: bytes) -> bytes:
        """The JSON without the person; the same object if they are not in it."""
        if not self.found_in(document):
            return document
        names = _any_of(self._names)
        return msgspec.json.encode(self._cleaned(json.loads(document), names))

    def _cleaned(self, value: Any, names: re.Pattern[str]) -> Any:
        if isinstance(value, str):
            if value.casefold().strip() in self._values:
                return GONE
            return names.sub(GONE, self.pattern.sub(GONE, value))
        if isinstance(value, dict):
            return {
                self.pattern.sub(GONE, key): self._cleaned(found, names)
                for key, found in value.items()
            }
        if isinstance(value, list):
            return [self._cleaned(found, names) for found in value]
        return value

    def found_in(self, document: bytes) -> int:
        """How many bytes of a JSON document, or of any other, are theirs."""
        try:
            strings = list(_strings(json.loads(document)))
        except ValueError:
            strings = [document.decode("utf-8", errors="replace")]
        return sum(map(self._bytes, strings))

    def _bytes(self, text: str) -> int:
        if text.casefold().strip() in self._values:
            return len(text.encode(errors="replace"))
        return sum(len(m[0].encode(errors="replace")) for m in self.pattern.finditer(text))

    def found_raw(self, content: bytes) -> int:
        """How many bytes of a file that is no text are theirs: only what counts anywhere."""
        low = content.lower()
        spellings = {
            form
            for needle in self._anywhere
            for form in (needle.encode(errors="replace"), json.dumps(needle)[1:-1].encode())
        }
        return sum(low.count(form) * len(form) for form in spellings)


def _any_of(needles: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(needles, key=lambda needle: (-len(needle), needle))
    words = "|".join(map(re.escape, longest_first)) or r"(?!)"
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, found in value.items():
            yield key
            yield from _strings(found)
    elif isinstance(value, list):
        for found in value:
            yield from _strings(found)


class Tombstones:
    """Knows who was forgotten, by digests that nobody can read a name from."""

    def __init__(self, rules: Rules) -> None:
        self._key = (rules.pseudonym_key or "").encode()

    def keys(self, mention: Mention, customer: str | None) -> list[str]:
        """The digests that stand for a mention's author."""
        names = {customer} if customer else set()
        for name in (mention.author.id, mention.author.handle):
            if name:
                bare = name.casefold().removeprefix("@")
                names.add(f"{mention.source}\x1f{mention.instance}\x1f{bare}")
        return sorted(map(self._digest, names))

    def _digest(self, name: str) -> str:
        return hmac.digest(self._key, f"erased\x1f{name}".encode(), "sha256").hex()[:32]

    def forgotten(
        self, store: Store, mentions: Iterable[tuple[Mention, str | None]]
    ) -> frozenset[str]:
        """The uids of those mentions whose author was forgotten."""
        keys = {mention.uid: self.keys(mention, customer) for mention, customer in mentions}
        asked = sorted({key for some in keys.values() for key in some})
        known = store.shelved("erasure", asked) if asked else {}
        return frozenset(uid for uid, some in keys.items() if any(key in known for key in some))
