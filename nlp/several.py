"""One reader of several: each text is read by the first that knows its language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from nlp.reader import Reader, Reading

KIND: Final = "several"


class SeveralMetadata(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``metadata.json`` of a folder that stands for others beside it."""

    kind: str
    name: str
    version: int
    """Raised with every change of a reader: it is half of an assessment's key."""
    readers: dict[str, int]
    """Folders beside this one, the first to be asked first, and the version of each."""


class Several:
    """A `Reader` of all the languages that its readers know."""

    def __init__(self, metadata: SeveralMetadata, readers: Sequence[Reader]) -> None:
        self.model = f"{metadata.name}/{metadata.version}"
        self._readers = tuple(readers)
        self._by_language = {
            code: reader for reader in reversed(self._readers) for code in reader.languages
        }
        self.languages = frozenset(self._by_language)

    def read(
        self,
        texts: Sequence[str],
        stars: Sequence[float | None] | None = None,
        languages: Sequence[str] | None = None,
    ) -> list[Reading]:
        """One reading a text; without languages all are read by the first reader."""
        if languages is None:
            return self._readers[0].read(texts, stars)
        found = [Reading()] * len(texts)
        for reader in self._readers:
            own = [at for at, code in enumerate(languages) if self._by_language.get(code) is reader]
            given = [stars[at] for at in own] if stars is not None else None
            for at, reading in zip(own, reader.read([texts[at] for at in own], given), strict=True):
                found[at] = reading
        return found
